"""Which channel serves a call: by group and model, then priority, health and weight. What just failed is not tried
again.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from airouter.domain.catalogue import Catalogue, Channel
from airouter.domain.ids import ChannelId

Tiers = tuple[tuple[Channel, ...], ...]

NONE: Final[Tiers] = ()


class Routes:
    """The channels of one catalogue, arranged by (group, model) as calls ask for them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._tiers: dict[tuple[str, str], Tiers] = {}

    def tiers(self, group: str, model: str) -> Tiers:
        """Channels that may serve this, highest priority first."""
        found = self._tiers.get((group, model))
        if found is None:
            found = self._tiers[group, model] = self._arrange(group, model)
        return found

    def _arrange(self, group: str, model: str) -> Tiers:
        able = [
            channel
            for channel in self.catalogue.channels
            if channel.is_enabled and model in channel.models and group in channel.groups
        ]
        priorities = sorted({channel.priority for channel in able}, reverse=True)
        return tuple(tuple(channel for channel in able if channel.priority == priority) for priority in priorities)


def choose(tiers: Tiers, tried: AbstractSet[ChannelId], cooling: AbstractSet[ChannelId], draw: float) -> Channel | None:
    """The next channel to try: the best tier that has a healthy one, by weight; cooling ones only when nothing else is
    left.

    `draw` is uniform in [0, 1).
    """
    last_resort: list[Channel] = []
    for tier in tiers:
        untried = [channel for channel in tier if channel.channel_id not in tried]
        healthy = [channel for channel in untried if channel.channel_id not in cooling]
        if healthy:
            return _by_weight(healthy, draw)
        last_resort += untried
    return _by_weight(last_resort, draw) if last_resort else None


def _by_weight(channels: list[Channel], draw: float) -> Channel:
    """A channel of weight 0 is used only when it stands alone."""
    total = sum(channel.weight for channel in channels)
    if not total:
        return channels[int(draw * len(channels))]
    left = draw * total
    for channel in channels:
        left -= channel.weight
        if left < 0:
            return channel
    return channels[-1]
