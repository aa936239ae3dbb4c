"""What owners send and see of payment methods. A secret goes in and never comes out again."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from airouter.domain.errors import InvalidRequest
from airouter.domain.quota import MICROS, WALLET_MAX
from airouter.domain.quote import AMOUNT_MAX, BonusTier, Groups, Minor, Package, Slug

Label = Annotated[str, Meta(min_length=1, max_length=120)]
Words = Annotated[str, Meta(max_length=4000)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Rate = Annotated[int, Meta(ge=1, le=WALLET_MAX)]
Packages = Annotated[tuple[Package, ...], Meta(max_length=100)]
Tiers = Annotated[tuple[BonusTier, ...], Meta(max_length=100)]
OrderMinutes = Annotated[int, Meta(ge=30, le=129_600)]
Position = Annotated[int, Meta(ge=0, le=100_000)]
NewSecrets = dict[str, Annotated[str, Meta(max_length=20_000)] | None]
"""By field of the processor; null takes one away."""
_AT_FIELD: Final = re.compile(r" - at `\$\.?(.*?)`$")
_NAMED_FIELD: Final = re.compile(r"(?:unknown|missing required) field `(.+?)`")


class Fee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the buyer pays on top: minor units, and millionths of the amount, together rounded up."""

    fixed: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)] = 0
    micros: Annotated[int, Meta(ge=0, le=MICROS)] = 0


class MethodDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment method to be. Amounts are minor units of `currency`; `groups` null: accounts of every group."""

    id: Slug
    processor: str
    label: Label
    text: Words = ""
    currency: Currency
    quota_per_minor_unit: Rate
    minimum: Minor | None = None
    maximum: Minor | None = None
    custom_amount: bool = True
    packages: Packages = ()
    bonus_tiers: Tiers = ()
    fee: Fee = Fee()
    groups: Groups | None = None
    order_minutes: OrderMinutes | None = None
    config: dict[str, Any] = {}
    secrets: NewSecrets = {}
    enabled: bool = True
    position: Position = 0

    def __repr__(self) -> str:
        return f"MethodDraft({self.id!r}, {self.processor!r})"


class MethodChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays. A secret that is replaced is accepted for `previous_secret_hours` more."""

    label: Label | UnsetType = UNSET
    text: Words | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    quota_per_minor_unit: Rate | UnsetType = UNSET
    minimum: Minor | UnsetType | None = UNSET
    maximum: Minor | UnsetType | None = UNSET
    custom_amount: bool | UnsetType = UNSET
    packages: Packages | UnsetType = UNSET
    bonus_tiers: Tiers | UnsetType = UNSET
    fee: Fee | UnsetType = UNSET
    groups: Groups | UnsetType | None = UNSET
    order_minutes: OrderMinutes | UnsetType | None = UNSET
    config: dict[str, Any] | UnsetType = UNSET
    secrets: NewSecrets | UnsetType = UNSET
    previous_secret_hours: Annotated[int, Meta(ge=0, le=720)] = 24
    enabled: bool | UnsetType = UNSET
    position: Position | UnsetType = UNSET

    def __repr__(self) -> str:
        return "MethodChanges()"


class SecretView(msgspec.Struct, frozen=True, kw_only=True):
    """What may be known of a secret: whether it is there, since when, and how long the one before still counts."""

    field: str
    is_required: bool
    is_set: bool
    set_at: datetime | None
    previous_accepted_until: datetime | None


Off = Literal["disabled", "secrets_missing", "secrets_unreadable", "config_invalid", "processor_unknown"]


class MethodView(msgspec.Struct, frozen=True, kw_only=True):
    """A payment method as operators see it. `off_because` null: it is offered. While it is only `disabled`, its webhook
    stays open.
    """

    id: str
    processor: str
    label: str
    text: str
    currency: str
    exponent: int
    quota_per_minor_unit: int
    minimum: int | None
    maximum: int | None
    custom_amount: bool
    packages: list[Package]
    bonus_tiers: list[BonusTier]
    fee: Fee
    groups: list[str] | None
    order_minutes: int | None
    config: dict[str, Any]
    secrets: list[SecretView]
    enabled: bool
    off_because: Off | None
    webhook_url: str | None
    position: int
    created_at: datetime
    updated_at: datetime


class ProcessorView(msgspec.Struct, frozen=True, kw_only=True):
    """A processor of this build. `config` is the JSON schema of what a method of it is configured with."""

    name: str
    has_webhook: bool
    can_ask: bool
    can_refund: bool
    secrets: list[str]
    config: dict[str, Any]


def field_error(error: msgspec.ValidationError, part: str) -> InvalidRequest:
    """The field beside which the words stand. The message of msgspec never repeats a value."""
    message = str(error)
    at = _AT_FIELD.search(message)
    named = _NAMED_FIELD.search(message)
    field = ".".join(filter(None, (part, at[1].strip("[].") if at else "", named[1] if named else "")))
    words = (message[: at.start()] if at else message).replace("`", "")
    return InvalidRequest(f"{field}: {words[:1].lower()}{words[1:]}.", field=field)
