"""Names that a provider mints and a client may send back: where they live, and whose they are."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from airouter.domain.ids import AccountId, ChannelId, CredentialId, KeyId, RequestId

StoredKind = Literal["response", "item", "conversation", "file", "batch"]

NAME_MAX: Final = 256
"""Characters. A longer name is not kept; none that is known comes near."""


class Minted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A name as the answer of a call brought it. `expires_at` None: it lasts until it is deleted."""

    name: str
    kind: StoredKind
    credential_id: CredentialId | None = None
    expires_at: datetime | None = None


class StoredId(msgspec.Struct, frozen=True, kw_only=True):
    """A name that is known, with the only place where it means anything."""

    account_id: AccountId
    name: str
    kind: StoredKind
    key_id: KeyId
    channel_id: ChannelId
    credential_id: CredentialId | None
    model: str | None
    upstream_model: str | None
    request_id: RequestId
    expires_at: datetime | None
