"""Media that lie behind a link, for providers that take data only: the gateway fetches them, and puts the data in."""

from collections.abc import Iterator, Mapping

import msgspec

from airouter.translation.conversation import Conversation, Media, Part, ToolResult
from airouter.translation.support import TAKES_LINKS, Dialect


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What lay behind a link: its media type as the server said it, and base64."""

    media_type: str
    data: str


def links_of(conversation: Conversation, provider: Dialect) -> list[str]:
    """The links that have to be fetched for this provider, each once."""
    kinds = TAKES_LINKS[provider]
    found = {media.url: None for media in media_of(conversation) if media.url is not None and media.kind not in kinds}
    return list(found)


def with_data(conversation: Conversation, fetched: Mapping[str, Fetched]) -> Conversation:
    """The same conversation, with what was fetched instead of its links."""
    turns = tuple(
        msgspec.structs.replace(turn, parts=tuple(_replaced(part, fetched) for part in turn.parts))
        for turn in conversation.turns
    )
    return msgspec.structs.replace(conversation, turns=turns)


def media_of(conversation: Conversation) -> Iterator[Media]:
    """Everything that is no text, also in results of tools."""
    for turn in conversation.turns:
        for part in turn.parts:
            if isinstance(part, Media):
                yield part
            elif isinstance(part, ToolResult):
                yield from (inner for inner in part.content if isinstance(inner, Media))


def _replaced(part: Part, fetched: Mapping[str, Fetched]) -> Part:
    if isinstance(part, Media):
        return _put(part, fetched)
    if isinstance(part, ToolResult):
        content = tuple(_put(inner, fetched) if isinstance(inner, Media) else inner for inner in part.content)
        return msgspec.structs.replace(part, content=content)
    return part


def _put(media: Media, fetched: Mapping[str, Fetched]) -> Media:
    found = fetched.get(media.url or "")
    if found is None:
        return media
    return msgspec.structs.replace(media, url=None, media_type=found.media_type, data=found.data)
