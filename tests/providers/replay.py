"""An upstream that answers with recorded bytes over a real socket, in pieces as odd as the network makes them."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import httpx
import msgspec

from airouter.wire.sse import event_data, split_events
from tests.listening import listening


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What to answer: a status, a media type and a body in pieces. `breaks` cuts the connection before the end."""

    status: int = 200
    content_type: str = "application/json"
    pieces: Sequence[bytes] = ()
    headers: Sequence[tuple[str, str]] = ()
    breaks: bool = False
    pause_seconds: float = 0.0
    heard: asyncio.Event | None = None
    """Nothing follows the first piece before this."""


def torn(body: bytes, seed: int, pieces: int = 8) -> list[bytes]:
    """The body in about so many pieces, cut anywhere."""
    draw = random.Random(seed)
    places = sorted({0, len(body), *(draw.randrange(len(body) + 1) for _ in range(pieces))})
    return [body[start:end] for start, end in pairwise(places)]


async def listened_to(client: httpx.AsyncClient, heard: asyncio.Event, path: str, **request: Any) -> httpx.Response:
    """The whole answer to a POST; `heard` is set as soon as something of it was heard."""
    async with client.stream("POST", path, **request) as answer:
        said = b""
        async for piece in answer.aiter_bytes():
            heard.set()
            said += piece
    return httpx.Response(answer.status_code, headers=answer.headers, content=said)


def error_at(stream: bytes) -> int:
    """Where the event of a stream begins that tells of an error; 0: there is none, or nothing comes before it.

    What the gateway reads together with the error it does not send on: another channel may answer, or a status tells.
    """
    place = 0
    for event in split_events(stream):
        if event_data(event).startswith(b'{"error"'):
            return place
        place += len(event)
    return 0


class Replay:
    """Answers each request with what `choose` says. `received` is what came in, in order."""

    def __init__(self, choose: Callable[[Received], Played]) -> None:
        self.choose = choose
        self.received: list[Received] = []
        self.base_url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, with keep-alive."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await _read(reader)
                self.received.append(request)
                played = self.choose(request)
                await _play(played, writer)
                if played.breaks:
                    break


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(path=head[0].split(" ")[1], headers=headers, body=body)


async def _play(played: Played, writer: asyncio.StreamWriter) -> None:
    lines = [
        f"HTTP/1.1 {played.status} Replayed",
        f"content-type: {played.content_type}",
        "transfer-encoding: chunked",
        *(f"{name}: {value}" for name, value in played.headers),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    for piece in played.pieces:
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
        await asyncio.sleep(played.pause_seconds)
        if played.heard is not None:
            await played.heard.wait()
    if not played.breaks:
        writer.write(b"0\r\n\r\n")
        await writer.drain()


@asynccontextmanager
async def replaying(choose: Callable[[Received], Played]) -> AsyncIterator[Replay]:
    """A replay upstream on a free port of the loopback; its `base_url` ends in /v1."""
    replay = Replay(choose)
    async with listening(replay.serve) as port:
        replay.base_url = f"http://127.0.0.1:{port}/v1"
        yield replay
