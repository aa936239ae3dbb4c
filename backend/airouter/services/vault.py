"""Secrets at rest, and secrets that are only compared. All keys are derived from `AIROUTER_SECRET_KEYS` by purpose.

The first key is the current one: it encrypts, signs and hashes. The others still decrypt and verify, so that an
installation can move to a new key without an outage: put the new one in front, and drop the old one when nothing needs
it.
"""

import hmac
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORMAT = 1
_NONCE_BYTES = 12
_SUBKEY_BYTES = 32


class RootKey(Protocol):
    """One entry of `AIROUTER_SECRET_KEYS`."""

    @property
    def id(self) -> str: ...
    @property
    def material(self) -> bytes: ...


class SecretUnreadable(Exception):
    """A stored secret was made with a key that is not configured any more, for another row, or was changed."""


class Vault:
    """Encrypts, and makes keyed hashes. No two purposes share a key; a blob opens only in the row it was made for."""

    def __init__(self, keys: Sequence[RootKey]) -> None:
        if not keys:
            message = "a vault needs at least one secret key"
            raise ValueError(message)
        self._keys = {key.id: key.material for key in keys}
        self._current = keys[0].id
        self._derive = lru_cache(maxsize=64)(self._derive_uncached)

    def __repr__(self) -> str:
        return f"Vault({', '.join(self._keys)})"

    def encrypt(self, purpose: str, table: str, row_id: object, plaintext: str) -> bytes:
        """A blob that `decrypt` opens for the same purpose, table and row only.

        Its layout: format (1 byte), length of the key id (1 byte), key id, nonce (12 bytes), AES-GCM ciphertext + tag.
        """
        head = bytes((_FORMAT, len(self._current))) + self._current.encode()
        nonce = os.urandom(_NONCE_BYTES)
        key = self._derive(self._current, f"encrypt:{purpose}")
        return head + nonce + AESGCM(key).encrypt(nonce, plaintext.encode(), _associated(head, table, row_id))

    def decrypt(self, purpose: str, table: str, row_id: object, blob: bytes) -> str:
        """The plaintext.

        Raises:
            SecretUnreadable: unknown key, another row's blob, or a damaged one.
        """
        if len(blob) < 2 or blob[0] != _FORMAT:
            raise SecretUnreadable("not a blob of this vault")
        body_at = 2 + blob[1]
        head, key_id = blob[:body_at], blob[2:body_at].decode(errors="replace")
        if key_id not in self._keys:
            raise SecretUnreadable(f"secret key {key_id!r} is not in AIROUTER_SECRET_KEYS")
        nonce, ciphertext = blob[body_at : body_at + _NONCE_BYTES], blob[body_at + _NONCE_BYTES :]
        key = self._derive(key_id, f"encrypt:{purpose}")
        try:
            return AESGCM(key).decrypt(nonce, ciphertext, _associated(head, table, row_id)).decode()
        except (InvalidTag, ValueError):
            raise SecretUnreadable(f"the secret does not belong to {table} {row_id}, or was changed") from None

    def is_current(self, blob: bytes) -> bool:
        """Whether the blob was made with the current key: what a rotation looks for."""
        return blob[2 : 2 + blob[1]].decode(errors="replace") == self._current

    def mac(self, purpose: str, data: bytes) -> bytes:
        """A keyed hash (HMAC-SHA256) under the current key."""
        return hmac.digest(self._derive(self._current, f"mac:{purpose}"), data, "sha256")

    def macs(self, purpose: str, data: bytes) -> tuple[bytes, ...]:
        """The same under every key, the current one first: what to look for while a rotation is under way."""
        return tuple(hmac.digest(self._derive(key_id, f"mac:{purpose}"), data, "sha256") for key_id in self._keys)

    def verifies(self, purpose: str, data: bytes, mac: bytes) -> bool:
        """Whether `mac` was made from `data` under any key. Takes the same time whatever differs."""
        return sum(hmac.compare_digest(mac, own) for own in self.macs(purpose, data)) > 0

    def signing_key(self, purpose: str) -> tuple[str, bytes]:
        """(key id, key) to sign with."""
        return self._current, self._derive(self._current, f"sign:{purpose}")

    def verifying_key(self, purpose: str, key_id: str) -> bytes | None:
        """The key that `signing_key` gave out under this id; None when it is not configured any more."""
        return self._derive(key_id, f"sign:{purpose}") if key_id in self._keys else None

    def _derive_uncached(self, key_id: str, info: str) -> bytes:
        """RFC 5869. The root keys are uniformly random, so no salt is needed."""
        hkdf = HKDF(algorithm=SHA256(), length=_SUBKEY_BYTES, salt=None, info=f"airouter/1/{info}".encode())
        return hkdf.derive(self._keys[key_id])


def _associated(head: bytes, table: str, row_id: object) -> bytes:
    return head + b"\0" + table.encode() + b"\0" + str(row_id).encode()
