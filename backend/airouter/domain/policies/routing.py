"""How long to wait for an upstream, how often to try another, which one to prefer, and when to leave one alone."""

from typing import Annotated, Literal

from msgspec import Meta

from airouter.domain.errors import InvalidRequest
from airouter.domain.policies.topic import Seconds, Topic

Preference = Literal["weight", "cost", "latency"]
Percent = Annotated[int, Meta(ge=0, le=100)]


class Routing(Topic, frozen=True, kw_only=True):
    """How long to wait for an upstream, how often to try another, which one to prefer, and when to leave one alone."""

    connect_seconds: Seconds = 5
    first_byte_seconds: Seconds = 300
    idle_seconds: Seconds = 120
    total_seconds: Annotated[int, Meta(ge=1, le=7200)] = 600
    """Since the call began: no attempt begins later, and those after the first wait for a head no longer than what is
    left. 600 is how long the official clients wait.
    """
    attempts_max: Annotated[int, Meta(ge=1, le=20)] = 3
    retry_percent: Percent = 20
    """Attempts after a call's first, in percent of calls. More would multiply an outage's load by `attempts_max`."""
    retries_per_second: Annotated[int, Meta(ge=0, le=10_000)] = 30
    """Such attempts that are allowed however few calls there are; ten seconds' worth may come at once."""
    failures_in_a_row: Annotated[int, Meta(ge=2, le=1000)] = 3
    """A channel that failed so often without a success in between is left out. Anybody fails once."""
    failure_percent: Annotated[int, Meta(ge=1, le=100)] = 50
    """A channel that failed at this share of at least `failure_calls_min` calls within the window is left out too."""
    failure_calls_min: Annotated[int, Meta(ge=1, le=100_000)] = 10
    failure_window_seconds: Seconds = 30
    cool_down_seconds: Annotated[int, Meta(ge=0, le=3600)] = 15
    """How long it is left out; twice as long each time the attempt after it fails too."""
    cool_down_seconds_max: Annotated[int, Meta(ge=0, le=86_400)] = 300
    retry_after_seconds_max: Annotated[int, Meta(ge=1, le=86_400)] = 600
    """What a provider's `retry-after` counts at most."""
    left_out_percent_max: Percent = 67
    """Never more of those that could serve a model are left out at once, and never all: two of three, one of two."""
    credential_refusals_max: Annotated[int, Meta(ge=1, le=1000)] = 3
    """A credential that was refused so often in a row, with a cool-down between, is disabled until an operator enables
    it.
    """
    prefer: Preference = "weight"
    """Within a priority: by weight; what costs the operator least; or what answered fastest lately."""
    prefer_by_model: dict[Annotated[str, Meta(min_length=1, max_length=200)], Preference] = {}  # noqa: RUF012 - a struct copies it
    explore_percent: Percent = 5
    """Calls that `latency` sends by weight, so that a slow channel is noticed when it became fast."""
    affinity: Literal["off", "stated", "prefix"] = "stated"
    """Calls of one conversation keep to one channel and credential, for the provider's prompt cache. `stated`: where
    the request names a `prompt_cache_key` or a `metadata.user_id`; `prefix`: else by how its body begins.
    """

    def check(self) -> None:
        """Raises InvalidRequest."""
        if self.cool_down_seconds_max < self.cool_down_seconds:
            raise InvalidRequest(
                "cool_down_seconds_max: not smaller than cool_down_seconds.", field="cool_down_seconds_max"
            )
        if self.connect_seconds > self.total_seconds:
            raise InvalidRequest("total_seconds: not smaller than connect_seconds.", field="total_seconds")

    def cool_down(self, times: int) -> float:
        """Seconds to leave somebody alone who failed for the `times`-th time in a row, from 1."""
        return min(self.cool_down_seconds_max, self.cool_down_seconds << min(times - 1, 20))
