"""What everything costs, before anybody calls it: the price list and the calculator, for strangers too."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta

from airouter.api.callers import Guest
from airouter.api.documents import refusals
from airouter.domain.rate_card import Meter
from airouter.services.price_list import Estimate, PriceList, Prices, Question

Quantity = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class EstimateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`usage` is what one call uses; `requests` such calls are made. A call counts as one `request` of itself."""

    model: Annotated[str, Meta(max_length=200)]
    usage: dict[Meter, Quantity]
    group: Annotated[str, Meta(max_length=64)] | None = None
    requests: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    service_tier: Annotated[str, Meta(max_length=64)] | None = None
    endpoint: Annotated[str, Meta(max_length=64)] | None = None


class PricingController(Controller):
    """Below /pricing."""

    path = "/pricing"
    tags = ("Public",)

    @get("/", operation_id="getPricing", summary="The price list", responses=refusals(401, 404), sync_to_thread=False)
    def pricing(
        self,
        guest: NamedDependency[Guest],
        price_list: NamedDependency[PriceList],
        group: Annotated[str | None, QueryParameter(max_length=64, description="Default: one's own group")] = None,
    ) -> Prices:
        """Strangers see public groups, account holders those that they may use, too. Cost is the sum of quantity x
        rate / per, times the multiplier, rounded up once.
        """
        return price_list.read(group, guest.holder.group if guest.holder else None)

    @post(
        "/estimate",
        operation_id="estimatePrice",
        summary="What calls would cost, to the unit",
        status_code=200,
        responses=refusals(401, 404, 422),
        sync_to_thread=False,
    )
    def estimate(
        self,
        data: JSONBody[EstimateBody],
        guest: NamedDependency[Guest],
        price_list: NamedDependency[PriceList],
    ) -> Estimate:
        """Nothing is called and nothing moves."""
        question = Question(
            model=data.model,
            usage=data.usage,
            group=data.group,
            requests=data.requests,
            service_tier=data.service_tier,
            endpoint=data.endpoint,
        )
        return price_list.estimate(question, guest.holder.group if guest.holder else None)
