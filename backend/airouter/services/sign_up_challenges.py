"""Challenges: what a browser does before it may join, so that joining in bulk costs something.

Proof of work is ours and needs nobody else: a signed, short-lived puzzle that is kept nowhere until it is spent.

    GET it    POST /auth/challenge          {"challenge": "<puzzle>", "bits": 18, …}
    solve it  find text s such that SHA-256("<puzzle>:s") begins with that many zero bits
    show it   "challenge": "<puzzle>:s"     in the body of the request that it is for

A Turnstile-compatible widget makes its own answer, which its verifier is asked about.
"""

import base64
import hashlib
import os
import struct
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import httpx
import msgspec

from airouter.domain.policy import SignUp
from airouter.domain.sign_up_errors import ChallengeFailed, ChallengeRequired, ChallengeUnavailable
from airouter.services.instance_secrets import InstanceSecrets
from airouter.services.vault import Vault
from airouter.storage.database import Database
from airouter.storage.registrations import spend_challenge
from airouter.world import now

LIFETIME: Final = timedelta(minutes=10)
ANSWER_LENGTH_MAX: Final = 4096

Purpose = Literal["register"]
_PURPOSE: Final = "sign-up-challenge"
_HEAD: Final = struct.Struct(">BQ12s")  # bits, expiry in Unix seconds, chance
_MAC_BYTES: Final = 32
_VERIFIER_SECONDS: Final = 10.0


class Puzzle(msgspec.Struct, frozen=True, kw_only=True):
    """A proof of work to be done."""

    challenge: str
    bits: int
    expires_in_seconds: int


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    bits: int
    expires_at: datetime
    raw: bytes


class _Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """https://developers.cloudflare.com/turnstile/get-started/server-side-validation/ (read 2026-01)."""

    success: bool = False


class SignUpChallenges:
    """Gives them out, and looks at the answers."""

    def __init__(self, database: Database, vault: Vault, secrets: InstanceSecrets, http: httpx.AsyncClient) -> None:
        self._database = database
        self._vault = vault
        self._secrets = secrets
        self._http = http

    def puzzle(self, purpose: Purpose, bits: int) -> Puzzle:
        """A fresh one. It says everything about itself, so that any process can check it."""
        expires = int((now() + LIFETIME).timestamp())
        head = _HEAD.pack(bits, expires, os.urandom(12))
        mac = self._vault.mac(f"{_PURPOSE}:{purpose}", head)
        text = base64.urlsafe_b64encode(head + mac).decode().rstrip("=")
        return Puzzle(challenge=text, bits=bits, expires_in_seconds=int(LIFETIME.total_seconds()))

    async def check(self, policy: SignUp, purpose: Purpose, answer: str | None, address: str) -> None:
        """Returns when the policy's challenge is solved by `answer`, which no later call can use again.

        Raises:
            ChallengeRequired, ChallengeFailed, ChallengeUnavailable
        """
        if policy.challenge == "none":
            return
        if not answer:
            raise ChallengeRequired(field="challenge")
        if len(answer) > ANSWER_LENGTH_MAX:
            raise ChallengeFailed(field="challenge")
        if policy.challenge == "proof_of_work":
            await self._check_work(purpose, answer)
        else:
            await self._ask_verifier(policy, answer, address)

    async def _check_work(self, purpose: Purpose, answer: str) -> None:
        puzzle = self._read(purpose, answer.partition(":")[0])
        zeros = 256 - int.from_bytes(hashlib.sha256(answer.encode()).digest(), "big").bit_length()
        # The bits are the puzzle's own: a policy that was tightened meanwhile does not fail who is at work already.
        if puzzle is None or puzzle.expires_at <= now() or zeros < puzzle.bits:
            raise ChallengeFailed(field="challenge")
        async with self._database.connection() as connection:
            if not await spend_challenge(connection, hashlib.sha256(puzzle.raw).digest(), puzzle.expires_at):
                raise ChallengeFailed(field="challenge")

    def _read(self, purpose: Purpose, text: str) -> _Read | None:
        """None: not made here, or for another purpose."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
            bits, expires, _ = _HEAD.unpack(raw[:-_MAC_BYTES])
        except (ValueError, struct.error):
            return None
        if not self._vault.verifies(f"{_PURPOSE}:{purpose}", raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]):
            return None
        return _Read(bits=bits, expires_at=datetime.fromtimestamp(expires, UTC), raw=raw)

    async def _ask_verifier(self, policy: SignUp, answer: str, address: str) -> None:
        secret = await self._secrets.get("turnstile")
        if secret is None or policy.turnstile_verify_url is None:
            raise ChallengeUnavailable
        form = {"secret": secret, "response": answer, "remoteip": address}
        try:
            said = await self._http.post(policy.turnstile_verify_url, data=form, timeout=_VERIFIER_SECONDS)
            said.raise_for_status()
            verdict = msgspec.json.decode(said.content, type=_Verdict)
        except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError) as error:
            raise ChallengeUnavailable from error
        if not verdict.success:
            raise ChallengeFailed(field="challenge")


def solve(puzzle: Puzzle) -> str:
    """The answer, found as a browser finds it. For tests and scripts."""
    prefix = hashlib.sha256(f"{puzzle.challenge}:".encode())
    for number in range(1 << 62):
        attempt: Any = prefix.copy()
        attempt.update(str(number).encode())
        if 256 - int.from_bytes(attempt.digest(), "big").bit_length() >= puzzle.bits:
            return f"{puzzle.challenge}:{number}"
    raise AssertionError("there is always an answer")
