"""Clients that go through a proxy, one for each that a channel names."""

import asyncio
from collections.abc import Collection
from urllib.parse import urlsplit

from airouter.upstream.contract import ConnectFailed, UpstreamClient
from airouter.upstream.dialer import Guard
from airouter.upstream.httpx_client import HttpxClient

PORT_DEFAULTS = {"http": 80, "https": 443}


class ProxyClients:
    """Opened when first asked for, closed when no channel names them any more, or together.

    The guard judges the proxy's address; where the proxy connects to is its own affair, so it is for hosts that the
    operator named only.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._clients: dict[str, HttpxClient] = {}
        self._leaving: dict[asyncio.Task[None], HttpxClient] = {}
        self._is_closed = False

    def of(self, proxy: str) -> UpstreamClient:
        """The client for a proxy, as `checked_proxy` gave it. Raises ConnectFailed when closed."""
        found = self._clients.get(proxy)
        if found is None:
            if self._is_closed:
                raise ConnectFailed("the client was closed")
            found = self._clients[proxy] = HttpxClient(self._guard, proxy=proxy)
        return found

    def keep(self, proxies: Collection[str]) -> None:
        """Only these are still named: the others take no more requests, and are closed after their last answer."""
        for proxy in self._clients.keys() - set(proxies):
            client = self._clients.pop(proxy)
            task = asyncio.get_running_loop().create_task(client.finish())
            self._leaving[task] = client
            task.add_done_callback(self._leaving.pop)

    async def close(self) -> None:
        """Cut every connection. Idempotent."""
        self._is_closed = True
        clients = [*self._leaving.values(), *self._clients.values()]
        self._clients.clear()
        for client in clients:
            await client.close()
        await asyncio.gather(*self._leaving)


def checked_proxy(text: str) -> tuple[str, str]:
    """(what to connect with, what may be shown) of a proxy as an operator typed it.

    The second leaves the user name and the password out. Raises: ValueError for another scheme, a path, or no host.
    """
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a proxy is written without blanks, such as http://proxy.example.com:3128")
    parts = urlsplit(text)
    if parts.scheme not in PORT_DEFAULTS or not parts.hostname:
        raise ValueError("a proxy begins with http:// or https:// and names a host")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("a proxy ends with its port")
    port = parts.port or PORT_DEFAULTS[parts.scheme]  # raises ValueError for what is no port
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    userinfo, at, _ = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{userinfo}{at}{host}:{port}", f"{parts.scheme}://{host}:{port}"
