"""Every asynchronous test here runs on uvloop, as in production, and on the loop of the standard library."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvloop

from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.contract import ConnectionLimits, UpstreamClient
from airouter.upstream.deadlines import TICK_SECONDS
from airouter.upstream.http1 import Http1Client
from airouter.upstream.httpx_client import HttpxClient
from airouter.upstream.tls import tls_context
from tests.upstream.certificates import Authority

MakeClient = Callable[..., UpstreamClient]


class _Hurried:
    """A loop whose clock can be put forward. Timers of uvloop's own do not hear of it; deadlines looked at do."""

    ahead_seconds = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_seconds  # type: ignore[misc]


class _HurriedUvloop(_Hurried, uvloop.Loop):
    pass


class _HurriedAsyncio(_Hurried, asyncio.SelectorEventLoop):
    pass


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": _HurriedUvloop, "asyncio": _HurriedAsyncio}


async def pass_time(seconds: float) -> None:
    """So much time passes in an instant, and whoever looks at the clock now and then has seen it."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Hurried)
    loop.ahead_seconds += seconds
    await asyncio.sleep(3 * TICK_SECONDS)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "trusted")


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    """A socket or transport that was forgotten warns when it is collected, and warnings are errors."""
    gc.disable()  # so that all that a test makes is still in the young generation, which is quick to look through
    yield
    gc.collect(1)
    gc.enable()


async def resolve(host: str, port: int) -> Sequence[str]:
    """The names of these tests live on this machine."""
    assert host.endswith(".test"), host
    return ["127.0.0.1"]


def guard() -> AddressGuard:
    return AddressGuard(AddressClass.OPERATOR, AddressPolicy(private_allowed=True), resolve)


@pytest.fixture
async def http1(authority: Authority) -> AsyncIterator[MakeClient]:
    async for make in _makers(Http1Client, authority.file):
        yield make


@pytest.fixture(params=[Http1Client, HttpxClient], ids=["http1", "httpx"])
async def make_client(request: pytest.FixtureRequest, authority: Authority) -> AsyncIterator[MakeClient]:
    """Makes clients that trust the test's authority; they are closed afterwards, and must have been left clean."""
    async for make in _makers(request.param, authority.file):
        yield make


async def _makers(kind: Callable[..., Any], trusted: Path) -> AsyncIterator[MakeClient]:
    made: list[Any] = []

    def make(*, authorities: Path = trusted, **limits: Any) -> Any:
        client = kind(guard(), ConnectionLimits(**limits), tls_context(str(authorities)))
        made.append(client)
        return client

    yield make
    for client in made:
        await client.close()
        if isinstance(client, Http1Client):
            assert client.connections_open == 0
            assert all(pool.slots_taken == 0 for pool in client._pools.values())
