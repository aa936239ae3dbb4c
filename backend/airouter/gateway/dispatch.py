"""How a request reaches a channel: over which client, at which address, with what patience, and with whose token."""

from collections.abc import Mapping
from typing import Final

import msgspec

from airouter.domain.catalogue import Catalogue, Channel
from airouter.domain.overrides import ChannelTimeouts
from airouter.domain.policy import Routing
from airouter.gateway.routing.failures import Refused
from airouter.gateway.token_exchange import GrantRefused, TokenExchange
from airouter.providers.contract import Outgoing
from airouter.providers.exchanged import Exchanging
from airouter.upstream.contract import Origin, Timeouts, UpstreamAnswer, UpstreamClient, UpstreamRequest, split_url
from airouter.upstream.proxies import ProxyClients
from airouter.upstream.total import send_within

IN_PROCESS: Final = "http://in-process.invalid"
"""Stands for the address of an upstream that needs none."""
_KEPT_MAX: Final = 4096
_UNAUTHORIZED, _TOO_MANY, _SERVER_ERROR = 401, 429, 500


class Dispatch:
    """Sends for all channels. `clients` are those of providers that need another than the usual one."""

    def __init__(
        self,
        *,
        client: UpstreamClient,
        clients: Mapping[str, UpstreamClient],
        proxies: ProxyClients,
        exchange: TokenExchange,
        exchanging: Mapping[str, Exchanging],
    ) -> None:
        self._client = client
        self._clients = clients
        self._proxies = proxies
        self._exchange = exchange
        self.exchanging = exchanging
        """The providers some of whose credentials are exchanged for tokens."""
        self._addresses: dict[str, tuple[Origin, str]] = {}
        self._timeouts: tuple[Routing, Timeouts] | None = None

    async def send(self, channel: Channel, out: Outgoing, timeouts: Timeouts) -> UpstreamAnswer:
        """One request to a channel's address; the whole of it bounded where the channel says so.

        Raises: UpstreamError.
        """
        address = self._addresses.get(channel.base_url)
        if address is None:
            if len(self._addresses) >= _KEPT_MAX:
                self._addresses.clear()
            address = self._addresses[channel.base_url] = split_url(channel.base_url or IN_PROCESS)
        origin, prefix = address
        headers = out.headers if out.sign is None else out.sign(out)
        request = UpstreamRequest(
            origin=origin, method=out.method, path=prefix + out.path, headers=headers, body=out.body
        )
        own = channel.options.timeouts
        if own is not None and own.total_seconds is not None:
            return await send_within(own.total_seconds, self._client_for(channel), request, timeouts)
        return await self._client_for(channel).send(request, timeouts)

    def timeouts(self, channel: Channel, rules: Routing) -> Timeouts:
        """Policy `routing`'s, or the channel's own where it has any."""
        if self._timeouts is None or self._timeouts[0] is not rules:
            usual = Timeouts(
                connect_seconds=rules.connect_seconds,
                first_byte_seconds=min(rules.first_byte_seconds, rules.total_seconds),
                idle_seconds=rules.idle_seconds,
            )
            self._timeouts = rules, usual
        own = channel.options.timeouts
        return self._timeouts[1] if own is None else _with_own(own, self._timeouts[1])

    async def bearer(self, channel: Channel, credential: str, timeouts: Timeouts) -> str:
        """What a credential was exchanged for; "": it goes on the wire as it is.

        Raises:
            UpstreamError: the address for tokens was not reached.
            Refused: it gave none. That is our credential's fault, as if the provider itself had refused it.
        """
        client = self._client_for(channel)
        try:
            token = await self._exchange.bearer(self.exchanging[channel.provider], credential, client, timeouts)
        except GrantRefused as refused:
            is_ours = refused.status < _SERVER_ERROR and refused.status != _TOO_MANY
            raise Refused(_UNAUTHORIZED if is_ours else refused.status, str(refused).encode(), ()) from None
        except (ValueError, msgspec.MsgspecError):
            raise Refused(_UNAUTHORIZED, b"the credential cannot be read", ()) from None
        return token or ""

    def token_refused(self, channel: Channel, credential: str) -> None:
        """The provider answered 401: if that was about a token, another one may do."""
        if channel.provider in self.exchanging:
            self._exchange.forget(credential)

    def obey(self, catalogue: Catalogue) -> None:
        """Another catalogue is in force: proxies that no channel names any more are left."""
        self._proxies.keep({channel.proxy for channel in catalogue.channels if channel.proxy is not None})

    async def close(self) -> None:
        """Cut every connection."""
        await self._exchange.close()
        await self._proxies.close()
        await self._client.close()

    def _client_for(self, channel: Channel) -> UpstreamClient:
        if channel.proxy is not None:
            return self._proxies.of(channel.proxy)
        return self._clients.get(channel.provider, self._client)


def _with_own(own: ChannelTimeouts, usual: Timeouts) -> Timeouts:
    return Timeouts(
        connect_seconds=own.connect_seconds or usual.connect_seconds,
        first_byte_seconds=own.first_byte_seconds or usual.first_byte_seconds,
        idle_seconds=own.idle_seconds or usual.idle_seconds,
    )
