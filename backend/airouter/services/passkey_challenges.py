"""Challenges for authenticators: signed when they are given out, remembered only once they were used.

Asking for one costs no row, so strangers cannot fill a table; using one twice is refused by the row of its first use.
"""

import hashlib
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from airouter.services.vault import Vault
from airouter.storage import factors as rows
from airouter.storage.database import Connection

LIFETIME_SECONDS: Final = 300
_RANDOM_BYTES: Final = 16
_TIME_BYTES: Final = 8
_PURPOSE: Final = "passkey-challenge"


class PasskeyChallenges:
    """`subject` says what a challenge is for, so that one ceremony's answer is worth nothing in another."""

    def __init__(self, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        self._vault = vault
        self._clock = clock

    def make(self, subject: str) -> bytes:
        """Random bytes, until when they hold, and a signature over both and the subject."""
        until = int(self._clock()) + LIFETIME_SECONDS
        head = os.urandom(_RANDOM_BYTES) + until.to_bytes(_TIME_BYTES, "big")
        return head + self._vault.mac(_PURPOSE, head + subject.encode())

    def is_ours(self, challenge: bytes, subject: str) -> bool:
        """Made for this subject, not too old. Whether it was used, only `spend` can say."""
        head, mac = _parts(challenge)
        return self._vault.verifies(_PURPOSE, head + subject.encode(), mac) and _until(head) > self._clock()

    async def spend(self, connection: Connection, challenge: bytes) -> bool:
        """False: it was used before. Within the transaction of what it allows."""
        until = datetime.fromtimestamp(_until(_parts(challenge)[0]), UTC)
        return await rows.spend_proof(connection, hashlib.sha256(challenge).digest(), until)


def _parts(challenge: bytes) -> tuple[bytes, bytes]:
    at = _RANDOM_BYTES + _TIME_BYTES
    return challenge[:at], challenge[at:]


def _until(head: bytes) -> int:
    return int.from_bytes(head[_RANDOM_BYTES:], "big")
