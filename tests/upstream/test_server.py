"""The fake upstream itself: what it left open would be found by some later test."""

import asyncio
import socket
from contextlib import suppress

import pytest

from tests.upstream.certificates import Authority
from tests.upstream.server import Line, running


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
async def test_connection_that_comes_in_while_the_upstream_closes_is_closed(
    authority: Authority, turns: int, *, is_tls: bool
) -> None:
    tls = authority.server_context("provider.test") if is_tls else None
    async with running(Line.gone, tls) as upstream:
        client = socket.create_connection(("127.0.0.1", upstream.port))
        for _ in range(turns):
            await asyncio.sleep(0)
    with client, suppress(ConnectionError):
        client.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(client, 1) == b""
