"""Nobody can pretend to be another address (G13)."""

from ipaddress import ip_network

import pytest

from airouter.api.arrivals import client_address

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1, 10.2.0.1"], "198.51.100.1"),
        ("10.0.0.1", ["10.9.9.9, 10.2.0.1"], "10.9.9.9"),
        ("10.0.0.1", ["198.51.100.1, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, "], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("2001:db8:1::5", ["2001:DB8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::ffff:203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        (None, ["198.51.100.1"], "127.0.0.1"),
    ],
)
def test_only_configured_proxies_are_believed_from_the_right(
    peer: str | None, forwarded: list[str], client: str
) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    assert client_address(peer, headers, PROXIES) == client


def test_without_configured_proxies_nobody_is_believed() -> None:
    headers = [(b"x-forwarded-for", b"1.1.1.1"), (b"x-real-ip", b"1.1.1.1"), (b"forwarded", b"for=1.1.1.1")]
    assert client_address("127.0.0.1", headers, ()) == "127.0.0.1"
