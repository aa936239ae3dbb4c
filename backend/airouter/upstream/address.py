"""Which addresses may be connected to (guarantee G13).

A name is resolved once, each address it stands for is judged, and the connection is made to an address that was judged:
nothing is resolved again, so a name that changes its answer gains nothing.

The special networks are written out here (IANA special-purpose address registries for IPv4 and IPv6, read 2024-11)
instead of asking `ipaddress`, whose `is_private` and `is_global` changed between patch releases of Python.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

from airouter.upstream.contract import AddressRefused, ConnectFailed

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


class AddressClass(Enum):
    """Who named the host."""

    OPERATOR = "operator"
    """Channels, payment processors, identity providers."""
    PUBLIC = "public"
    """Anybody else: webhook targets, media addresses inside request bodies."""


class AddressPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Policy `network`, for the operator's own addresses; it changes nothing for those of others."""

    private_allowed: bool = False
    """Loopback and private networks in general."""
    allowed_networks: tuple[Network, ...] = ()
    """Particular networks, link-local ones included; metadata services and multicast stay closed."""


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_PRIVATE = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",  # carrier-grade NAT, and overlay networks
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",  # benchmarking; local proxies answer names from here
    "::1/128",
    "fc00::/7",
)

_SPECIAL = _networks(
    "0.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",  # protocol assignments, Teredo among them
    "2001:db8::/32",
    "2002::/16",  # 6to4
    "3fff::/20",
)

_GLOBAL_IPV6 = IPv6Network("2000::/3")

_NEVER = _networks(
    "0.0.0.0/32",
    "224.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "ff00::/8",
    # Metadata services of clouds: they hand credentials to whoever asks from inside.
    "169.254.169.254/32",  # AWS, Google, Azure, Oracle and others
    "169.254.170.0/23",  # AWS container and pod credentials
    "100.100.100.200/32",  # Alibaba
    "168.63.129.16/32",  # Azure host agent
    "192.0.0.192/32",  # Oracle
    "fd00:ec2::254/128",  # AWS
    "fd20:ce::254/128",  # Google
)

_NAT64 = _networks("64:ff9b::/96", "64:ff9b:1::/48")
_IPV4_COMPATIBLE = IPv6Network("::/96")

_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


class AddressGuard:
    """Decides which addresses may be connected to. `policy` may be replaced: it holds for connections made later."""

    def __init__(self, address_class: AddressClass, policy: AddressPolicy, resolver: Resolver | None = None) -> None:
        self.policy = policy
        self._class = address_class
        self._resolve = resolver or system_resolver

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of `host` that may be connected to, in the resolver's order.

        Raises: AddressRefused when none may, or when the host is an address in disguise (decimal, octal, hexadecimal or
        shortened); ConnectFailed when the name is not known.
        """
        literal = _literal(host)
        found = (host,) if literal is not None else tuple(dict.fromkeys(await self._resolve(host, port)))
        allowed = tuple(text for text in found if self.allows(ip_address(text)))
        if not allowed:
            raise AddressRefused(f"{host} is not at an address that may be connected to")
        return allowed

    def allows(self, address: Address) -> bool:
        """Whether this very address may be connected to."""
        if self._class is AddressClass.PUBLIC:
            return is_public(address)
        inner = _unwrapped(address)
        if _within(inner, _NEVER):
            return False
        if _within(inner, self.policy.allowed_networks):
            return True
        if _within(inner, _PRIVATE):
            return self.policy.private_allowed
        return is_public(inner)


def is_public(address: Address) -> bool:
    """Whether this is an ordinary address of the public internet, not one that merely contains one."""
    if _within(address, _NEVER) or _within(address, _SPECIAL) or _within(address, _PRIVATE):
        return False
    return isinstance(address, IPv4Address) or (address in _GLOBAL_IPV6 and not _is_isatap(address))


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the operating system, without blocking the loop. Raises: ConnectFailed when it does not know the name."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConnectFailed(f"{host} could not be resolved: {error}") from error
    return [str(entry[4][0]) for entry in found]


def _literal(host: str) -> Address | None:
    """The address that the host spells out, None for a name. Raises: AddressRefused for spellings meant to deceive."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    last_label = host.removesuffix(".").rpartition(".")[2]
    if not last_label or ":" in host or not host.isascii() or _NUMBER_LABEL.fullmatch(last_label.lower()):
        raise AddressRefused(f"{host} is neither a host name nor an address in its usual form")
    return None


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if _within(address, _NAT64) or _is_isatap(address):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _IPV4_COMPATIBLE and int(address) > 1:
        return IPv4Address(int(address))
    return address


def _is_isatap(address: IPv6Address) -> bool:
    return (int(address) >> 32) & 0xFDFF_FFFF == 0x0000_5EFE


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
