"""Rate cards: the versioned prices of models. They are only ever added to."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.api.paging import Paging, cursor_of
from airouter.domain.ids import RateCardId
from airouter.services.audit_log import Actor
from airouter.services.rate_cards import RateCardDraft, RateCards, RateCardView


class RateCardList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[RateCardView]
    next_cursor: str | None


class RateCardController(Controller):
    """Below /admin/rate-cards."""

    path = "/admin/rate-cards"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listRateCards",
        permission="operator.read",
        summary="Prices, newest first",
        responses=refusals(401, 403, 422),
    )
    async def cards(
        self,
        operator: NamedDependency[Operator],
        paging: NamedDependency[Paging],
        rate_cards: NamedDependency[RateCards],
        model: Annotated[str | None, QueryParameter(description="Only the history of this model")] = None,
    ) -> RateCardList:
        del operator
        after = paging.after and (paging.after.created_at, paging.after.row_id)
        shown, last = paging.split(await rate_cards.page(model, after, paging.rows_wanted))
        return RateCardList(items=shown, next_cursor=last and cursor_of(last.created_at, last.id))

    @post(
        "/",
        operation_id="createRateCard",
        permission="catalogue.write",
        summary="Set a price",
        responses=refusals(401, 403, 404, 422),
    )
    async def add(
        self,
        data: JSONBody[RateCardDraft],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        rate_cards: NamedDependency[RateCards],
    ) -> RateCardView:
        """A new version, in force from `effective_at` (not in the past by the database's clock), else at once.

        A price that is to come is taken back by another for the same moment: of two, the later version counts.
        """
        del operator
        return await rate_cards.add(data, actor)

    @get(
        "/{rate_card_id:uuid}",
        operation_id="getRateCard",
        permission="operator.read",
        summary="A price",
        responses=refusals(401, 403, 404),
    )
    async def card(
        self,
        rate_card_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        rate_cards: NamedDependency[RateCards],
    ) -> RateCardView:
        del operator
        return await rate_cards.get(RateCardId(rate_card_id))
