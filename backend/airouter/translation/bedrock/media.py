"""Media as Converse takes them: under a word for their format instead of a media type, documents with a name."""

import re
from collections.abc import Mapping
from typing import Any, Final

from airouter.translation.conversation import Media, MediaKind
from airouter.translation.support import NotTranslatable

_FORMATS: Final[Mapping[MediaKind, Mapping[str, str]]] = {
    "image": {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"},
    "document": {
        "application/pdf": "pdf",
        "text/csv": "csv",
        "application/msword": "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
        "application/vnd.ms-excel": "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
        "text/html": "html",
        "text/plain": "txt",
        "text/markdown": "md",
    },
    "video": {
        "video/x-matroska": "mkv",
        "video/quicktime": "mov",
        "video/mp4": "mp4",
        "video/webm": "webm",
        "video/x-flv": "flv",
        "video/mpeg": "mpeg",
        "video/x-ms-wmv": "wmv",
        "video/3gpp": "three_gp",
    },
    "audio": {
        "audio/mpeg": "mp3",
        "audio/mp3": "mp3",
        "audio/wav": "wav",
        "audio/x-wav": "wav",
        "audio/aac": "aac",
        "audio/flac": "flac",
        "audio/ogg": "ogg",
        "audio/opus": "opus",
        "audio/mp4": "mp4",
        "audio/m4a": "m4a",
        "audio/webm": "webm",
        "audio/pcm": "pcm",
    },
}
"""Media type -> the word for it (API reference of Bedrock: ImageBlock, DocumentBlock, VideoBlock, AudioBlock; 2026)."""
_USUAL: Final[Mapping[MediaKind, str]] = {"image": "png", "document": "pdf", "audio": "wav", "video": "mp4"}
"""Of what comes without a media type."""
_NOT_IN_NAMES: Final = re.compile(r"[^0-9A-Za-z\-()\[\]]+")
_NAME_MAX: Final = 200


class MediaBlocks:
    """The media of one request: names of documents must differ within it."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def block(self, media: Media) -> dict[str, Any]:
        """The content block.

        Raises:
            NotTranslatable: there is no word for its format.
        """
        found: dict[str, Any] = {"format": _format(media), "source": {"bytes": media.data or ""}}
        if media.kind == "document":
            found["name"] = self._name(media.name)
        return {media.kind: found}

    def _name(self, given: str | None) -> str:
        """What the document is called, in the characters that are allowed, and once."""
        plain = _NOT_IN_NAMES.sub(" ", given or "").strip()[:_NAME_MAX] or "Document"
        name, number = plain, 1
        while name in self._names:
            number += 1
            name = f"{plain[: _NAME_MAX - 12]} {number}"
        self._names.add(name)
        return name


def _format(media: Media) -> str:
    given = (media.media_type or "").partition(";")[0].strip().lower()
    if not given:
        return _USUAL[media.kind]
    found = _FORMATS[media.kind].get(given)
    if found is None and media.kind == "document" and given.startswith("text/"):
        return "txt"
    if found is None:
        raise NotTranslatable(f"The provider of this model takes no {media.kind} of type {given}.", field="messages")
    return found
