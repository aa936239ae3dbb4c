"""Names of tools that a vendor would refuse, replaced by ones that it takes, and put back into its answer.

A client may call its tools as the vendor of its own dialect lets it. What another vendor refuses becomes a name made
from it, the same wherever it stands and in every request, so that a conversation can go on.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airouter.translation.conversation import Conversation, Part, ToolCall, ToolResult, Turn
from airouter.translation.plain_ids import plain_name
from airouter.translation.reply import CallBegan, Choice, Event, Reply, SaidPart
from airouter.translation.support import Dialect

_OF_OPENAI: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_TAKEN: Final[Mapping[Dialect, re.Pattern[str]]] = {
    "chat": _OF_OPENAI,
    "responses": _OF_OPENAI,
    "anthropic": re.compile(r"[a-zA-Z0-9_-]{1,128}"),
    "gemini": re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}"),
    "bedrock": _OF_OPENAI,
}
"""What each takes, as its reference or its refusals say (2026); of Cohere nothing is known."""


def made_names(conversation: Conversation, vendor: Dialect) -> dict[str, str]:
    """Each name that the vendor would refuse -> the one in its place. Empty: it takes them all."""
    pattern = _TAKEN.get(vendor)
    if pattern is None:
        return {}
    given = {tool.name for tool in conversation.tools}
    for turn in conversation.turns:
        given.update(part.name for part in turn.parts if isinstance(part, ToolCall | ToolResult) and part.name)
    return {name: plain_name(name) for name in given if name and pattern.fullmatch(name) is None}


def with_made_names(conversation: Conversation, vendor: Dialect) -> Conversation:
    """The conversation as the vendor takes it."""
    made = made_names(conversation, vendor)
    if not made:
        return conversation
    choice = conversation.tool_choice
    return msgspec.structs.replace(
        conversation,
        tools=tuple(_named(tool, made) for tool in conversation.tools),
        tool_choice=None if choice is None else _named(choice, made),
        turns=tuple(
            Turn(role=turn.role, parts=tuple(_named_part(part, made) for part in turn.parts))
            for turn in conversation.turns
        ),
    )


class GivenNames:
    """Puts the client's names back into what the vendor answers to such a conversation."""

    def __init__(self, conversation: Conversation | None, vendor: Dialect) -> None:
        made = {} if conversation is None else made_names(conversation, vendor)
        self._given = {name: given for given, name in made.items()}

    def in_reply(self, reply: Reply) -> Reply:
        """A whole answer."""
        given = self._given
        if not given:
            return reply
        choices = tuple(_with_given(choice, given) for choice in reply.choices)
        return msgspec.structs.replace(reply, choices=choices)

    def in_events(self, events: list[Event]) -> list[Event]:
        """Some of a stream."""
        given = self._given
        if not given:
            return events
        return [_named(event, given) if isinstance(event, CallBegan) else event for event in events]


def _with_given(choice: Choice, given: Mapping[str, str]) -> Choice:
    parts: tuple[SaidPart, ...] = tuple(
        _named(part, given) if isinstance(part, ToolCall) else part for part in choice.parts
    )
    return msgspec.structs.replace(choice, parts=parts)


def _named_part(part: Part, names: Mapping[str, str]) -> Part:
    return _named(part, names) if isinstance(part, ToolCall | ToolResult) else part


def _named(one: Any, names: Mapping[str, str]) -> Any:
    """Whatever has a `name`, with the other one if there is one."""
    other = names.get(one.name) if isinstance(one.name, str) else None
    return one if other is None else msgspec.structs.replace(one, name=other)
