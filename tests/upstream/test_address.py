"""G13: which addresses may be connected to."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest

from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy, is_public, system_resolver
from airouter.upstream.contract import AddressRefused, ConnectFailed, ConnectTimeout, Timeouts
from airouter.upstream.http1 import Http1Client
from airouter.upstream.tls import tls_context
from tests.upstream.calls import PATIENT, fetch, request_to
from tests.upstream.server import Line, black_hole, running

PUBLIC_ADDRESSES = ["1.1.1.1", "8.8.8.8", "104.18.6.192", "223.5.5.5", "2606:4700::6812:6c0", "2400:3200::1"]

FORBIDDEN_TO_STRANGERS = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "0.0.0.0",
    "0.1.2.3",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "100::1",
    "4000::1",
    "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:a00:1",
]

IN_DISGUISE = [
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.01",
    "127.0.0.1.",
    "010.0.0.1",
    "1.2.3.4.5",
    "256.256.256.256",
    "example.0x7f",
    "example.1",
    "[::1]",
    "::1]",
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "",
    ".",
]


class Names:
    """A resolver whose answers a test sets, one after the other; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def strangers(names: Names | None = None) -> AddressGuard:
    # The most generous policy: it must make no difference.
    policy = AddressPolicy(private_allowed=True, allowed_networks=(ip_network("0.0.0.0/0"), ip_network("::/0")))
    return AddressGuard(AddressClass.PUBLIC, policy, names or Names([]))


def operators(names: Names | None = None, *networks: str, private: bool = False) -> AddressGuard:
    policy = AddressPolicy(private_allowed=private, allowed_networks=tuple(ip_network(text) for text in networks))
    return AddressGuard(AddressClass.OPERATOR, policy, names or Names([]))


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
async def test_public_addresses_are_open_to_everybody(address: str) -> None:
    for guard in strangers(), operators():
        assert await guard.addresses(address, 443) == (address,)


@pytest.mark.parametrize("address", FORBIDDEN_TO_STRANGERS)
async def test_strangers_cannot_name_an_internal_address(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(AddressRefused):
        await strangers().addresses(address, 80)


@pytest.mark.parametrize("address", FORBIDDEN_TO_STRANGERS)
async def test_strangers_cannot_name_a_host_at_an_internal_address(address: str) -> None:
    with pytest.raises(AddressRefused):
        await strangers(Names([address])).addresses("rebound.test", 80)


@pytest.mark.parametrize("host", IN_DISGUISE)
async def test_address_in_disguise_is_refused_without_asking_anybody(host: str) -> None:
    names = Names(["1.1.1.1"])
    for guard in strangers(names), operators(names, private=True):
        with pytest.raises(AddressRefused):
            await guard.addresses(host, 80)
    assert names.asked == []


async def test_only_the_allowed_ones_of_several_addresses_remain() -> None:
    names = Names(["10.0.0.1", "1.1.1.1", "::1", "2606:4700::1", "1.1.1.1"])
    assert await strangers(names).addresses("mixed.test", 443) == ("1.1.1.1", "2606:4700::1")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.1.2.3", "172.20.0.5", "192.168.0.9", "100.64.3.4", "fd12:3456::1", "198.18.0.7"]
)
async def test_operator_reaches_private_addresses_only_when_allowed(address: str) -> None:
    with pytest.raises(AddressRefused):
        await operators().addresses(address, 80)
    assert await operators(private=True).addresses(address, 80) == (address,)


async def test_operator_allows_particular_networks() -> None:
    guard = operators(None, "10.1.0.0/16", "169.254.7.0/24", "fd12::/32")
    for address in "10.1.200.3", "169.254.7.7", "fd12::9", "::ffff:10.1.0.1":
        assert await guard.addresses(address, 80) == (address,)
    for address in "10.2.0.1", "169.254.8.1", "127.0.0.1", "fd13::1", "::ffff:10.2.0.1":
        with pytest.raises(AddressRefused):
            await guard.addresses(address, 80)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::",
        "64:ff9b::a9fe:a9fe",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
async def test_metadata_and_multicast_stay_closed_whatever_the_operator_allows(address: str) -> None:
    with pytest.raises(AddressRefused):
        await operators(None, "0.0.0.0/0", "::/0", private=True).addresses(address, 80)


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "::127.0.0.1"])
async def test_operators_wrapped_address_is_judged_by_what_is_inside(address: str) -> None:
    assert not operators().allows(ip_address(address))
    assert operators(private=True).allows(ip_address(address))


async def test_a_new_policy_holds_for_the_next_connection() -> None:
    guard = operators(private=True)
    assert await guard.addresses("127.0.0.1", 80) == ("127.0.0.1",)
    guard.policy = AddressPolicy()
    with pytest.raises(AddressRefused):
        await guard.addresses("127.0.0.1", 80)


async def test_refusal_does_not_tell_the_address_behind_the_name() -> None:
    with pytest.raises(AddressRefused) as caught:
        await strangers(Names(["10.20.30.40"])).addresses("rebound.test", 80)
    assert "10.20.30.40" not in str(caught.value)


async def test_unknown_name_is_a_failed_connection() -> None:
    for host in "no-such-name.invalid", "a" * 64 + ".test", "a..b":
        with pytest.raises(ConnectFailed):
            await system_resolver(host, 80)


async def test_system_knows_localhost() -> None:
    assert set(await system_resolver("localhost", 80)) <= {"127.0.0.1", "::1"}


async def test_name_that_changes_its_answer_is_connected_to_the_address_that_was_judged() -> None:
    async def hello(line: Line) -> None:
        await line.json(b"1")

    names = Names(["127.0.0.1"], ["10.255.255.1"])
    async with running(hello) as upstream:
        client = Http1Client(operators(names, "127.0.0.0/8"), tls=tls_context())
        assert await fetch(client, request_to(upstream)) == b"1"
        assert names.asked == ["provider.test"]
        await client.close()
        again = Http1Client(operators(names, "127.0.0.0/8"), tls=tls_context())
        with pytest.raises(AddressRefused):
            await fetch(again, request_to(upstream))
        await again.close()


async def test_redirect_to_the_inside_is_not_followed() -> None:
    async def redirect(line: Line) -> None:
        await line.raw(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n")

    async with running(redirect) as upstream:
        client = Http1Client(operators(None, "127.0.0.1/32"), tls=tls_context())
        answer = await client.send(request_to(upstream, host="127.0.0.1"), PATIENT)
        assert answer.status == 302
        answer.close()
        await client.close()
        assert len(upstream.received) == 1


async def test_dead_address_does_not_use_up_the_time_of_the_next() -> None:
    async def hello(line: Line) -> None:
        await line.json(b"1")

    async with running(hello) as upstream, black_hole("127.0.0.2", upstream.port):
        # Silent for its share, a hundredth of the time; refusing at once; alive, with all the time that is left.
        names = Names([f"127.0.0.{number}" for number in (*range(2, 101), 1)])
        client = Http1Client(operators(names, private=True), tls=tls_context())
        timeouts = Timeouts(connect_seconds=50, first_byte_seconds=60, idle_seconds=60)
        assert await fetch(client, request_to(upstream), timeouts) == b"1"
        await client.close()


async def test_name_server_that_does_not_answer_is_a_connect_timeout() -> None:
    async def silent(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    guard = AddressGuard(AddressClass.OPERATOR, AddressPolicy(), silent)
    client = Http1Client(guard, tls=tls_context())
    with pytest.raises(ConnectTimeout):
        await fetch(client, request_to(80), Timeouts(connect_seconds=0.1, first_byte_seconds=60, idle_seconds=60))
    await client.close()
