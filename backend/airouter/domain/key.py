"""An API key as the gateway's doors see it: who calls, and within which limits."""

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Literal

import msgspec

from airouter.domain.errors import (
    AccountPaused,
    AddressNotAllowed,
    InvalidApiKey,
    KeyDisabled,
    KeyExpired,
    ModelNotAllowed,
)
from airouter.domain.ids import AccountId, KeyId, UserId, WalletId
from airouter.domain.rate_limit import RateLimits

KeyStatus = Literal["active", "disabled"]
"""Of a key that can be seen: a deleted one is no key, and only Postgres still knows it."""

KeyKind = Literal["standard", "ephemeral"]
"""`ephemeral`: for trying things out, for an hour, in no list."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A key together with the facts of its account. Read from Postgres once, dropped when Postgres says that it
    changed.
    """

    key_id: KeyId
    account_id: AccountId
    wallet_id: WalletId
    user_id: UserId
    status: KeyStatus
    account_status: Literal["active", "paused"]
    account_group: str
    key_group: str | None
    is_operator: bool
    """The responsible member is an operator: refusals may say more."""
    is_limited: bool
    """The key has a spend limit, or it or its member a budget: then its credit is leased like a wallet's."""
    expires_at: datetime | None = None
    models: frozenset[str] | None = None
    fallback_models: tuple[str, ...] = ()
    """Who answers, in this order, when no channel of the model asked for can."""
    networks: tuple[IPv4Network | IPv6Network, ...] | None = None
    rate_limits: RateLimits | None = None
    account_rate_limits: RateLimits | None = None
    secret_until: datetime | None = None
    """When the secret that was used ends, because the key has another by now."""

    @property
    def group(self) -> str:
        """The group whose rates and channels this key uses."""
        return self.key_group or self.account_group

    def check(self, now: datetime, address: str) -> None:
        """Whether the key may call at all, from there, now.

        Raises:
            InvalidApiKey, KeyDisabled, KeyExpired, AccountPaused, AddressNotAllowed
        """
        if self.secret_until is not None and now >= self.secret_until:
            raise InvalidApiKey
        if self.status != "active":
            raise KeyDisabled
        if self.expires_at is not None and now >= self.expires_at:
            raise KeyExpired
        if self.account_status != "active":
            raise AccountPaused
        if self.networks is not None:
            here = ip_address(address)
            mapped = getattr(here, "ipv4_mapped", None)
            here = mapped or here
            if not any(here in network for network in self.networks):
                raise AddressNotAllowed

    def check_model(self, model: str) -> None:
        """Raises ModelNotAllowed when the key's own list leaves the model out."""
        if self.models is not None and model not in self.models:
            raise ModelNotAllowed(f"This API key may not use the model {model!r}.")
