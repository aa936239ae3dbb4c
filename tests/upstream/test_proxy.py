"""Through a proxy that tunnels, asks for a password, and is at an address that the guard judges; and the time of a
whole call.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest

from airouter.upstream.contract import AddressRefused, BrokenOff, ConnectFailed, TotalTimeout, UpstreamClient
from airouter.upstream.httpx_client import HttpxClient
from airouter.upstream.proxies import ProxyClients, checked_proxy
from airouter.upstream.tls import tls_context
from airouter.upstream.total import BoundedAnswer, send_within
from tests.listening import listening
from tests.upstream.calls import PATIENT, fetch, request_to
from tests.upstream.certificates import Authority
from tests.upstream.conftest import MakeClient, guard
from tests.upstream.server import Line, running

LOGIN = "router:p@ss:w0rd"
ENCODED = "router:p%40ss%3Aw0rd"


class Proxy(msgspec.Struct):
    """What a proxy saw."""

    port: int = 0
    asked: list[str] = []
    logins: list[str | None] = []


@asynccontextmanager
async def tunnelling() -> AsyncIterator[Proxy]:
    """A proxy that tunnels (CONNECT) to this machine, whatever name is asked for, for whoever has the password."""
    proxy = Proxy()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while (data := await source.read(65_536)) and not sink.is_closing():
                sink.write(data)
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        login = headers.get("proxy-authorization")
        proxy.asked.append(head[0])
        proxy.logins.append(login and base64.b64decode(login.removeprefix("Basic ")).decode())
        if proxy.logins[-1] != LOGIN:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            return
        port = int(head[0].split()[1].rpartition(":")[2])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        finally:
            far_writer.close()

    async with listening(serve) as proxy.port:
        yield proxy


async def hello(line: Line) -> None:
    await line.json(b'"hello"')


async def test_encrypted_upstream_is_reached_through_the_tunnel_and_proves_its_own_name(authority: Authority) -> None:
    async with running(hello, authority.server_context("provider.test")) as upstream, tunnelling() as proxy:
        client = HttpxClient(
            guard(), tls=tls_context(str(authority.file)), proxy=f"http://{ENCODED}@proxy.test:{proxy.port}"
        )
        request = request_to(upstream, scheme="https")
        assert await fetch(client, request) == b'"hello"'
        assert await fetch(client, request) == b'"hello"'
        await client.close()
        assert proxy.asked == [f"CONNECT provider.test:{upstream.port} HTTP/1.1"]
        assert proxy.logins == [LOGIN]
        assert "proxy-authorization" not in upstream.received[0].headers
    async with running(hello, authority.server_context("other.test")) as upstream, tunnelling() as proxy:
        client = HttpxClient(
            guard(), tls=tls_context(str(authority.file)), proxy=f"http://{ENCODED}@proxy.test:{proxy.port}"
        )
        with pytest.raises(Exception, match="certificate") as refused:
            await fetch(client, request_to(upstream, scheme="https"))
        assert type(refused.value).__name__ == "TlsFailed"
        await client.close()


async def test_proxy_that_refuses_the_password_is_no_connection_and_the_error_does_not_say_it() -> None:
    async with tunnelling() as proxy:
        client = HttpxClient(guard(), tls=tls_context(), proxy=f"http://router:wrong-secret@proxy.test:{proxy.port}")
        with pytest.raises(ConnectFailed) as failed:
            await client.send(request_to(443, scheme="https"), PATIENT)
        assert "wrong-secret" not in str(failed.value)
        await client.close()


async def test_each_proxy_has_one_client_until_all_are_closed() -> None:
    async with running(hello) as proxy:
        clients = ProxyClients(guard())
        address, shown = checked_proxy(f"http://{ENCODED}@proxy.test:{proxy.port}")
        assert shown == f"http://proxy.test:{proxy.port}"
        assert clients.of(address) is clients.of(address)
        assert await fetch(clients.of(address), request_to(8000, path="/v1/x")) == b'"hello"'
        assert proxy.received[0].line == "POST http://provider.test:8000/v1/x HTTP/1.1"
        await clients.close()
        with pytest.raises(ConnectFailed):
            clients.of(address)


async def test_a_proxy_that_nobody_names_any_more_is_left_after_its_last_answer() -> None:
    async with running(hello) as proxy:
        clients = ProxyClients(guard())
        kept, gone = (checked_proxy(f"http://{user}@proxy.test:{proxy.port}")[0] for user in ("stays", "leaves"))
        staying, leaving = clients.of(kept), clients.of(gone)
        await fetch(staying, request_to(8000))
        answer = await leaving.send(request_to(8000), PATIENT)
        clients.keep({kept})
        assert clients.of(kept) is staying
        assert await answer.read(1000) == b'"hello"', "what is under way is not cut"
        answer.close()
        while proxy.open > 1:
            await asyncio.sleep(0.005)
        with pytest.raises(ConnectFailed):
            await leaving.send(request_to(8000), PATIENT)
        assert clients.of(gone) is not leaving, "named again, it is opened anew"
        clients.keep({kept})
        await clients.close()


async def test_a_proxy_that_is_left_is_closed_with_the_others_although_its_answer_is_not_read() -> None:
    async with running(hello) as proxy:
        clients = ProxyClients(guard())
        address = checked_proxy(f"http://proxy.test:{proxy.port}")[0]
        answer = await clients.of(address).send(request_to(8000), PATIENT)
        clients.keep(())
        await clients.close()
        answer.close()


async def test_a_proxy_that_is_left_in_the_moment_of_closing_is_closed_with_the_others() -> None:
    async with running(hello) as proxy:
        clients = ProxyClients(guard())
        await fetch(clients.of(checked_proxy(f"http://proxy.test:{proxy.port}")[0]), request_to(8000))
        assert proxy.open == 1
        clients.keep(())
        await clients.close()
        while proxy.open:
            await asyncio.sleep(0.005)


async def test_proxy_at_a_forbidden_address_is_not_connected_to() -> None:
    clients = ProxyClients(guard())
    with pytest.raises(AddressRefused):
        await fetch(clients.of(checked_proxy("http://169.254.169.254:80")[0]), request_to(8000))
    await clients.close()


@pytest.mark.parametrize(
    ("text", "connect_with", "shown"),
    [
        ("http://proxy.test", "http://proxy.test:80", "http://proxy.test:80"),
        ("https://proxy.test/", "https://proxy.test:443", "https://proxy.test:443"),
        ("http://u:p@[::1]:3128", "http://u:p@[::1]:3128", "http://[::1]:3128"),
        ("http://u@proxy.test:8080", "http://u@proxy.test:8080", "http://proxy.test:8080"),
    ],
)
async def test_address_of_a_proxy_is_shown_without_who_uses_it(text: str, connect_with: str, shown: str) -> None:
    assert checked_proxy(text) == (connect_with, shown)


@pytest.mark.parametrize(
    "text",
    ["", "proxy.test:3128", "socks5://proxy.test:1080", "http://", "http://proxy.test/path", "http://proxy.test:0x1",
     "http://proxy.test:99999", "http://proxy.test?x=1", "http://pro xy.test", "http://prøxy.test"],
)  # fmt: skip
async def test_what_is_no_proxy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"proxy|[pP]ort"):
        checked_proxy(text)


async def test_whole_call_ends_after_its_time_although_something_always_arrives(make_client: MakeClient) -> None:
    async def drip(line: Line) -> None:
        await line.stream()
        while True:
            await line.chunk(b"x")
            await asyncio.sleep(0.002)

    client: UpstreamClient = make_client()
    async with running(drip) as upstream:
        answer = await send_within(60, client, request_to(upstream), PATIENT)
        assert await answer.chunk() != b""
        answer._deadline = asyncio.get_running_loop().time() + 0.1  # rather than hoping that the head takes less
        with pytest.raises(TotalTimeout) as late:
            await answer.read(10_000_000)
        assert not late.value.before_first_byte
        assert late.value.code == "total_timeout"
        with pytest.raises(TotalTimeout):
            await answer.chunk()
        answer.close()
        while upstream.open:  # the upstream notices
            await asyncio.sleep(0.005)


async def test_an_answer_that_was_given_up_is_not_read_again_although_its_time_seems_not_over() -> None:
    """The timer of a loop may be a tick early."""
    asked: list[bytes] = []

    class Interrupted:
        status = 200
        headers = ()

        async def chunk(self) -> bytes:
            asked.append(b"")
            raise TimeoutError

    inner: Any = Interrupted()
    answer = BoundedAnswer(inner, asyncio.get_running_loop().time() + 60)
    for _ in range(2):
        with pytest.raises(TotalTimeout):
            await answer.chunk()
    assert len(asked) == 1


async def test_head_that_does_not_come_in_the_time_of_the_whole_call_is_the_same(make_client: MakeClient) -> None:
    client: UpstreamClient = make_client()
    async with running(Line.gone) as upstream:
        with pytest.raises(TotalTimeout) as late:
            await send_within(0.1, client, request_to(upstream), PATIENT)
        assert late.value.before_first_byte
        while upstream.open:
            await asyncio.sleep(0.005)


async def test_call_within_its_time_is_what_it_was(make_client: MakeClient) -> None:
    client: UpstreamClient = make_client()
    async with running(hello) as upstream:
        answer = await send_within(60, client, request_to(upstream), PATIENT)
        assert (answer.status, await answer.read(100)) == (200, b'"hello"')
        answer.close()

    async def torn(line: Line) -> None:
        await line.stream()
        await line.chunk(b"x")
        line.reset()

    async with running(torn) as upstream:
        answer = await send_within(60, client, request_to(upstream), PATIENT)
        with pytest.raises(BrokenOff):
            await answer.read(100)
        answer.close()
