"""Who is left alone for a while, as seen from this process: channels that break, credentials that are refused or full.

```
channel:     fine ── failures in a row, or a share of a window ──> out ── cool-down over ──> one attempt at a time
              ^                                                     ^                           │
              └───────── an attempt that began while it was out succeeded ─────────────────────┤
                                                                    └── failed: out, twice as long ┘
credential:  fine ── refused, or at its limit ──> resting ── time over, or a success ──> fine
             resting ── refused again after each rest, so often as policy says ──> the operator is told: disabled
```

An outcome counts by when its attempt *began*: what began before a channel was put out says nothing about it now.
Time is an argument throughout; nothing here waits or draws.
"""

from typing import Literal
from uuid import UUID

import msgspec

from airouter.domain.ids import ChannelId, CredentialId
from airouter.domain.policy import Routing

Target = ChannelId | CredentialId | tuple[ChannelId, str]
"""Who rests: a credential, a channel that has none, or a channel for one model only, which its vendor does not know."""
State = Literal["watched", "out", "probing", "resting"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known against one channel or credential. `left_seconds`: how long it is left alone yet.

    `watched`: it failed lately, and is used. `out`: not used; `probing`: one attempt at a time is let through.
    `resting`: used only where nothing else is left.
    """

    state: State
    reason: str
    left_seconds: int = 0
    in_a_row: int = 0


class Failing:
    """A channel with failures in its window. `since` None: it is used all the same."""

    __slots__ = ("calls", "failures", "in_a_row", "probe_began", "reason", "rounds", "since", "until", "window_until")

    def __init__(self, window_until: float) -> None:
        self.calls = self.failures = self.in_a_row = self.rounds = 0
        self.window_until = window_until
        self.reason = ""
        self.since: float | None = None
        self.until = 0.0
        self.probe_began: float | None = None
        """The attempt that is to tell whether it is over."""

    def put_out(self, now: float, rules: Routing) -> None:
        self.rounds += 1
        self.since, self.until, self.probe_began = now, now + rules.cool_down(self.rounds), None


class Resting:
    """A credential, or a channel that needs none, which asked for a pause or was refused."""

    __slots__ = ("reason", "refusals", "rounds", "since", "until")

    def __init__(self) -> None:
        self.reason = ""
        self.refusals = self.rounds = 0
        self.since = self.until = 0.0


class Health:
    """One per process. Costs nothing while all is well."""

    def __init__(self) -> None:
        self._failing: dict[ChannelId, Failing] = {}
        self._resting: dict[Target, Resting] = {}

    @property
    def is_calm(self) -> bool:
        """Nothing is known against anybody."""
        return not self._failing and not self._resting

    # -- asked before an attempt

    def is_out(self, channel_id: ChannelId, now: float) -> bool:
        """It must not be used now: its cool-down runs, or the attempt that is to end it is under way."""
        one = self._failing.get(channel_id)
        return one is not None and one.since is not None and (now < one.until or one.probe_began is not None)

    def out_until(self, channel_id: ChannelId) -> float:
        """When its cool-down ends; 0: it has none."""
        one = self._failing.get(channel_id)
        return 0.0 if one is None or one.since is None else one.until

    def is_resting(self, target: Target, now: float) -> bool:
        """To be used only where nothing else is left."""
        one = self._resting.get(target)
        if one is None:
            return False
        if one.until > now:
            return True
        if not one.rounds:
            del self._resting[target]
        return False

    def began(self, channel_id: ChannelId, now: float) -> None:
        """An attempt begins. Of a channel whose cool-down is over it is the only one until its outcome is known."""
        one = self._failing.get(channel_id)
        if one is not None and one.since is not None and one.probe_began is None and now >= one.until:
            one.probe_began = now

    # -- told after it; `began` is what `began` was told

    def worked(self, channel_id: ChannelId, credential_id: CredentialId | None, began: float) -> None:
        """It answered: to whatever effect, but with an answer."""
        one = self._failing.get(channel_id)
        if one is not None:
            one.calls += 1
            one.in_a_row = 0
            is_over = began >= one.window_until if one.since is None else began >= one.since
            if is_over:
                del self._failing[channel_id]
        for target in (channel_id, credential_id):
            resting = None if target is None else self._resting.get(target)
            if target is not None and resting is not None and began >= resting.since:
                del self._resting[target]

    def failed(self, channel_id: ChannelId, began: float, now: float, rules: Routing, reason: str) -> None:
        """It broke, was too slow, or could not be reached."""
        one = self._failing.get(channel_id)
        if one is None:
            one = self._failing[channel_id] = Failing(now + rules.failure_window_seconds)
        elif one.since is None and now >= one.window_until:
            one.calls = one.failures = 0
            one.window_until = now + rules.failure_window_seconds
        one.calls += 1
        one.failures += 1
        one.in_a_row += 1
        one.reason = reason
        if one.since is None:
            share_is_reached = one.failures * 100 >= rules.failure_percent * one.calls
            if one.in_a_row >= rules.failures_in_a_row or (one.calls >= rules.failure_calls_min and share_is_reached):
                one.put_out(now, rules)
        elif began == one.probe_began:
            one.put_out(now, rules)
        elif began >= one.since:  # used because too many were out: the one that failed last is the last to be used
            one.until = max(one.until, now + rules.cool_down(one.rounds))

    def abandoned(self, channel_id: ChannelId, began: float) -> None:
        """An attempt ended without saying anything about the channel: the next one may be the probe."""
        one = self._failing.get(channel_id)
        if one is not None and one.probe_began == began:
            one.probe_began = None

    def rest(self, target: Target, now: float, seconds: float, reason: str) -> None:
        """It is at its limit and asked for a pause. That is no failure."""
        one = self._resting.setdefault(target, Resting())
        one.since, one.reason = now, reason
        one.until = max(one.until, now + seconds)

    def refused(
        self, credential_id: CredentialId, began: float, now: float, rules: Routing, *, is_invalid: bool
    ) -> bool:
        """The credential was refused. True: so often in a row, each time after a rest, that it is to be disabled.

        `is_invalid`: the credential itself, not what it may do or pay at the moment.
        """
        one = self._resting.setdefault(credential_id, Resting())
        if one.rounds and began < one.until:  # of the same moment as the last one
            return False
        one.rounds += 1
        one.refusals += is_invalid
        one.reason = "credential" if is_invalid else "funds"
        one.since, one.until = now, now + rules.cool_down(one.rounds)
        return one.refusals >= rules.credential_refusals_max

    # -- for people

    def view(self, now: float) -> dict[UUID, Standing]:
        """Everybody against whom something is known, by the id of the channel or credential."""
        found: dict[UUID, Standing] = {
            target: _resting(one, now) for target, one in self._resting.items() if not isinstance(target, tuple)
        }
        found |= {channel_id: _failing(one, now) for channel_id, one in self._failing.items()}
        return found

    def keep(self, known: frozenset[UUID]) -> None:
        """Forget whoever is not among these."""
        for channel_id in [one for one in self._failing if one not in known]:
            del self._failing[channel_id]
        for target in [one for one in self._resting if (one[0] if isinstance(one, tuple) else one) not in known]:
            del self._resting[target]


def _failing(one: Failing, now: float) -> Standing:
    left = 0 if one.since is None else max(0, round(one.until - now))
    state: State = "watched" if one.since is None else "out" if now < one.until else "probing"
    return Standing(state=state, reason=one.reason, left_seconds=left, in_a_row=one.in_a_row)


def _resting(one: Resting, now: float) -> Standing:
    left = max(0, round(one.until - now))
    return Standing(
        state="resting" if now < one.until else "watched", reason=one.reason, left_seconds=left, in_a_row=one.rounds
    )
