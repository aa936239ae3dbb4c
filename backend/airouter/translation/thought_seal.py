"""A vendor's proof of a thought, in a place where clients of another dialect keep what they do not understand.

Anthropic signs its thoughts, Gemini its tool calls, OpenAI encrypts its reasoning, and each wants its own back in the
next request. Clients of every dialect return one opaque text with a thought; ours holds what the vendor gave, so that
it finds its way back unharmed. It is no secret and no proof to us: the vendor checks its own.
"""

import base64
import binascii
from typing import Final

import msgspec

from airouter.translation.conversation import Reasoning
from airouter.translation.support import Dialect

_PREFIX: Final = "airouter."


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    vendor: Dialect
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
    kept = msgspec.json.encode(_Kept(vendor=vendor, text=text, signature=signature, sealed=sealed))
    return _PREFIX + base64.urlsafe_b64encode(kept).decode()


def opened(text: str | None) -> Reasoning | None:
    """The thought that a client brings back; None for what we did not seal."""
    if text is None or not text.startswith(_PREFIX):
        return None
    try:
        kept = _KEPT.decode(base64.urlsafe_b64decode(text.removeprefix(_PREFIX)))
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        return None
    return Reasoning(text=kept.text, signature=kept.signature, sealed=kept.sealed, vendor=kept.vendor)
