"""What the client over httpx can do beyond the contract: proxies."""

from collections.abc import Sequence

import pytest

from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.contract import AddressRefused, ConnectFailed
from airouter.upstream.httpx_client import HttpxClient
from airouter.upstream.tls import tls_context
from tests.upstream.calls import PATIENT, fetch, request_to
from tests.upstream.conftest import guard
from tests.upstream.server import Line, running


async def hello(line: Line) -> None:
    await line.json(b"1")


async def test_proxy_is_asked_for_the_whole_address() -> None:
    async with running(hello) as proxy:
        client = HttpxClient(guard(), tls=tls_context(), proxy=f"http://proxy.test:{proxy.port}")
        assert await fetch(client, request_to(8000, path="/v1/x?a=1")) == b"1"
        assert proxy.received[0].line == "POST http://provider.test:8000/v1/x?a=1 HTTP/1.1"
        await client.close()


async def test_proxy_is_asked_for_a_tunnel_to_encrypted_upstreams() -> None:
    async with running(lambda line: line.raw(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n")) as proxy:
        client = HttpxClient(guard(), tls=tls_context(), proxy=f"http://proxy.test:{proxy.port}")
        with pytest.raises(ConnectFailed):
            await client.send(request_to(443, scheme="https"), PATIENT)
        assert [one.line for one in proxy.received] == ["CONNECT provider.test:443 HTTP/1.1"]
        await client.close()


async def test_guard_judges_the_address_of_the_proxy() -> None:
    async def inside(_host: str, _port: int) -> Sequence[str]:
        return ["169.254.169.254"]

    strict = AddressGuard(AddressClass.OPERATOR, AddressPolicy(private_allowed=True), inside)
    client = HttpxClient(strict, tls=tls_context(), proxy="http://proxy.test:3128")
    with pytest.raises(AddressRefused):
        await client.send(request_to(8000), PATIENT)
    await client.close()
