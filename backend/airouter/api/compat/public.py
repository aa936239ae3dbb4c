"""What the installation is, what models cost, and who asks, in their shapes."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from airouter import __version__
from airouter.api.callers import AccountHolder, Guest, Visitor
from airouter.api.compat.envelope import fine
from airouter.domain.catalogue import DEFAULT_GROUP
from airouter.domain.quota import MICROS, QUOTA_PER_UNIT
from airouter.services.compat import THEIRS_PER_UNIT, Compat, shown
from airouter.services.instance import Instance
from airouter.services.price_list import ListedModel, PriceList

_RATIO_ONE: Final = 2 * QUOTA_PER_UNIT
"""A ratio of 1 is one of their quota for a token: two units of the currency for a million."""
_PLACES: Final = Decimal("1E-12")
_ROLES: Final = {"user": 1, "operator": 10, "owner": 100}
_PER_TOKENS: Final = 0
_PER_REQUEST: Final = 1


class PricedModel(msgspec.Struct, frozen=True, kw_only=True):
    """`model_ratio`: of the input, 1 is two units a million; the other ratios are times that."""

    model_name: str
    quota_type: int
    model_ratio: msgspec.Raw
    model_price: msgspec.Raw
    owner_by: str
    completion_ratio: msgspec.Raw
    cache_ratio: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    create_cache_ratio: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    enable_groups: list[str]
    supported_endpoint_types: list[str]


@get("/api/status", include_in_schema=False)
async def status(visitor: NamedDependency[Visitor], instance: NamedDependency[Instance]) -> Response[Any]:
    """Only what is so: there is no notice, no theme and no chat link to be told of."""
    del visitor
    facts = await instance.facts()
    data = {
        "system_name": facts.display.name,
        "version": __version__,
        "quota_per_unit": THEIRS_PER_UNIT,
        "display_in_currency": True,
        "quota_display_type": facts.currency,
        "register_enabled": facts.sign_up.mode == "open",
        "password_login_enabled": True,
        "setup": True,
    }
    return fine(data)


@get("/api/pricing", include_in_schema=False)
async def pricing(guest: NamedDependency[Guest], price_list: NamedDependency[PriceList]) -> Response[Any]:
    """The groups that the reader may see, and every model that one of them offers."""
    account_group = guest.holder.group if guest.holder else None
    groups = price_list.read(None, account_group).groups
    models: dict[str, ListedModel] = {}
    offered_in: dict[str, list[str]] = {}
    for group in groups:
        for model in price_list.read(group.name, account_group).models:
            models.setdefault(model.model, model)
            offered_in.setdefault(model.model, []).append(group.name)
    body = {
        "success": True,
        "message": "",
        "data": [_priced(model, offered_in[name]) for name, model in models.items()],
        "group_ratio": {group.name: _ratio(group.multiplier_micros, MICROS) for group in groups},
        "usable_group": {group.name: group.label or group.name for group in groups},
        "auto_groups": [],
        "vendors": [],
    }
    return Response(body, headers={"cache-control": "no-store"})


@get("/api/user/self", permission="wallet.read", include_in_schema=False)
async def user_self(holder: NamedDependency[AccountHolder], compat: NamedDependency[Compat]) -> Response[Any]:
    """The person, and the account that the access token acts for."""
    person = holder.person
    holdings = await compat.holdings(holder.account_id, holder.wallet_id)
    data = {
        "id": await compat.number_of(person.user_id),
        "username": person.email,
        "display_name": holder.account_name,
        "email": person.email,
        "role": _ROLES[person.role],
        "status": 2 if holder.is_paused else 1,
        "group": holder.group or DEFAULT_GROUP,
        "quota": shown(holdings.balance),
        "used_quota": shown(holdings.used),
    }
    return fine(data)


def _priced(model: ListedModel, groups: list[str]) -> PricedModel:
    rates = {meter: listed.rate for meter, listed in model.rates.items()}
    entry = rates.get("input", 0)
    is_per_request = not entry and rates.get("request", 0) > 0
    return PricedModel(
        model_name=model.model,
        quota_type=_PER_REQUEST if is_per_request else _PER_TOKENS,
        model_ratio=_ratio(entry, _RATIO_ONE),
        model_price=_ratio(rates.get("request", 0) if is_per_request else 0, QUOTA_PER_UNIT),
        owner_by=model.vendor or "",
        completion_ratio=_ratio(rates.get("output", 0), entry),
        cache_ratio=_ratio(rates["cached_input"], entry) if "cached_input" in rates and entry else msgspec.UNSET,
        create_cache_ratio=(
            _ratio(rates["cache_write_5m"], entry) if "cache_write_5m" in rates and entry else msgspec.UNSET
        ),
        enable_groups=groups,
        supported_endpoint_types=["openai"],
    )


def _ratio(part: int, whole: int) -> msgspec.Raw:
    """A quotient as a JSON number, to twelve places, half to even: for reading, nothing is charged by it."""
    quotient = (Decimal(part) / Decimal(whole)).quantize(_PLACES, ROUND_HALF_EVEN) if whole else Decimal(0)
    text = f"{quotient:f}".rstrip("0").rstrip(".")
    return msgspec.Raw((text or "0").encode())
