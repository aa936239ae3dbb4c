"""Requests per minute and concurrency of one key, on one process."""

from uuid import UUID

import pytest

from airouter.domain.errors import RateLimitExceeded
from airouter.domain.ids import AccountId, KeyId, UserId, WalletId
from airouter.domain.key import Caller
from airouter.gateway.rate_limits import RateLimits


def caller(*, per_minute: int | None = None, at_once: int | None = None) -> Caller:
    return Caller(
        key_id=KeyId(UUID(int=1)),
        account_id=AccountId(UUID(int=2)),
        wallet_id=WalletId(100),
        user_id=UserId(UUID(int=3)),
        status="active",
        account_status="active",
        account_group="default",
        key_group=None,
        is_operator=False,
        is_limited=False,
        requests_per_minute=per_minute,
        concurrency=at_once,
    )


def test_a_key_without_limits_gets_no_headers_and_is_not_remembered():
    slot = RateLimits().enter(caller(), 0.0)
    assert slot.headers == ()
    slot.leave()


def test_the_limit_holds_over_any_sixty_seconds():
    limits, who = RateLimits(), caller(per_minute=3)
    for at in (0.0, 30.0, 59.0):
        limits.enter(who, at).leave()
    with pytest.raises(RateLimitExceeded) as refused:
        limits.enter(who, 59.9)
    assert refused.value.details["retry_after_seconds"] == 1
    limits.enter(who, 60.0).leave()  # the call at 0.0 is a minute ago
    with pytest.raises(RateLimitExceeded) as refused:
        limits.enter(who, 61.0)
    assert refused.value.details["retry_after_seconds"] == 29


def test_the_headers_count_down_and_say_when_room_comes_back():
    limits, who = RateLimits(), caller(per_minute=2)
    first = dict(limits.enter(who, 10.0).headers)
    assert first[b"x-ratelimit-limit-requests"] == b"2"
    assert first[b"x-ratelimit-remaining-requests"] == b"1"
    second = dict(limits.enter(who, 15.0).headers)
    assert second[b"x-ratelimit-remaining-requests"] == b"0"
    assert second[b"x-ratelimit-reset-requests"] == b"55000ms"


def test_calls_in_flight_are_bounded_and_a_refused_call_counts_for_nothing():
    limits, who = RateLimits(), caller(per_minute=100, at_once=2)
    slots = [limits.enter(who, 0.0), limits.enter(who, 0.0)]
    for _ in range(5):
        with pytest.raises(RateLimitExceeded):
            limits.enter(who, 0.0)
    slots.pop().leave()
    remaining = dict(limits.enter(who, 0.0).headers)[b"x-ratelimit-remaining-requests"]
    assert remaining == b"97"


def test_leaving_twice_frees_one_place():
    limits, who = RateLimits(), caller(at_once=1)
    slot = limits.enter(who, 0.0)
    slot.leave()
    slot.leave()
    limits.enter(who, 0.0)
    with pytest.raises(RateLimitExceeded):
        limits.enter(who, 0.0)


def test_a_lowered_limit_counts_what_was_done_under_the_higher_one():
    limits = RateLimits()
    for at in range(5):
        limits.enter(caller(per_minute=10), float(at)).leave()
    with pytest.raises(RateLimitExceeded) as refused:
        limits.enter(caller(per_minute=2), 5.0)
    assert refused.value.details["retry_after_seconds"] == 58
