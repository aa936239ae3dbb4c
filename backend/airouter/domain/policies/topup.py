"""How quota is bought."""

from airouter.domain.policies.topic import Topic


class TopUp(Topic, frozen=True, kw_only=True):
    """How quota is bought."""

    redemption_enabled: bool = True
