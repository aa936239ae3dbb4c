"""Caller and body -> Terms: which model at which price, and the most the call can cost. Credit for that much is held
before it starts.
"""

import msgspec

from airouter.domain.catalogue import Catalogue, Group, Model
from airouter.domain.errors import GroupNotAllowed, MeterNotPriced, ModelNotFound
from airouter.domain.key import Caller
from airouter.domain.policy import Limits
from airouter.domain.pricing import Ceiling, hold_size
from airouter.domain.rate_card import RateCard
from airouter.gateway.door import Door
from airouter.wire.requests import RequestHead, input_bound


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a call is charged by, fixed for its whole life, and the worst case that is held."""

    model: Model
    card: RateCard
    group: Group
    multiplier_micros: int
    ceiling: Ceiling
    is_output_stated: bool
    limits: Limits
    """The operator's policy when the call began; what it becomes meanwhile is for later calls."""

    @property
    def worst_case(self) -> int:
        """The price of the ceiling, in quota."""
        return hold_size(self.ceiling, self.card, self.multiplier_micros)


def admit(
    catalogue: Catalogue,
    caller: Caller,
    door: Door,
    request: RequestHead,
    body: bytes,
    *,
    group: Group | None = None,
) -> Terms:
    """Decides what the call may use and what it can cost.

    `group`: in which, instead of the key's; of a group that stands for others, the first that serves the model.

    Raises:
        GroupNotAllowed: the key's group is not, or no longer, among the account's usable groups.
        ModelNotAllowed: the key's own list leaves the model out.
        ModelNotFound: unknown, invisible to the group, or unpriced; only an operator is told which.
        MeterNotPriced: the request asks for something that has no rate.
    """
    group = group or usable_group(catalogue, caller)
    caller.check_model(request.model)
    serving = catalogue.serving(group, request.model) if group.members else None
    if serving:
        group = serving[0]
    model = catalogue.offered(request.model, group) if serving != () else None
    if model is None or model.card is None:
        raise ModelNotFound(_why_not(catalogue, caller, request.model, group), field="model")
    card = model.card
    for meter in request.asks:
        if not card.prices(meter):
            raise MeterNotPriced(f"The request needs the meter {meter!r}, which has no rate for {model.model!r}.")
    return Terms(
        model=model,
        card=card,
        group=group,
        multiplier_micros=group.multiplier_for(caller.account_group),
        ceiling=_ceiling(catalogue.policies.limits, model, door, request, body),
        is_output_stated=request.stated_output_tokens is not None,
        limits=catalogue.policies.limits,
    )


def usable_group(catalogue: Catalogue, caller: Caller) -> Group:
    """The group of the key, else of its account; checked at each call, because the operator may have changed it.

    Raises:
        GroupNotAllowed
    """
    group = catalogue.groups.get(caller.group)
    if group is None or not group.is_usable_by(caller.account_group):
        raise GroupNotAllowed(f"This account may not use the group {caller.group!r}.")
    return group


def _ceiling(limits: Limits, model: Model, door: Door, request: RequestHead, body: bytes) -> Ceiling:
    """Input: a token is never under a byte; a media item counts the model's most for one, or its whole context window.

    What only the upstream can measure (files by id, searches) counts as the context window, where the operator set one.
    Output: the stated maximum, capped by the model's; unstated, the operator's allowance; times the answers asked for.
    """
    bound = input_bound(door.endpoint, request, body)
    tokens_in = bound.text_tokens
    if bound.media_items:
        per_item = model.media_tokens_max or model.context_window or len(body)
        tokens_in += bound.media_items * per_item
    if bound.reads_upstream and model.context_window is not None:
        tokens_in = max(tokens_in, model.context_window)
    tokens_out = 0
    if door.writes:
        allowance = request.stated_output_tokens
        if allowance is None:
            allowance = limits.unstated_output_tokens
        if model.max_output_tokens is not None:
            allowance = min(allowance, model.max_output_tokens)
        tokens_out = allowance * bound.choices
    return Ceiling(input_tokens=tokens_in, output_tokens=tokens_out)


def _why_not(catalogue: Catalogue, caller: Caller, name: str, group: Group) -> str:
    """Words for a refused model. People who are not operators learn only that they cannot use it."""
    if not caller.is_operator:
        return f"The model {name!r} does not exist or is not available to you. GET /v1/models lists those that are."
    known = catalogue.models.get(name)
    if known is None:
        return f"The model {name!r} is not configured. Add it under /api/v1/admin/models."
    if not known.is_enabled:
        return f"The model {name!r} is disabled."
    if known.card is None:
        return f"The model {name!r} has no rate card in force. Add one under /api/v1/admin/rate-cards."
    return f"The group {group.name!r} does not offer the model {name!r}."
