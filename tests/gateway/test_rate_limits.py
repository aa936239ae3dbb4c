"""Limits of requests, tokens and calls at once, on a process that is alone with them."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.catalogue import Channel, ChannelOptions
from airouter.domain.errors import ChannelsAtCapacity, RateLimitExceeded, RequestExceedsRateLimit
from airouter.domain.ids import ChannelId
from airouter.domain.pricing import Ceiling
from airouter.domain.rate_limit import WINDOW_SECONDS, RateLimits
from airouter.gateway.rates.headers import duration
from airouter.gateway.rates.limits import NO_SLOT, RateLimiter, Slot
from airouter.gateway.rates.window import GRAIN_SECONDS, Window
from airouter.world import new_id
from tests.gateway.limited import Clock, caller, terms


def entered(limiter: RateLimiter, *arguments: object) -> Slot:
    """A place that was to be had at once: a process that is alone never has to wait."""
    slot = limiter.try_enter(*arguments)  # type: ignore[arg-type]
    assert slot is not None
    return slot


def requests(limit: int) -> RateLimits:
    return RateLimits(requests_per_minute=limit)


def test_a_call_without_limits_gets_no_headers_and_is_not_remembered():
    limiter = RateLimiter(Clock())
    assert limiter.try_enter(caller(), terms()) is NO_SLOT
    NO_SLOT.leave({"output": 5})
    assert NO_SLOT.headers == ()


def test_the_limit_holds_over_any_sixty_seconds():
    clock, who = Clock(), caller(limits=requests(3))
    limiter = RateLimiter(clock)
    for clock.at in (0.0, 30.0, 59.0):
        entered(limiter, who, terms()).leave()
    clock.at = 59.9
    with pytest.raises(RateLimitExceeded) as refused:
        limiter.try_enter(who, terms())
    assert refused.value.details["retry_after_seconds"] == 1
    clock.at = 60.0  # the call at 0.0 is a minute ago
    entered(limiter, who, terms()).leave()
    clock.at = 61.0
    with pytest.raises(RateLimitExceeded) as refused:
        limiter.try_enter(who, terms())
    assert refused.value.details["retry_after_seconds"] == 29


def test_the_headers_count_down_and_say_when_room_comes_back():
    clock, who = Clock(10.0), caller(limits=requests(2))
    limiter = RateLimiter(clock)
    first = dict(entered(limiter, who, terms()).headers)
    assert first[b"x-ratelimit-limit-requests"] == b"2"
    assert first[b"x-ratelimit-remaining-requests"] == b"1"
    assert first[b"x-ratelimit-reset-requests"] == b"1m0s"
    clock.at = 15.0
    second = dict(entered(limiter, who, terms()).headers)
    assert second[b"x-ratelimit-remaining-requests"] == b"0"
    assert second[b"x-ratelimit-reset-requests"] == b"55s"


def test_calls_at_once_are_bounded_and_a_refused_call_counts_for_nothing():
    who, limiter = caller(limits=RateLimits(requests_per_minute=100, concurrency=2)), RateLimiter(Clock())
    slots = [entered(limiter, who, terms()), entered(limiter, who, terms())]
    for _ in range(5):
        with pytest.raises(RateLimitExceeded):
            limiter.try_enter(who, terms())
    slots.pop().leave()
    assert dict(entered(limiter, who, terms()).headers)[b"x-ratelimit-remaining-requests"] == b"97"


def test_leaving_twice_frees_one_place():
    who, limiter = caller(limits=RateLimits(concurrency=1)), RateLimiter(Clock())
    slot = entered(limiter, who, terms())
    slot.leave()
    slot.leave()
    entered(limiter, who, terms())
    with pytest.raises(RateLimitExceeded):
        limiter.try_enter(who, terms())


def test_a_lowered_limit_counts_what_was_done_under_the_higher_one():
    clock = Clock()
    limiter = RateLimiter(clock)
    for clock.at in map(float, range(5)):
        entered(limiter, caller(limits=requests(10)), terms()).leave()
    clock.at = 5.0
    with pytest.raises(RateLimitExceeded) as refused:
        limiter.try_enter(caller(limits=requests(2)), terms())
    assert refused.value.details["retry_after_seconds"] == 58


def test_tokens_are_counted_by_the_most_a_call_may_use_and_corrected_by_what_it_used():
    who, limiter = caller(limits=RateLimits(tokens_per_minute=150)), RateLimiter(Clock())
    first = entered(limiter, who, terms(input_tokens=10, output_tokens=90))
    assert dict(first.headers)[b"x-ratelimit-remaining-tokens"] == b"50"
    with pytest.raises(RateLimitExceeded) as refused:
        limiter.try_enter(who, terms())
    assert "150 tokens a minute" in refused.value.message
    first.leave({"input": 6, "cached_input": 4, "output": 10, "reasoning": 5, "request": 1, "search": 3})
    assert dict(entered(limiter, who, terms()).headers)[b"x-ratelimit-remaining-tokens"] == b"25"


def test_an_answer_that_outgrew_its_bound_counts_in_full():
    clock, who = Clock(), caller(limits=RateLimits(tokens_per_minute=1000))
    limiter = RateLimiter(clock)
    long = entered(limiter, who, terms())
    clock.at = 100.0  # its bound has left the minute by now
    long.leave({"output": 950})
    with pytest.raises(RateLimitExceeded) as refused:
        limiter.try_enter(who, terms(output_tokens=200))
    assert refused.value.details["retry_after_seconds"] == 60


def test_a_call_that_moves_to_other_terms_counts_once_and_one_that_goes_on_elsewhere_counts_its_bound():
    who = caller(limits=RateLimits(requests_per_minute=2, tokens_per_minute=200, concurrency=1))
    limiter = RateLimiter(Clock())
    entered(limiter, who, terms()).withdraw()
    entered(limiter, who, terms()).leave_counted()
    told = dict(entered(limiter, who, terms()).headers)
    assert (told[b"x-ratelimit-remaining-requests"], told[b"x-ratelimit-remaining-tokens"]) == (b"0", b"0")


def test_a_call_that_no_minute_has_room_for_is_told_so_and_not_to_come_back():
    who, limiter = caller(limits=RateLimits(tokens_per_minute=50)), RateLimiter(Clock())
    with pytest.raises(RequestExceedsRateLimit) as refused:
        limiter.try_enter(who, terms())
    assert "50 tokens" in refused.value.message
    assert "100" in refused.value.message
    entered(limiter, who, terms(input_tokens=1, output_tokens=1))


@pytest.mark.parametrize(
    ("whose", "words"),
    [("key", "This API key"), ("account", "This account"), ("group", "in this group"), ("model", "over all accounts")],
)
def test_a_refusal_names_the_limit_and_whose_it_is(whose: str, words: str):
    one = requests(1)
    who = caller(limits=one if whose == "key" else None, account_limits=one if whose == "account" else None)
    what = terms(group=one if whose == "group" else None, model=one if whose == "model" else None)
    limiter = RateLimiter(Clock())
    entered(limiter, who, what)
    with pytest.raises(RateLimitExceeded) as refused:
        limiter.try_enter(who, what)
    assert words in refused.value.message
    assert "1 requests a minute" in refused.value.message


def test_keys_share_their_accounts_limit_and_not_each_others():
    limiter, account = RateLimiter(Clock()), requests(3)
    first = caller(key=1, limits=requests(2), account_limits=account)
    second = caller(key=9, limits=requests(2), account_limits=account)
    for who in (first, first, second):
        entered(limiter, who, terms())
    with pytest.raises(RateLimitExceeded) as refused:
        limiter.try_enter(second, terms())
    assert "This account" in refused.value.message


def test_a_groups_limit_is_each_accounts_own_and_a_models_is_everybodys():
    limiter = RateLimiter(Clock())
    group, model = terms(group=requests(1)), terms(model=requests(1))
    for account in (10, 11):
        entered(limiter, caller(account=account), group)
    entered(limiter, caller(account=10), model)
    with pytest.raises(RateLimitExceeded):
        limiter.try_enter(caller(account=11), model)


def test_the_headers_tell_of_the_tightest_limit():
    limiter = RateLimiter(Clock())
    who = caller(limits=requests(100), account_limits=RateLimits(requests_per_minute=10, tokens_per_minute=5000))
    told = dict(entered(limiter, who, terms(model=RateLimits(tokens_per_minute=300))).headers)
    assert told[b"x-ratelimit-limit-requests"] == b"10"
    assert told[b"x-ratelimit-limit-tokens"] == b"300"
    assert told[b"x-ratelimit-remaining-tokens"] == b"200"


async def test_of_two_hundred_calls_at_once_a_limit_of_fifty_lets_fifty_through():
    who, limiter = caller(limits=requests(50)), RateLimiter(Clock())

    async def call() -> bool:
        await asyncio.sleep(0)
        try:
            slot = limiter.try_enter(who, terms()) or await limiter.enter(who, terms())
        except RateLimitExceeded:
            return False
        await asyncio.sleep(0)
        slot.leave()
        return True

    assert sum(await asyncio.gather(*(call() for _ in range(200)))) == 50


async def test_a_channel_at_its_cap_has_no_place_and_is_free_again_when_a_call_ends():
    limiter, ceiling = RateLimiter(Clock()), Ceiling(input_tokens=1, output_tokens=1)
    channel = Channel(
        channel_id=ChannelId(new_id()), name="c", provider="openai", base_url="", models={}, groups=frozenset(),
        options=ChannelOptions(caps=RateLimits(concurrency=1)),
    )  # fmt: skip
    slot = await limiter.enter_channel(channel, ceiling)
    with pytest.raises(ChannelsAtCapacity):
        await limiter.enter_channel(channel, ceiling)
    slot.leave()
    await limiter.enter_channel(channel, ceiling)


def test_what_nobody_asks_for_any_more_leaves_the_memory():
    clock = Clock()
    limiter = RateLimiter(clock)
    for number in range(1000):
        entered(limiter, caller(key=number + 1, limits=requests(5)), terms()).leave()
    clock.at = 1000.0
    entered(limiter, caller(key=5000, limits=requests(5)), terms())
    assert len(limiter) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, b"0ms"), (0.0121, b"13ms"), (1, b"1s"), (7.66, b"7.66s"), (59.9999, b"1m0s"), (60, b"1m0s"), (360, b"6m0s")],
)
def test_durations_are_written_as_openai_does(seconds: float, text: bytes):
    assert duration(seconds) == text


@given(st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=400), st.integers(1, 40))
def test_no_sixty_seconds_hold_more_than_the_limit_and_nothing_is_remembered_much_longer(gaps: list[float], limit: int):
    window, now = Window(), 0.0
    admitted: list[float] = []
    for gap in gaps:
        now += gap
        exact = sum(1 for at in admitted if at > now - WINDOW_SECONDS)
        generous = sum(1 for at in admitted if at > now - WINDOW_SECONDS - GRAIN_SECONDS)
        assert exact <= window.total(now) <= generous
        if window.total(now) < limit:
            window.add(now, 1)
            admitted.append(now)
            assert exact + 1 <= limit


@given(st.lists(st.tuples(st.floats(0, 0.3), st.integers(1, 10_000)), min_size=1, max_size=2000))
def test_a_window_has_at_most_121_buckets(events: list[tuple[float, int]]):
    window, now = Window(), 0.0
    for gap, amount in events:
        now += gap
        window.total(now)
        window.add(now, amount)
        assert len(window) <= 122
