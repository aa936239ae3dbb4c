"""Whether tools of older gateways find what they look for."""

from airouter.domain.policies.topic import Topic


class Compat(Topic, frozen=True, kw_only=True):
    """Addresses and shapes that tools made for older gateways of this family ask for. Off: they are not there."""

    enabled: bool = False
