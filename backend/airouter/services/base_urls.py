"""Where a channel's upstream lies: what an operator may write as its base URL."""

import re
from collections.abc import Sequence
from ipaddress import ip_network
from urllib.parse import urlsplit

from airouter.domain.errors import InvalidRequest
from airouter.domain.policy import Network
from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.contract import AddressRefused

_LENGTH_MAX = 2000
_PUBLIC_STAND_IN = "1.1.1.1"


async def checked_base_url(text: str, policy: Network) -> str:
    """The address without a slash at its end.

    An address spelled out in numbers is judged here by policy `network`; a name is judged whenever it is connected to,
    because what it stands for can change.

    Raises:
        InvalidRequest: it is no http(s) URL with a host, it carries what does not belong there, or its address may not
            be connected to.
    """
    if len(text) > _LENGTH_MAX or not re.fullmatch(r"[\x21-\x7e]+", text):
        raise _refusal("write it as plain text without spaces, such as https://api.example.com/v1.")
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise _refusal("it has to begin with http:// or https:// and name a host.")
    if url.username is not None or url.password is not None:
        raise _refusal("user name and password do not belong into an address; put the secret into credentials.")
    if url.query or url.fragment or "?" in text or "#" in text:
        raise _refusal("it has to end with its path, without a query or fragment.")
    try:
        port = url.port
    except ValueError:
        raise _refusal("the port is not a number up to 65535.") from None
    guard = AddressGuard(AddressClass.OPERATOR, address_policy(policy), _judged_when_connected)
    try:
        await guard.addresses(url.hostname, port or 443)
    except AddressRefused as error:
        raise _refusal(f"{error}; policy `network` says which private addresses may be.") from None
    return text.rstrip("/")


def address_policy(policy: Network) -> AddressPolicy:
    """Policy `network` as the guard of connections reads it."""
    networks = tuple(ip_network(network) for network in policy.allowed_networks)
    return AddressPolicy(private_allowed=policy.allow_private, allowed_networks=networks)


async def _judged_when_connected(_host: str, _port: int) -> Sequence[str]:
    return (_PUBLIC_STAND_IN,)


def _refusal(words: str) -> InvalidRequest:
    return InvalidRequest(f"base_url: {words}", field="base_url")
