"""What a call used: disjoint, non-negative quantities by meter. Unknown (None) and zero are never confused."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from airouter.domain.ids import AccountId, ChannelId, CredentialId, KeyId, RateCardId, RequestId, WalletId, minted_at
from airouter.domain.rate_card import INPUT_METERS, PER, Meter
from airouter.domain.stored_id import Minted

Quantities = Mapping[Meter, int]

UsageSource = Literal["provider", "provider_partial", "estimated", "none"]
"""Who said so: the provider's final figures, its running figures of a broken answer, our estimate, or nobody."""

UsageStatus = Literal["ok", "partial", "cancelled", "failed"]
"""`partial`: the provider broke off after the first byte. `cancelled`: the client left. `failed`: nothing reached the
client.
"""


def priced(recorded: Mapping[str, int]) -> Quantities:
    """What of a record has a price: meters that have gone since then cost nothing."""
    return {meter: recorded[meter] for meter in PER if meter in recorded}


def input_tokens(quantities: Quantities) -> int:
    """All input buckets together: what `input_tokens_above` looks at."""
    return sum(quantities.get(meter, 0) for meter in INPUT_METERS)


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One try at one channel, for the operator's eyes. `reason`: why it was not the last; None: it answered.

    `began_ms` counts from the beginning of the call. `model` and `group` are those it was admitted with.
    """

    channel_id: ChannelId
    channel: str
    credential_id: CredentialId | None = None
    status: int | None = None
    reason: str | None = None
    began_ms: int = 0
    latency_ms: int = 0
    model: str = ""
    group: str = ""


class UsageRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the journal and one row of `usage_records`: everything a receipt needs to be recomputed.

    `cost` is the published formula. `covered` is the part of it that was held under this node's lease when the call
    ended (never more than `cost`); settlement decides what is `charged`.
    """

    request_id: RequestId
    account_id: AccountId
    wallet_id: WalletId
    key_id: KeyId
    model: str
    endpoint: str
    status: UsageStatus
    usage_source: UsageSource
    quantities: dict[str, int]
    rate_card_id: RateCardId
    multiplier_micros: int
    group: str
    cost: int
    covered: int = 0
    key_is_limited: bool = False
    service_tier: str | None = None
    channel_id: ChannelId | None = None
    upstream_model: str | None = None
    client_request_id: str | None = None
    is_streaming: bool = False
    latency_ms: int = 0
    first_token_ms: int | None = None
    error: str | None = None
    unpriced: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    requested_model: str | None = None
    """What the client asked for, where one of the key's fallback models answered."""
    minted: tuple[Minted, ...] = ()
    """Names that the provider gave to what it keeps of the call; they are known as soon as it is settled."""
    provider_cost: int | None = None
    """What the channel's provider charges for it, by the channel's own rates; None: unknown, which is not 0."""

    @property
    def created_at(self) -> datetime:
        return minted_at(self.request_id)
