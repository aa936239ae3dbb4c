"""E-mail addresses: what can be one, and which of them are the same.

People are found by their address, so two spellings are one only where mail makes no difference between them: the case
of letters, composed and decomposed letters, and all the ways in which a domain can be written. Letters that merely look
alike stay different; and what mail would not carry, or not show, is no address here.

Sources: RFC 5321 section 4.1.2, RFC 6531 section 3.3, RFC 5891; Unicode Standard Annex 15.
"""

import re
import unicodedata
from typing import Final

LENGTH_MAX: Final = 254
_LOCAL: Final = re.compile(r'[^\x00-\x20\x7f@"(),:;<>\[\]\\]{1,64}')
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN: Final = re.compile(rf"(?:{_LABEL}\.)+(?=.*[a-z]){_LABEL}")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
"""Unicode's categories of characters that nobody sees: an address with one looks like another."""


def normal(email: str) -> str:
    """How addresses are compared and found."""
    local, at, domain = _composed(email).rpartition("@")
    return f"{local.lower()}{at}{normal_domain(domain)}"


def domain_of(email: str) -> str:
    """Where mail to it goes, as `normal_domain` writes it."""
    return normal_domain(_composed(email).rpartition("@")[2])


def normal_domain(domain: str) -> str:
    """As mail servers are looked up: `BÜCHER.example` is `xn--bcher-kva.example`, and so are its wide letters."""
    try:
        return domain.strip().encode("idna").decode().lower()
    except UnicodeError:
        return domain.strip().lower()


def is_address(email: str) -> bool:
    """Whether mail could go there. Whether somebody reads it, only mail can tell."""
    local, _, domain = _composed(email).rpartition("@")
    return (
        len(email.strip()) <= LENGTH_MAX
        and _LOCAL.fullmatch(local) is not None
        and not any(unicodedata.category(letter) in _UNSEEN for letter in local)
        and unicodedata.normalize("NFKC", local) == local
        and not any(_is_disguised(letter) for letter in email)
        and _DOMAIN.fullmatch(normal_domain(domain)) is not None
    )


def _is_disguised(letter: str) -> bool:
    """Whether it is written for an ASCII letter: U+212A, the sign for kelvin, becomes the letter k in small."""
    return not letter.isascii() and unicodedata.normalize("NFKC", letter).isascii()


def _composed(email: str) -> str:
    return unicodedata.normalize("NFC", email.strip())
