"""A whole body out of its pieces."""

from collections.abc import Awaitable, Callable

from airouter.upstream.contract import AnswerTooLarge


async def read_whole(chunk: Callable[[], Awaitable[bytes]], limit_bytes: int) -> bytes:
    """Everything that `chunk` gives until it gives nothing. Raises AnswerTooLarge beyond the limit, and as `chunk`."""
    parts: list[bytes] = []
    size = 0
    while data := await chunk():
        size += len(data)
        if size > limit_bytes:
            raise AnswerTooLarge(limit_bytes)
        parts.append(data)
    return b"".join(parts)
