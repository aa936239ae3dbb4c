"""The client of the house's own errands."""

from collections.abc import Sequence

import httpx
import pytest

from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.guarded import guarded_client
from airouter.upstream.tls import tls_context
from tests.upstream.conftest import guard
from tests.upstream.server import Line, running


async def test_a_refused_address_is_a_failed_connection_in_httpx_words() -> None:
    async def metadata(_host: str, _port: int) -> Sequence[str]:
        return ["169.254.169.254"]

    strict = AddressGuard(AddressClass.OPERATOR, AddressPolicy(private_allowed=True), metadata)
    async with guarded_client(strict, tls=tls_context()) as client:
        with pytest.raises(httpx.ConnectError, match="may be connected to"):
            await client.get("http://processor.test/")


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async def elsewhere(line: Line) -> None:
        await line.raw(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")

    async with running(elsewhere) as server, guarded_client(guard(), tls=tls_context()) as client:
        answer = await client.get(f"http://processor.test:{server.port}/")
        assert (answer.status_code, len(server.received)) == (302, 1)


async def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def hello(line: Line) -> None:
        await line.json(b"1")

    async with running(hello) as server, guarded_client(guard(), tls=tls_context()) as client:
        assert (await client.get(f"http://processor.test:{server.port}/")).content == b"1"
