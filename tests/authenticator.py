"""An authenticator in memory: what a phone or a security key would answer, and what a crooked one would."""

import base64
import hashlib
import json
import os
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_USER_PRESENT, _USER_VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """Holds one key pair for one site. Its answers can be bent by keyword."""

    def __init__(self, origin: str, rp_id: str) -> None:
        self.origin = origin
        self.rp_id = rp_id
        self.credential_id = os.urandom(32)
        self.user_handle = b""
        self.sign_count = 0
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: dict[str, Any], *, origin: str | None = None, verified: bool = True) -> dict[str, Any]:
        """The answer to creation options."""
        self.user_handle = unb64(options["user"]["id"])
        client_data = self._client_data("webauthn.create", options["challenge"], origin)
        numbers = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(cose)
        data = self._authenticator_data(_ATTESTED | (_USER_VERIFIED if verified else 0), self.rp_id) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(
            {"clientDataJSON": b64(client_data), "attestationObject": b64(attestation), "transports": ["internal"]}
        )

    def answer(
        self,
        options: dict[str, Any],
        *,
        origin: str | None = None,
        rp_id: str | None = None,
        challenge: str | None = None,
        verified: bool = True,
        counts: bool = True,
    ) -> dict[str, Any]:
        """The answer to request options."""
        self.sign_count += 1 if counts else 0
        client_data = self._client_data("webauthn.get", challenge or options["challenge"], origin)
        data = self._authenticator_data(_USER_VERIFIED if verified else 0, rp_id or self.rp_id)
        signature = self._key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": b64(client_data),
                "authenticatorData": b64(data),
                "signature": b64(signature),
                "userHandle": b64(self.user_handle),
            }
        )

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        name = b64(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def _client_data(self, kind: str, challenge: str, origin: str | None) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": origin or self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _authenticator_data(self, flags: int, rp_id: str) -> bytes:
        head = hashlib.sha256(rp_id.encode()).digest()
        return head + bytes([_USER_PRESENT | flags]) + self.sign_count.to_bytes(4, "big")


def b64(raw: bytes) -> str:
    """Base64url without padding, as browsers write it."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
