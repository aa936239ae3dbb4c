"""Media behind links: fetched within bounds, and never from inside the network (guarantee G13)."""

import base64

import httpx
import pytest

from airouter.gateway import media
from airouter.gateway.media import MediaFetcher, MediaNotFetched
from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.guarded import guarded_client
from tests.upstream.server import Line, running

PICTURE = b"\x89PNG not really"


async def picture(line: Line) -> None:
    path = line.received.line.split(" ")[1]
    if path == "/moved":
        await line.raw(b"HTTP/1.1 302 Found\r\nLocation: /picture\r\nContent-Length: 0\r\n\r\n")
    elif path == "/large":
        await line.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await line.chunk(b"x" * 3000)
        await line.end()
    else:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: image/png; charset=x\r\nContent-Length: %d\r\n\r\n" % len(PICTURE)
        await line.raw(head + PICTURE)


async def test_what_lies_behind_a_link_comes_with_its_type():
    async with running(picture) as server, httpx.AsyncClient() as client:
        link = f"http://127.0.0.1:{server.port}/picture"
        found = await MediaFetcher(client).fetch([link])
    assert found[link].media_type == "image/png"
    assert base64.b64decode(found[link].data) == PICTURE


@pytest.mark.parametrize(("path", "words"), [("/moved", "redirects are not followed"), ("/large", "larger than")])
async def test_what_is_moved_or_too_large_is_refused_in_words(monkeypatch: pytest.MonkeyPatch, path: str, words: str):
    monkeypatch.setattr(media, "BYTES_MAX", 1000)
    async with running(picture) as server, httpx.AsyncClient() as client:
        with pytest.raises(MediaNotFetched, match=words):
            await MediaFetcher(client).fetch([f"http://127.0.0.1:{server.port}{path}"])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "169.254.169.254", "10.0.0.1"]
)
async def test_nothing_inside_the_network_is_reached(host: str):
    asked: list[str] = []

    async def note(line: Line) -> None:
        asked.append(line.received.line)

    async with running(note) as server:
        client = guarded_client(AddressGuard(AddressClass.PUBLIC, AddressPolicy()))
        with pytest.raises(MediaNotFetched):
            await MediaFetcher(client).fetch([f"http://{host}:{server.port}/picture"])
        await client.aclose()
    assert asked == []


async def test_too_many_links_are_refused_before_any_is_fetched():
    async with httpx.AsyncClient() as client:
        with pytest.raises(MediaNotFetched, match="at most 20"):
            await MediaFetcher(client).fetch([f"http://192.0.2.1/{number}" for number in range(21)])
