"""Which private addresses an operator's own upstreams may have."""

from ipaddress import ip_network

from airouter.domain.errors import InvalidRequest
from airouter.domain.policies.topic import Text, Topic


class Network(Topic, frozen=True, kw_only=True):
    """Which private addresses an operator's own upstreams may have."""

    allow_private: bool = False
    allowed_networks: tuple[Text, ...] = ()

    def check(self) -> None:
        for number, network in enumerate(self.allowed_networks):
            try:
                ip_network(network)
            except ValueError:
                field = f"allowed_networks[{number}]"
                raise InvalidRequest(f"{field}: {network!r} is no network such as 10.0.0.0/8.", field=field) from None
