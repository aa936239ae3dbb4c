"""Tokens that travel in mail: random, kept as keyed hashes only, found under every key that is configured."""

import base64
import os
from typing import Final

from airouter.services.vault import Vault

_TOKEN_BYTES: Final = 32
_PURPOSE: Final = "mailed-token"


class MailedTokens:
    """Makes them, and the links that carry them."""

    def __init__(self, vault: Vault, console_url: str) -> None:
        self._vault = vault
        self._console_url = console_url

    def new(self) -> tuple[str, bytes]:
        """(token, its hash)."""
        token = base64.urlsafe_b64encode(os.urandom(_TOKEN_BYTES)).decode().rstrip("=")
        return token, self.hashes(token)[0]

    def hashes(self, token: str) -> tuple[bytes, ...]:
        """What to look for."""
        return self._vault.macs(_PURPOSE, token.encode())

    def link(self, page: str, token: str) -> str:
        """To a page of the console. Behind the `#`: it reaches no server's log and no referrer."""
        return f"{self._console_url}/{page}#{token}"
