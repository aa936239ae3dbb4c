"""Which channels may serve what: by group and model, highest priority first. `choose.py` picks one of them."""

from typing import Final

from airouter.domain.catalogue import Catalogue, Channel
from airouter.domain.policies.routing import Preference

Tiers = tuple[tuple[Channel, ...], ...]

NONE: Final[Tiers] = ()


class Candidates:
    """The channels that may serve one model in one group."""

    __slots__ = ("has_choice", "left_out_max", "only", "preference", "tiers")

    def __init__(self, tiers: Tiers, preference: Preference, left_out_percent_max: int) -> None:
        self.tiers = tiers
        """Highest priority first."""
        count = sum(len(tier) for tier in tiers)
        self.only = tiers[0][0] if count == 1 else None
        """Where there is but one."""
        self.has_choice = self.only is None or len(self.only.credentials) > 1
        self.left_out_max = max(0, min(count - 1, count * left_out_percent_max // 100))
        """So many of them may be left out at once."""
        self.preference = preference


class Routes:
    """The channels of one catalogue, arranged by (group, model) as calls ask for them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._candidates: dict[tuple[str, str], Candidates] = {}

    def candidates(self, group: str, model: str) -> Candidates:
        """Who may serve this."""
        found = self._candidates.get((group, model))
        if found is None:
            found = self._candidates[group, model] = self._arrange(group, model)
        return found

    def tiers(self, group: str, model: str) -> Tiers:
        """Channels that may serve this, highest priority first."""
        return self.candidates(group, model).tiers

    def _arrange(self, group: str, model: str) -> Candidates:
        able = [
            channel
            for channel in self.catalogue.channels
            if channel.is_enabled and model in channel.models and group in channel.groups
        ]
        priorities = sorted({channel.priority for channel in able}, reverse=True)
        rules = self.catalogue.policies.routing
        return Candidates(
            tuple(tuple(channel for channel in able if channel.priority == priority) for priority in priorities),
            rules.prefer_by_model.get(model, rules.prefer),
            rules.left_out_percent_max,
        )
