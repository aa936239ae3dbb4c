"""Opening a connection to an address that the guard has allowed."""

import asyncio
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from typing import Protocol, TypeVar

from airouter.upstream.contract import AddressRefused, ConnectFailed, ConnectTimeout, Origin, TlsFailed, UpstreamError


class Dialled(asyncio.Protocol):
    """A protocol that the dialer may have to give up after its transport was made."""

    __slots__ = ()

    def discard(self) -> None:
        """Nobody will use this connection. The transport may be closed already, without any further call."""


AnyDialled = TypeVar("AnyDialled", bound=Dialled)


class Guard(Protocol):
    """What the dialer wants to know; `address.AddressGuard` is the real one."""

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses that may be connected to; raises AddressRefused or ConnectFailed."""
        ...


class Dialer:
    """Connects to the first allowed address that answers, and verifies the peer under the name that was asked for."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext, loop: asyncio.AbstractEventLoop) -> None:
        self._guard = guard
        self._tls = tls
        self._loop = loop

    async def dial(self, origin: Origin, protocol: Callable[[], AnyDialled], deadline: float) -> AnyDialled:
        """Return the connected protocol before `deadline`, a time of the event loop.

        Raises: ConnectFailed, ConnectTimeout, AddressRefused, TlsFailed.
        """
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._guard.addresses(origin.host, origin.port)
        except TimeoutError:
            raise ConnectTimeout(f"resolving {origin.host} took too long") from None
        failure: UpstreamError | None = None
        for position, address in enumerate(addresses):
            # An address that swallows everything must not use up the time of those after it.
            now = self._loop.time()
            until = now + (deadline - now) / (len(addresses) - position)
            try:
                return await self._dial_address(origin, address, protocol, until)
            except (ConnectFailed, ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def _dial_address(
        self, origin: Origin, address: str, protocol: Callable[[], AnyDialled], until: float
    ) -> AnyDialled:
        made: list[AnyDialled] = []

        def make() -> AnyDialled:
            made.append(protocol())
            return made[-1]

        try:
            async with asyncio.timeout_at(until):
                transport, connected = await self._loop.create_connection(
                    make,
                    address,
                    origin.port,
                    ssl=self._tls if origin.is_tls else None,
                    server_hostname=origin.host if origin.is_tls else None,
                )
        except BaseException as failure:
            for abandoned in made:
                abandoned.discard()
            named = _named(failure, f"{origin.authority} at {address}")
            if named is None:
                raise
            raise named from failure
        peer = transport.get_extra_info("peername")
        if peer is None or ip_address(peer[0]) != ip_address(address):
            transport.abort()
            raise AddressRefused(f"connected to another address than the one allowed for {origin.host}")
        return connected


def _named(failure: BaseException, where: str) -> UpstreamError | None:
    match failure:
        case TimeoutError():
            return ConnectTimeout(f"no connection to {where} in time")
        case ssl.SSLError():
            return TlsFailed(f"TLS with {where} failed: {failure.reason or failure}")
        case OSError():
            return ConnectFailed(f"no connection to {where}: {failure}")
        case _:
            return None
