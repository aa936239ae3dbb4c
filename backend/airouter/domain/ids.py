"""The identities of our nouns. Every id that leaves the house is a UUIDv7 in its text form; wallets are never shown and
count up.
"""

from datetime import UTC, datetime, timedelta
from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
AccountId = NewType("AccountId", UUID)
SessionId = NewType("SessionId", UUID)
TokenId = NewType("TokenId", UUID)
InvitationId = NewType("InvitationId", UUID)
KeyId = NewType("KeyId", UUID)
ChannelId = NewType("ChannelId", UUID)
CredentialId = NewType("CredentialId", UUID)
RateCardId = NewType("RateCardId", UUID)
BatchId = NewType("BatchId", UUID)
CodeId = NewType("CodeId", UUID)
TransferId = NewType("TransferId", UUID)
RequestId = NewType("RequestId", UUID)
NodeId = NewType("NodeId", UUID)
WalletId = NewType("WalletId", int)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BITS = (1 << 76) - 1
_VARIANT = 2 << 62


def uuid7(now_ms: int, draw: int) -> UUID:
    """RFC 9562 version 7: 48 bits of Unix milliseconds, then 74 bits taken from `draw`."""
    return UUID(int=(now_ms << 80) | (7 << 76) | ((draw & _RANDOM_BITS) & ~(3 << 62)) | _VARIANT)


def minted_at(uuid: UUID) -> datetime:
    """The millisecond inside a UUIDv7. A usage record's `created_at` is this, so a replay always meets the same row."""
    return _EPOCH + timedelta(milliseconds=uuid.int >> 80)
