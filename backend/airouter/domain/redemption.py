"""Redemption codes: 130 random bits that people can type, with a checksum that finds most typing errors; and campaign
codes, whose words an operator chose.
"""

import re
import unicodedata
from datetime import datetime
from typing import Final

import msgspec

from airouter.domain.errors import (
    CodeAlreadyRedeemed,
    CodeExpired,
    CodeNotForGroup,
    CodeRevoked,
    CodeUsesExhausted,
    InvalidRequest,
)
from airouter.domain.ids import BatchId, CodeId

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O and U, which people read as something else."""
PAYLOAD_LENGTH: Final = 26
RANDOM_BITS: Final = 130
CAMPAIGN_LENGTH_MAX: Final = 64
_CHECK_LENGTH: Final = 2
_CHECK_MODULUS: Final = 1021
"""The largest prime below 32 x 32."""
_GROUP_LENGTH: Final = 4
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "_": ""})
_UNSEEN: Final = frozenset({"Cc", "Cf", "Pd", "Zl", "Zp", "Zs"})
"""Unicode categories of what is dropped: spaces and dashes of every kind, and what cannot be seen."""
_CAMPAIGN: Final = re.compile(r"(?=.{3,64}\Z)[A-Za-z0-9]+(-[A-Za-z0-9]+)*")


def code_from(draw: int) -> str:
    """The code of 130 random bits, as people see it: `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`."""
    payload = _digits(draw & ((1 << RANDOM_BITS) - 1), PAYLOAD_LENGTH)
    whole = payload + _check(payload)
    return "-".join(whole[at : at + _GROUP_LENGTH] for at in range(0, len(whole), _GROUP_LENGTH))


def normal_form(typed: str) -> str | None:
    """What was meant by a random code: spaces, dashes and case do not matter, and O is 0. None: this can be none."""
    code = _plain(typed)
    if not _is_of_random_shape(code):
        return None
    payload = code[:PAYLOAD_LENGTH]
    return code if code[PAYLOAD_LENGTH:] == _check(payload) else None


def is_mistyped(typed: str) -> bool:
    """Whether this is as long as a random code, and a letter of it is wrong. It needs no look-up, so it is no guess."""
    return _is_of_random_shape(_plain(typed)) and normal_form(typed) is None


def campaign_form(typed: str) -> str | None:
    """What was meant by a campaign code, read as leniently as a random one. None: this can be none."""
    code = _plain(typed)
    is_one = 3 <= len(code) <= CAMPAIGN_LENGTH_MAX and code.isascii() and code.isalnum()
    return code if is_one and not _is_of_random_shape(code) else None


def check_campaign(text: str) -> str:
    """The normal form of the words that an operator chose.

    Raises:
        InvalidRequest
    """
    form = campaign_form(text)
    if form is None or not _CAMPAIGN.fullmatch(text):
        raise InvalidRequest(
            "code: 3 to 64 letters and digits, with single dashes between them, and not like a code drawn at random.",
            field="code",
        )
    return form


def _plain(typed: str) -> str:
    """Full-width characters are their narrow ones (NFKC)."""
    seen = (letter for letter in unicodedata.normalize("NFKC", typed) if unicodedata.category(letter) not in _UNSEEN)
    return "".join(seen).upper().translate(_MISREAD)


def _is_of_random_shape(code: str) -> bool:
    return len(code) == PAYLOAD_LENGTH + _CHECK_LENGTH and set(code) <= set(ALPHABET)


def _check(payload: str) -> str:
    number = 0
    for letter in payload:
        number = number * len(ALPHABET) + ALPHABET.index(letter)
    return _digits(number % _CHECK_MODULUS, _CHECK_LENGTH)


def _digits(number: int, length: int) -> str:
    found = ""
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        found = ALPHABET[digit] + found
    return found


class Code(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code with the rules of its batch, as it stands, and how often the account that asks has used it."""

    code_id: CodeId
    batch_id: BatchId
    amount: int
    uses: int
    uses_per_code: int
    uses_by_account: int
    uses_per_account: int
    groups: tuple[str, ...] | None
    expires_at: datetime | None
    is_revoked: bool

    def check(self, account_group: str, now: datetime) -> None:
        """Whether the account may redeem it now. Its own earlier use is told first: a double click is no mystery.

        Raises:
            CodeAlreadyRedeemed, CodeRevoked, CodeExpired, CodeNotForGroup, CodeUsesExhausted
        """
        if self.uses_by_account >= self.uses_per_account:
            raise CodeAlreadyRedeemed("You have redeemed this code already.", by_you=True)
        if self.is_revoked:
            raise CodeRevoked
        if self.expires_at is not None and now >= self.expires_at:
            raise CodeExpired
        if self.groups is not None and account_group not in self.groups:
            raise CodeNotForGroup
        if self.uses >= self.uses_per_code:
            if self.uses_per_code == 1:
                raise CodeAlreadyRedeemed(by_you=False)
            raise CodeUsesExhausted
