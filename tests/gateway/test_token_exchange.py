"""Credentials that are exchanged for tokens: once for everybody, renewed early, and whose fault it is when not."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest

from airouter.domain.catalogue import Channel
from airouter.domain.ids import ChannelId
from airouter.gateway.dispatch import Dispatch
from airouter.gateway.routing.failures import Refused
from airouter.gateway.token_exchange import GrantRefused, TokenExchange
from airouter.providers.exchanged import Grant
from airouter.providers.registry import EXCHANGING
from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.contract import ConnectFailed, Timeouts
from airouter.upstream.http1 import Http1Client
from airouter.upstream.proxies import ProxyClients
from tests.patience import until
from tests.providers.replay import Played, replaying
from tests.providers.test_vertex import key_file

PATIENT = Timeouts(connect_seconds=60, first_byte_seconds=60, idle_seconds=60)
SECRET = '{"secret": 1}'


class Google:
    """A provider whose grant is a plain form."""

    def __init__(self, url: str) -> None:
        self.url = url

    def grant(self, credential: str, at_seconds: int) -> Grant | None:
        return Grant(url=self.url, form=b"assertion=%d" % at_seconds) if credential.startswith("{") else None


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def token(name: str, lasts: int = 3600) -> Played:
    return Played(pieces=(json.dumps({"access_token": name, "expires_in": lasts, "token_type": "Bearer"}).encode(),))


@pytest.fixture
async def client() -> AsyncIterator[Http1Client]:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    made = Http1Client(AddressGuard(AddressClass.OPERATOR, AddressPolicy(private_allowed=True), resolve))
    yield made
    await made.close()


async def test_many_calls_at_once_ask_once_and_a_key_asks_never(client: Http1Client) -> None:
    async with replaying(lambda _: token("t-1")) as upstream:
        exchange, google = TokenExchange(Clock(), lambda: 7.9), Google(upstream.base_url + "/token")
        asked = [exchange.bearer(google, SECRET, client, PATIENT) for _ in range(20)]
        assert set(await asyncio.gather(*asked)) == {"t-1"}
        assert await exchange.bearer(google, SECRET, client, PATIENT) == "t-1"
        assert await exchange.bearer(google, "AIzaKey", client, PATIENT) is None
        assert [one.body for one in upstream.received] == [b"assertion=7"]
        assert upstream.received[0].headers["content-type"] == "application/x-www-form-urlencoded"
        await exchange.close()


async def test_token_is_renewed_before_it_ends_while_calls_go_on(client: Http1Client) -> None:
    names = iter(("t-1", "t-2", "t-3"))
    clock = Clock()
    async with replaying(lambda _: token(next(names))) as upstream:
        exchange, google = TokenExchange(clock, clock), Google(upstream.base_url + "/token")

        async def bearer() -> str | None:
            return await exchange.bearer(google, SECRET, client, PATIENT)

        async def is_given(name: str) -> bool:
            return await bearer() == name

        assert await bearer() == "t-1"
        clock.now += 2999
        assert await bearer() == "t-1"
        clock.now += 2
        assert [await bearer(), await bearer()] == ["t-1", "t-1"]  # and asks for another beside
        await until(lambda: is_given("t-2"))
        assert len(upstream.received) == 2
        clock.now += 3600  # nobody called for an hour: it has to be waited for
        assert await bearer() == "t-3"
        await exchange.close()


async def test_token_that_the_provider_refuses_is_asked_for_again(client: Http1Client) -> None:
    names = iter(("t-1", "t-2"))
    async with replaying(lambda _: token(next(names))) as upstream:
        exchange, google = TokenExchange(Clock(), Clock()), Google(upstream.base_url + "/token")
        assert await exchange.bearer(google, SECRET, client, PATIENT) == "t-1"
        exchange.forget(SECRET)
        assert await exchange.bearer(google, SECRET, client, PATIENT) == "t-2"
        await exchange.close()


async def test_renewal_that_fails_is_tried_again_later_and_spoils_nothing(client: Http1Client) -> None:
    answers: list[Played] = [token("t-1"), Played(status=503), token("t-2")]
    clock = Clock()
    async with replaying(lambda _: answers.pop(0)) as upstream:
        exchange, google = TokenExchange(clock, clock), Google(upstream.base_url + "/token")

        async def bearer() -> str | None:
            return await exchange.bearer(google, SECRET, client, PATIENT)

        async def is_given(name: str) -> bool:
            return await bearer() == name

        await bearer()
        clock.now += 3100
        assert await bearer() == "t-1"
        await until(lambda: len(upstream.received) == 2)
        await asyncio.sleep(0.02)
        assert await bearer() == "t-1"
        assert len(upstream.received) == 2
        clock.now += 11
        await until(lambda: is_given("t-2"))
        await exchange.close()


@pytest.mark.parametrize(
    "answer",
    [
        Played(status=400, pieces=(b'{"error":"invalid_grant"}',)),
        Played(status=200, pieces=(b'{"id_token":"x"}',)),
        Played(status=200, pieces=(b"<html>",)),
        Played(status=200, pieces=(b'{"access_token":"line\\nbreak"}',)),
        Played(status=302, pieces=(b"",), headers=(("location", "http://169.254.169.254/"),)),
    ],
)
async def test_answer_without_a_token_is_refused_and_not_repeated(client: Http1Client, answer: Played) -> None:
    async with replaying(lambda _: answer) as upstream:
        exchange, google = TokenExchange(Clock(), Clock()), Google(upstream.base_url + "/token")
        with pytest.raises(GrantRefused) as refused:
            await exchange.bearer(google, SECRET, client, PATIENT)
        assert refused.value.status == answer.status
        assert "invalid_grant" not in str(refused.value)
        await exchange.close()


async def test_who_waited_may_leave_and_the_others_still_get_it(client: Http1Client) -> None:
    async with replaying(lambda _: token("t-1")) as upstream:
        exchange, google = TokenExchange(Clock(), Clock()), Google(upstream.base_url + "/token")
        first = asyncio.create_task(exchange.bearer(google, SECRET, client, PATIENT))
        second = asyncio.create_task(exchange.bearer(google, SECRET, client, PATIENT))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "t-1"
        assert first.cancelled() or first.cancelling()
        await exchange.close()


@pytest.mark.parametrize("credential", ['{"type": "other"}', "{", key_file(token_uri="http://meta.test/")])
async def test_credential_that_cannot_be_read_is_to_blame_like_one_that_was_refused(
    client: Http1Client, credential: str
) -> None:
    dispatch = Dispatch(
        client=client,
        clients={},
        proxies=ProxyClients(AddressGuard(AddressClass.OPERATOR, AddressPolicy())),
        exchange=TokenExchange(Clock(), Clock()),
        exchanging=EXCHANGING,
    )
    channel = Channel(
        channel_id=ChannelId(UUID(int=1)), name="c", provider="vertex", base_url="", models={}, groups=frozenset()
    )
    with pytest.raises(Refused) as refused:
        await dispatch.bearer(channel, credential, PATIENT)
    assert (refused.value.status, refused.value.body) == (401, b"the credential cannot be read")


async def test_address_for_tokens_that_is_not_there_is_a_failure_of_the_network(client: Http1Client) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # nobody else gets this port, and nobody listens there
        exchange, google = TokenExchange(Clock(), Clock()), Google(f"http://127.0.0.1:{deaf.getsockname()[1]}/token")
        with pytest.raises(ConnectFailed):
            await exchange.bearer(google, SECRET, client, PATIENT)
