"""Which channels failed a moment ago. A cooling channel is tried last, never excluded: one bad answer does not end a
service.
"""

from airouter.domain.ids import ChannelId


class Health:
    """Cool-downs of this process. A success ends one early."""

    def __init__(self) -> None:
        self._until: dict[ChannelId, float] = {}

    def cooling(self, now: float) -> frozenset[ChannelId]:
        """The channels to try last."""
        if not self._until:
            return frozenset()
        for channel_id in [c for c, until in self._until.items() if until <= now]:
            del self._until[channel_id]
        return frozenset(self._until)

    def failed(self, channel_id: ChannelId, now: float, cool_down_seconds: float) -> None:
        """It broke, refused us or was overloaded."""
        self._until[channel_id] = now + cool_down_seconds

    def worked(self, channel_id: ChannelId) -> None:
        """It answered."""
        if self._until:
            self._until.pop(channel_id, None)
