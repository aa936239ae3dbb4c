"""A relay on real sockets, without a database: what it takes to ask channels that lead to a test's own upstreams."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from uuid import UUID

import httpx

from airouter.domain.catalogue import Catalogue, Channel, ChannelOptions, Credential, Group, Model
from airouter.domain.ids import AccountId, ChannelId, CredentialId, KeyId, RateCardId, RequestId, UserId, WalletId
from airouter.domain.key import Caller
from airouter.domain.overrides import ChannelTimeouts
from airouter.domain.policy import Limits, Policies, Routing
from airouter.domain.pricing import Ceiling
from airouter.domain.rate_card import RateCard
from airouter.gateway.admit import Terms
from airouter.gateway.call import Call
from airouter.gateway.dispatch import Dispatch
from airouter.gateway.door import DOORS
from airouter.gateway.media import MediaFetcher
from airouter.gateway.rates.limits import RateLimiter
from airouter.gateway.relay import Relay
from airouter.gateway.routing.route import Routes
from airouter.gateway.token_exchange import TokenExchange
from airouter.providers.registry import PROVIDERS
from airouter.providers.serving import Providers
from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.contract import UpstreamError
from airouter.upstream.http1 import Http1Client
from airouter.upstream.proxies import ProxyClients
from airouter.wire.requests import read_request
from tests.patience import PATIENCE_SECONDS

PATIENT: dict[str, Any] = dict.fromkeys(("connect_seconds", "first_byte_seconds", "idle_seconds"), PATIENCE_SECONDS)
"""Long enough for an upstream that is well on a machine that does other things too."""
CARD = RateCard(rate_card_id=RateCardId(UUID(int=1)), model="demo", version=1, rates={"input": 1, "output": 1})
CALLER = Caller(
    key_id=KeyId(UUID(int=1)),
    account_id=AccountId(UUID(int=1)),
    wallet_id=WalletId(1),
    user_id=UserId(UUID(int=1)),
    status="active",
    account_status="active",
    account_group="default",
    key_group=None,
    is_operator=False,
    is_limited=False,
)
WHOLE = b'{"model":"demo","messages":[{"role":"user","content":"hello"}]}'
STREAM = WHOLE[:-1] + b',"stream":true}'


def impatient(**seconds: float) -> ChannelOptions:
    """For one that keeps us waiting. (Time-outs are checked when they are stored, not when they are made.)"""
    timeouts: Any = seconds
    return ChannelOptions(timeouts=ChannelTimeouts(**timeouts))


def channel(number: int, port: int, *secrets: str, **changes: Any) -> Channel:
    """A channel to a port of this machine."""
    fields: dict[str, Any] = {
        "channel_id": ChannelId(UUID(int=number)),
        "name": f"channel {number}",
        "provider": "openai-compatible",
        "base_url": f"http://127.0.0.1:{port}/v1",
        "models": {"demo": "demo"},
        "groups": frozenset({"default"}),
        "credentials": tuple(
            Credential(credential_id=CredentialId(UUID(int=100 * number + n)), secret=secret)
            for n, secret in enumerate(secrets)
        ),
    }
    return Channel(**(fields | changes))


class Clock:
    """Seconds that pass when the test says so: between two readings next to none, however slow the machine is."""

    def __init__(self) -> None:
        self._at = 0.0

    def __call__(self) -> float:
        self._at += 1e-6
        return self._at

    def skip(self, seconds: float) -> None:
        self._at += seconds


class Asking:
    """Asks a relay, and moves its clock. How long an upstream is waited for goes by the real time."""

    def __init__(self, relay: Relay, routes: Routes, skip: Callable[[float], None]) -> None:
        self.relay = relay
        self.routes = routes
        self.skip = skip
        """Lets so many seconds pass at once."""
        self.disabled: list[CredentialId] = []
        self.calls: list[Call] = []

    async def ask(self, body: bytes = WHOLE) -> bytes:
        """The answer, whole. The call is the last of `calls`."""
        call = new_call(body, self.relay._clock())
        self.calls.append(call)
        leg = await self.relay.open(call, body, (), self.routes)
        found = leg.data
        try:
            while leg.is_stream and (data := await leg.answer.chunk()):
                found += data
        except UpstreamError as error:
            self.relay.broke(call, error, self.routes.catalogue.policies.routing)
            raise
        finally:
            leg.answer.close()
        return found

    @property
    def reasons(self) -> list[tuple[int, str | None]]:
        """Of the last call's attempts: channel, and why it was not the last."""
        return [(attempt.channel_id.int, attempt.reason) for attempt in self.calls[-1].attempts]


def new_call(body: bytes, now: float) -> Call:
    hold: Any = None
    request = read_request("chat.completions", body)
    return Call(
        request_id=RequestId(UUID(int=1)),
        caller=CALLER,
        door=DOORS[0],
        request=request,
        terms=Terms(
            model=Model(model=request.model),
            card=CARD,
            group=Group(name="default"),
            multiplier_micros=1_000_000,
            ceiling=Ceiling(input_tokens=10, output_tokens=10),
            is_output_stated=True,
            limits=Limits(),
        ),
        hold=hold,
        started_at=now,
        client_request_id=None,
    )


@asynccontextmanager
async def asking(*channels: Channel, seed: int = 1, **rules: Any) -> AsyncIterator[Asking]:
    """A relay with these channels; `rules` replace those of policy `routing`."""
    clock = Clock()
    guard = AddressGuard(AddressClass.OPERATOR, AddressPolicy(private_allowed=True))
    client, proxies = Http1Client(guard), ProxyClients(guard)
    async with httpx.AsyncClient() as outward:
        disabled: list[CredentialId] = []
        relay = Relay(
            dispatch=Dispatch(
                client=client, clients={}, proxies=proxies, exchange=TokenExchange(clock, time.time), exchanging={}
            ),
            providers=Providers(PROVIDERS),
            media=MediaFetcher(outward),
            rates=RateLimiter(clock),
            clock=clock,
            draw=Random(seed).random,
            disable=lambda credential_id, _reason: disabled.append(credential_id),
        )
        policies = Policies(routing=Routing(**(PATIENT | rules)))
        routes = Routes(Catalogue(models={}, groups={}, channels=channels, policies=policies))
        found = Asking(relay, routes, clock.skip)
        found.disabled = disabled
        try:
            yield found
        finally:
            await client.close()
