"""The next channel and credential of a call: health first, then priority, then what policy prefers."""

from collections.abc import Callable, Sequence
from typing import Final

from airouter.domain.catalogue import Channel, Credential
from airouter.domain.ids import ChannelId, CredentialId
from airouter.domain.policy import Routing
from airouter.domain.pricing import hold_size
from airouter.gateway.admit import Terms
from airouter.gateway.routing.affinity import keep_to
from airouter.gateway.routing.health import Health
from airouter.gateway.routing.route import Candidates

_NEW_SHARE: Final = 0.2
"""How much one answer moves the average of a channel's times."""


class Spent:
    """What has failed for one call already: it is not asked again."""

    __slots__ = ("channels", "credentials")

    def __init__(self) -> None:
        self.channels: set[ChannelId] = set()
        self.credentials: set[CredentialId] = set()

    def add(self, channel: Channel, credential: Credential | None) -> None:
        """This credential; the channel, if it has no other."""
        if credential is not None:
            self.credentials.add(credential.credential_id)
        if len(channel.credentials) < 2:
            self.channels.add(channel.channel_id)

    def has(self, channel: Channel) -> bool:
        """Nothing of it is left to try."""
        if channel.channel_id in self.channels:
            return True
        every = channel.credentials
        return bool(every) and all(one.credential_id in self.credentials for one in every)


class Chosen:
    """A channel, and which of its credentials (None where it needs none), for an attempt that begins now."""

    __slots__ = ("began", "channel", "credential")

    def __init__(self, began: float, channel: Channel, credential: Credential | None) -> None:
        self.began = began
        self.channel = channel
        self.credential = credential


class Chooser:
    """One per process: it remembers whose turn it is and who was fast."""

    def __init__(self, health: Health, draw: Callable[[], float]) -> None:
        self._health = health
        self._draw = draw
        self._turns: dict[ChannelId, int] = {}
        self._first_byte_ms: dict[tuple[ChannelId, str], float] = {}

    def choose(
        self,
        candidates: Candidates,
        terms: Terms,
        rules: Routing,
        now: float,
        *,
        spent: Spent | None,
        conversation: bytes | None,
        has_others: bool = False,
    ) -> Chosen | None:
        """The next one to try: of the best priority that has somebody well; somebody who rests, where nobody else is
        left; None: everybody was tried or is left out. `has_others`: another model or group would do, so that even all
        of these may be left out.
        """
        is_calm = self._health.is_calm
        if is_calm and spent is None and candidates.tiers:  # as nearly always
            channel = candidates.only or self._preferred(candidates.tiers[0], candidates, terms, rules, conversation)
            return Chosen(now, channel, self.credential(channel, None, conversation, now))
        out = frozenset[ChannelId]() if is_calm else self._left_out(candidates, spent, now, has_others=has_others)
        rested: list[Channel] = []
        for tier in candidates.tiers:
            left = [
                channel
                for channel in tier
                if channel.channel_id not in out and (spent is None or not spent.has(channel))
            ]
            well = left if is_calm else [channel for channel in left if not self._rests(channel, terms, spent, now)]
            if well:
                channel = self._preferred(well, candidates, terms, rules, conversation)
                return Chosen(now, channel, self.credential(channel, spent, conversation, now))
            rested += left
        if not rested:
            return None
        channel = self._by_weight(rested)
        return Chosen(now, channel, self.credential(channel, spent, conversation, now))

    def credential(
        self, channel: Channel, spent: Spent | None, conversation: bytes | None, now: float
    ) -> Credential | None:
        """Of a channel's credentials one that does not rest, in turn; a conversation keeps to its own."""
        every: Sequence[Credential] = channel.credentials
        if len(every) < 2:
            return every[0] if every else None
        if spent is not None:
            every = [one for one in every if one.credential_id not in spent.credentials]
        well = [one for one in every if not self._health.is_resting(one.credential_id, now)] or every
        if conversation is not None:
            return keep_to(conversation, ((one, one.credential_id, 1) for one in well))
        turn = self._turns[channel.channel_id] = self._turns.get(channel.channel_id, -1) + 1
        return well[turn % len(well)]

    def took(self, channel: Channel, model: str, seconds: float) -> None:
        """How long its first byte took, for `latency`."""
        key = channel.channel_id, model
        before = self._first_byte_ms.get(key)
        lately = seconds * 1000
        self._first_byte_ms[key] = lately if before is None else before + _NEW_SHARE * (lately - before)

    def _left_out(
        self, candidates: Candidates, spent: Spent | None, now: float, *, has_others: bool
    ) -> frozenset[ChannelId]:
        """Never more than policy allows: those whose cool-down ends first are used all the same; one that this call has
        used so already counts, so that it does not go through all of them.
        """
        health, used = self._health, spent.channels if spent is not None else ()
        out = [one.channel_id for tier in candidates.tiers for one in tier if health.is_out(one.channel_id, now)]
        if len(out) > candidates.left_out_max and not has_others:
            out.sort(key=lambda one: (one not in used, health.out_until(one)), reverse=True)
            del out[candidates.left_out_max :]
        return frozenset(out)

    def _rests(self, channel: Channel, terms: Terms, spent: Spent | None, now: float) -> bool:
        health, channel_id = self._health, channel.channel_id
        if health.is_resting(channel_id, now) or health.is_resting((channel_id, terms.model.model), now):
            return True
        every = channel.credentials
        return bool(every) and all(
            self._health.is_resting(one.credential_id, now)
            or (spent is not None and one.credential_id in spent.credentials)
            for one in every
        )

    def _preferred(
        self, well: Sequence[Channel], candidates: Candidates, terms: Terms, rules: Routing, conversation: bytes | None
    ) -> Channel:
        if len(well) == 1:
            return well[0]
        if candidates.preference == "cost":
            well = _cheapest(well, terms)
        elif candidates.preference == "latency" and self._draw() * 100 >= rules.explore_percent:
            return self._fastest(well, terms.model.model)
        if conversation is not None:
            return keep_to(conversation, ((one, one.channel_id, one.weight) for one in well))
        return self._by_weight(well)

    def _fastest(self, well: Sequence[Channel], model: str) -> Channel:
        """One of those that were never measured comes first: how else would they be."""
        times = self._first_byte_ms
        unknown = [one for one in well if (one.channel_id, model) not in times]
        return self._by_weight(unknown) if unknown else min(well, key=lambda one: times[one.channel_id, model])

    def _by_weight(self, channels: Sequence[Channel]) -> Channel:
        """A channel of weight 0 is used only when it stands alone."""
        if len(channels) == 1:
            return channels[0]
        total = sum(channel.weight for channel in channels)
        if not total:
            return channels[int(self._draw() * len(channels))]
        left = self._draw() * total
        for channel in channels:
            left -= channel.weight
            if left < 0:
                return channel
        return channels[-1]


def _cheapest(well: Sequence[Channel], terms: Terms) -> Sequence[Channel]:
    """Those whose provider charges the operator least for the most that this call can use. Who has no such figure comes
    after those who have one.
    """
    cards = [(one, one.costs.get(terms.model.model)) for one in well]
    prices = [(one, hold_size(terms.ceiling, card, 1_000_000)) for one, card in cards if card is not None]
    if not prices:
        return well
    least = min(price for _, price in prices)
    return [one for one, price in prices if price == least]
