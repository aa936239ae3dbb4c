"""OpenAI's conversations: only their name concerns us."""

from typing import Final

import msgspec

from airouter.wire.decoding import UNREADABLE


class _Conversation(msgspec.Struct, frozen=True):
    id: str = ""


_CONVERSATIONS: Final = msgspec.json.Decoder(_Conversation)


def conversation_name(body: bytes) -> str | None:
    """What a provider calls the conversation it describes; None: it describes none."""
    try:
        return _CONVERSATIONS.decode(body).id or None
    except UNREADABLE:
        return None
