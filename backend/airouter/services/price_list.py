"""What everything costs, before it is called. The same catalogue, visibility and arithmetic as the gateway's."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from airouter.domain.catalogue import DEFAULT_GROUP, Catalogue, Group, Model
from airouter.domain.errors import InvalidRequest, MeterNotPriced, ModelNotFound, NotFound
from airouter.domain.pricing import Line, bill, exact_decimal
from airouter.domain.quota import MICROS, WALLET_MAX
from airouter.domain.rate_card import PER, Meter, RateCard, TierCondition

DEFAULT_ENDPOINT: Final = "chat.completions"


class ListedRate(msgspec.Struct, frozen=True, kw_only=True):
    """Integer quota per so many units of the meter."""

    rate: int
    per: int


class ListedTier(msgspec.Struct, frozen=True, kw_only=True):
    """Rates that replace those of the model, meter by meter, for the whole call when every stated fact holds."""

    when: TierCondition
    rates: dict[Meter, ListedRate]


class ListedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group that the reader may look at, with the multiplier that they would pay in it."""

    name: str
    label: str
    multiplier_micros: int


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model as it is priced in the chosen group. `rates` are before the multiplier; figures nobody set are null."""

    model: str
    vendor: str | None
    description: str | None
    context_window: int | None
    max_output_tokens: int | None
    rates: dict[Meter, ListedRate]
    multiplier_micros: int
    tiers: list[ListedTier] | UnsetType = UNSET


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """The price list of one group. `group` is null where nothing is public."""

    group: str | None
    groups: list[ListedGroup]
    models: list[ListedModel]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """`requests` calls, each of which uses `usage`. A call counts as one `request` unless `usage` says otherwise."""

    model: str
    usage: Mapping[Meter, int]
    group: str | None
    requests: int
    service_tier: str | None
    endpoint: str | None


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What all the calls come to. Each is rounded up by itself, as it would be when it is charged."""

    group: str
    multiplier_micros: int
    cost: int
    subtotal: str
    lines: list[Line]


class PriceList:
    """Answers from the catalogue in force; Postgres is not asked."""

    def __init__(self, catalogue: Callable[[], Catalogue]) -> None:
        self._catalogue = catalogue

    def read(self, group_name: str | None, account_group: str | None) -> Prices:
        """Prices in a group, for an account of `account_group`; None: for a stranger.

        Without `group_name` it is the account's own group; for a stranger the default group, or the first public one.

        Raises:
            NotFound: there is no such group, or it is not for this reader; the two look the same.
        """
        catalogue = self._catalogue()
        visible = visible_groups(catalogue, account_group)
        group = _chosen(visible, group_name, account_group)
        return Prices(
            group=None if group is None else group.name,
            groups=[
                ListedGroup(name=one.name, label=one.label, multiplier_micros=_multiplier(one, account_group))
                for one in visible
            ],
            models=[] if group is None else _listed(catalogue, group, account_group),
        )

    def estimate(self, question: Question, account_group: str | None) -> Estimate:
        """What calls would cost, to the unit.

        Raises:
            NotFound: there is no such group, or it is not for this reader.
            ModelNotFound: unknown, invisible to the group, or unpriced.
            MeterNotPriced: some of the usage has no rate, so such a call would be refused.
            InvalidRequest: it comes to more than a wallet can hold.
        """
        catalogue = self._catalogue()
        group = _chosen(visible_groups(catalogue, account_group), question.group, account_group)
        if group is not None:
            group = next(iter(catalogue.serving(group, question.model)), None)
        model = None if group is None else catalogue.offered(question.model, group)
        if group is None or model is None or model.card is None:
            raise ModelNotFound(
                f"The model {question.model!r} does not exist or is not available to you.", field="model"
            )
        multiplier_micros = _multiplier(group, account_group)
        endpoint = question.endpoint or DEFAULT_ENDPOINT
        each = bill({"request": 1, **question.usage}, model.card, multiplier_micros, question.service_tier, endpoint)
        if each.unpriced:
            meter = each.unpriced[0]
            raise MeterNotPriced(f"usage.{meter}: it has no rate for {model.model!r}.", field=f"usage.{meter}")
        cost = each.cost * question.requests
        if cost > WALLET_MAX:
            raise InvalidRequest("That comes to more than a wallet can hold.", field="requests")
        lines = [_times(line, question.requests) for line in each.lines]
        return Estimate(
            group=group.name,
            multiplier_micros=multiplier_micros,
            cost=cost,
            subtotal=exact_decimal(sum(_millionths(line) for line in lines)),
            lines=lines,
        )


def visible_groups(catalogue: Catalogue, account_group: str | None) -> tuple[Group, ...]:
    """Whose prices may be read: an account's own and usable groups, then the public ones; for strangers only these."""
    usable = () if account_group is None else catalogue.usable_groups(account_group)
    names = {group.name for group in usable}
    return (*usable, *(g for g in catalogue.groups.values() if g.is_public and g.name not in names))


def _chosen(visible: tuple[Group, ...], name: str | None, account_group: str | None) -> Group | None:
    by_name = {group.name: group for group in visible}
    if name is None:
        return by_name.get(account_group or DEFAULT_GROUP) or next(iter(visible), None)
    if name not in by_name:
        raise NotFound(f"There is no group {name!r} here.", field="group")
    return by_name[name]


def _multiplier(group: Group, account_group: str | None) -> int:
    return group.multiplier_micros if account_group is None else group.multiplier_for(account_group)


def _listed(catalogue: Catalogue, group: Group, account_group: str | None) -> list[ListedModel]:
    """A group that stands for others shows each model at the price of the first of them that serves it."""
    found: list[ListedModel] = []
    for name in sorted(catalogue.models):
        serving = next(iter(catalogue.serving(group, name)), None)
        model = None if serving is None else catalogue.offered(name, serving)
        if serving is not None and model is not None and model.card:
            found.append(_model(model, model.card, _multiplier(serving, account_group)))
    return found


def _model(model: Model, card: RateCard, multiplier_micros: int) -> ListedModel:
    tiers = [ListedTier(when=tier.when, rates=_rates(tier.rates)) for tier in card.tiers]
    return ListedModel(
        model=model.model,
        vendor=model.vendor,
        description=model.description,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        rates=_rates(card.rates),
        multiplier_micros=multiplier_micros,
        tiers=tiers or UNSET,
    )


def _rates(rates: Mapping[Meter, int]) -> dict[Meter, ListedRate]:
    """In the order of a receipt's lines."""
    return {meter: ListedRate(rate=rates[meter], per=per) for meter, per in PER.items() if meter in rates}


def _times(line: Line, count: int) -> Line:
    many = msgspec.structs.replace(line, quantity=line.quantity * count)
    return msgspec.structs.replace(many, amount=exact_decimal(_millionths(many)))


def _millionths(line: Line) -> int:
    """Of a quota; every `per` divides a million, so this is exact."""
    return line.quantity * line.rate * (MICROS // line.per)
