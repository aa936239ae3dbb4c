"""Who is left alone, and for how long: the rules one by one, then any order of events against a plain model."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from airouter.domain.errors import InvalidRequest
from airouter.domain.ids import ChannelId, CredentialId
from airouter.domain.policy import Routing
from airouter.gateway.routing.health import Health
from airouter.gateway.routing.retry_after import retry_after_seconds
from airouter.gateway.routing.retry_budget import RetryBudget

RULES = Routing(failures_in_a_row=3, failure_calls_min=1000, cool_down_seconds=10, cool_down_seconds_max=40)
ONE, TWO = ChannelId(UUID(int=1)), ChannelId(UUID(int=2))
KEY = CredentialId(UUID(int=9))


def fail(health: Health, times: int, now: float, *, began: float | None = None) -> None:
    for _ in range(times):
        health.failed(ONE, now if began is None else began, now, RULES, "status 500")


def test_one_failure_changes_nothing():
    health = Health()
    fail(health, 1, 0.0)
    assert not health.is_out(ONE, 0.0)
    assert health.view(0.0)[ONE].state == "watched"
    health.worked(ONE, None, 1.0)
    fail(health, 2, 2.0)
    assert not health.is_out(ONE, 2.0), "a success in between"


def test_failures_in_a_row_put_it_out_for_its_cool_down_only():
    health = Health()
    fail(health, 3, 0.0)
    assert health.is_out(ONE, 9.9)
    assert not health.is_out(TWO, 0.0)
    assert not health.is_out(ONE, 10.0)
    standing = health.view(4.0)[ONE]
    assert (standing.state, standing.left_seconds, standing.reason) == ("out", 6, "status 500")


def test_a_share_of_failures_within_the_window_puts_it_out_too():
    health, rules = Health(), Routing(failures_in_a_row=100, failure_percent=50, failure_calls_min=10)
    for n in range(5):
        health.failed(ONE, n, n, rules, "x")
        assert not health.is_out(ONE, n)
        health.worked(ONE, None, n)
    health.failed(ONE, 6.0, 6.0, rules, "x")
    assert health.is_out(ONE, 6.0)


def test_a_failure_now_and_then_is_forgotten_with_its_window():
    health, rules = Health(), Routing(failures_in_a_row=100, failure_calls_min=2)
    for n in range(20):
        at = float(n * (rules.failure_window_seconds + 1))
        health.failed(ONE, at, at, rules, "x")
        assert not health.is_out(ONE, at)
    health.worked(ONE, None, 10_000.0)
    assert health.is_calm


def test_the_probe_decides_and_failing_it_doubles_the_cool_down():
    health = Health()
    fail(health, 3, 0.0)
    now = 0.0
    for cool_down in (10, 20, 40, 40):
        now += cool_down
        assert not health.is_out(ONE, now)
        health.began(ONE, now)
        assert health.is_out(ONE, now), "one at a time"
        health.failed(ONE, now, now, RULES, "x")
        assert health.is_out(ONE, now)
    health.began(ONE, now + 40)
    health.abandoned(ONE, now + 40)
    assert not health.is_out(ONE, now + 40), "the client left: the next one is the probe"
    health.began(ONE, now + 41)
    health.worked(ONE, None, now + 41)
    assert health.is_calm


def test_what_began_before_it_was_put_out_says_nothing_about_it_now():
    health = Health()
    fail(health, 3, 5.0)
    health.worked(ONE, None, 4.0)
    assert health.is_out(ONE, 6.0)
    fail(health, 5, 14.9, began=4.0)
    assert not health.is_out(ONE, 15.0)


def test_a_rest_is_no_failure_and_a_later_success_ends_it():
    health = Health()
    health.rest(KEY, 0.0, 30, "limited")
    assert health.is_resting(KEY, 29.9)
    assert not health.is_resting(KEY, 30.0)
    health.rest(KEY, 40.0, 30, "limited")
    health.worked(ONE, KEY, 39.0)
    assert health.is_resting(KEY, 41.0), "it began before"
    health.worked(ONE, KEY, 41.0)
    assert health.is_calm


def test_a_credential_is_given_up_after_refusals_with_a_rest_between():
    health = Health()
    refused = [health.refused(KEY, 0.0, 0.1, RULES, is_invalid=True) for _ in range(50)]
    assert not any(refused), "fifty at one moment are one"
    assert health.is_resting(KEY, 10.0)
    assert not health.refused(KEY, 10.1, 10.2, RULES, is_invalid=True)
    assert health.is_resting(KEY, 30.0)
    assert health.refused(KEY, 30.2, 30.3, RULES, is_invalid=True)


def test_an_empty_purse_rests_longer_and_longer_but_is_never_given_up():
    health, now = Health(), 0.0
    for cool_down in (10, 20, 40, 40, 40):
        assert not health.refused(KEY, now, now, RULES, is_invalid=False)
        assert health.is_resting(KEY, now + cool_down - 1)
        now += cool_down
        assert not health.is_resting(KEY, now)
    health.worked(ONE, KEY, now)
    assert health.is_calm


def test_who_is_gone_from_the_catalogue_is_forgotten():
    health = Health()
    fail(health, 3, 0.0)
    health.rest(KEY, 0.0, 30, "limited")
    health.keep(frozenset({KEY}))
    assert set(health.view(0.0)) == {KEY}
    health.keep(frozenset())
    assert health.is_calm


class AnyOrder(RuleBasedStateMachine):
    """Attempts at one channel begin and end in any order. A channel that is out is attempted only as a probe."""

    def __init__(self) -> None:
        super().__init__()
        self.health = Health()
        self.now = 0.0
        self.running: list[float] = []
        self.probes: set[float] = set()
        self.failures_since_a_success = 0

    @rule(seconds=st.integers(1, 25))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def begin(self) -> None:
        self.now += 0.001
        if self.health.is_out(ONE, self.now):
            return
        was_out = self.health.out_until(ONE) > 0
        self.health.began(ONE, self.now)
        self.running.append(self.now)
        if was_out:
            self.probes.add(self.now)
            assert self.health.is_out(ONE, self.now), "nobody beside the probe"

    @precondition(lambda self: self.running)
    @rule(data=st.data(), outcome=st.sampled_from(["worked", "failed", "abandoned"]))
    def end(self, data: st.DataObject, outcome: str) -> None:
        began = data.draw(st.sampled_from(self.running))
        self.running.remove(began)
        is_probe = began in self.probes
        self.probes.discard(began)
        if outcome == "worked":
            self.health.worked(ONE, None, began)
            self.failures_since_a_success = 0
            if is_probe:
                assert not self.health.is_out(ONE, self.now)
        elif outcome == "failed":
            was_fine = not self.health.out_until(ONE)
            self.health.failed(ONE, began, self.now, RULES, "x")
            self.failures_since_a_success += 1
            if is_probe:
                assert self.health.is_out(ONE, self.now)
            if was_fine:
                is_due = self.failures_since_a_success >= RULES.failures_in_a_row
                assert (self.health.out_until(ONE) > 0) is is_due
        else:
            self.health.abandoned(ONE, began)
            if is_probe:
                assert not self.health.is_out(ONE, self.now)

    @invariant()
    def there_is_one_probe_at_most(self) -> None:
        assert len(self.probes) <= 1

    @invariant()
    def nobody_is_left_alone_for_longer_than_the_longest_cool_down(self) -> None:
        assert self.health.out_until(ONE) <= self.now + RULES.cool_down_seconds_max
        if not self.probes:
            assert not self.health.is_out(ONE, self.now + RULES.cool_down_seconds_max)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


NOW = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({b"retry-after": b"7"}, 7),
        ({b"retry-after": b"1.2"}, 2),
        ({b"retry-after": b"0"}, 0),
        ({b"retry-after-ms": b"1500", b"retry-after": b"9"}, 2),
        ({b"retry-after": b"Thu, 01 May 2031 12:00:30 GMT"}, 30),
        ({b"retry-after": b"Thu, 01 May 2031 11:00:00 GMT"}, 0),
        ({b"retry-after": b"Thursday, 01-May-31 12:00:30 GMT"}, 30),
        ({b"retry-after": b"99999999999999999999"}, 600),
        ({b"retry-after": b"1e999"}, None),
        ({b"retry-after": b"nan"}, None),
        ({b"retry-after": b"-5"}, None),
        ({b"retry-after": b"soon"}, None),
        ({b"retry-after": b""}, None),
        ({b"date": b"x"}, None),
    ],
)
def test_when_to_come_back(headers: dict[bytes, bytes], seconds: int | None):
    assert retry_after_seconds(headers.items(), NOW, 600) == seconds


def test_the_budget_allows_a_burst_then_its_rate_and_its_share():
    budget, rules = RetryBudget(), Routing(retry_percent=20, retries_per_second=5)
    assert [budget.take(0.0, rules) for _ in range(60)].count(True) == 50
    assert [budget.take(1.0, rules) for _ in range(60)].count(True) == 5
    budget.calls += 100
    assert [budget.take(1.0, rules) for _ in range(60)].count(True) == 20


def test_no_budget_is_no_retry():
    budget = RetryBudget()
    budget.calls = 10_000
    assert not budget.take(0.0, Routing(retry_percent=0, retries_per_second=0))


def test_a_longest_cool_down_shorter_than_the_first_is_refused():
    with pytest.raises(InvalidRequest):
        Routing(cool_down_seconds=60, cool_down_seconds_max=10).check()
