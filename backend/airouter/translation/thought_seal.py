"""A vendor's proof of a thought, in a place where clients of another dialect keep what they do not understand.

Anthropic signs its thoughts, Gemini its tool calls, OpenAI encrypts its reasoning, and each wants its own back in the
next request. Clients of every dialect return one opaque text with a thought; ours holds what the vendor gave, so that
it finds its way back unharmed. It is no secret and no proof to us: the vendor checks its own. A thought that came
without a proof is marked all the same where clients expect one: no other vendor may take it for its own.
"""

import base64
import binascii
from typing import Final

import msgspec

from airouter.translation.conversation import Reasoning
from airouter.translation.support import Dialect

_NAME: Final = b"airouter."
_PREFIX: Final = base64.b64encode(_NAME).decode()
"""Its length is a multiple of three: every seal begins so."""
MARK: Final = b'"' + _PREFIX.encode()
"""In the JSON of whoever brings one of ours back."""


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    vendor: Dialect | None = None
    text: str = ""
    signature: str | None = None
    sealed: str | None = None


_KEPT: Final = msgspec.json.Decoder(_Kept)


def sealed_text(
    vendor: Dialect | None, *, text: str = "", signature: str | None = None, sealed: str | None = None
) -> str | None:
    """The opaque text for the client; None where the vendor gave no proof, so that there is nothing to bring back."""
    if vendor is None or (signature is None and sealed is None):
        return None
    return _written(_Kept(vendor=vendor, text=text, signature=signature, sealed=sealed))


def _written(kept: _Kept) -> str:
    """Base64 throughout: Google's clients decode what they are given, and encode it anew in the other alphabet."""
    return base64.b64encode(_NAME + msgspec.json.encode(kept)).decode()


def mark(vendor: Dialect | None) -> str:
    """The opaque text of a thought that has no proof; its words stand beside it."""
    return _written(_Kept(vendor=vendor))


def is_ours(text: object) -> bool:
    """Whether we sealed or marked it, for a client of another dialect than the vendor's."""
    return isinstance(text, str) and text.startswith(_PREFIX)


def opened(text: str | None) -> Reasoning | None:
    """The thought that a client brings back, without words if it is only marked; None for what we did not seal."""
    if text is None or not text.startswith(_PREFIX):
        return None
    try:
        kept = _KEPT.decode(
            base64.b64decode(text, altchars=b"-_" if "-" in text or "_" in text else None)[len(_NAME) :]
        )
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        return None
    return Reasoning(text=kept.text, signature=kept.signature, sealed=kept.sealed, vendor=kept.vendor)
