"""Which channel serves a call."""

from collections import Counter
from uuid import UUID

from airouter.domain.catalogue import Catalogue, Channel
from airouter.domain.ids import ChannelId
from airouter.domain.policy import Policies
from airouter.gateway.health import Health
from airouter.gateway.route import Routes, choose


def channel(number: int, *, priority: int = 0, weight: int = 1, **changes: object) -> Channel:
    fields = {
        "channel_id": ChannelId(UUID(int=number)),
        "name": f"channel {number}",
        "provider": "openai",
        "base_url": "https://api.example/v1",
        "models": {"demo": "upstream-demo"},
        "groups": frozenset({"default"}),
        "priority": priority,
        "weight": weight,
    }
    return Channel(**(fields | changes))


def routes(*channels: Channel) -> Routes:
    return Routes(Catalogue(models={}, groups={}, channels=channels, policies=Policies()))


def test_only_enabled_channels_of_the_group_that_know_the_model_are_candidates():
    found = routes(
        channel(1),
        channel(2, is_enabled=False),
        channel(3, groups=frozenset({"vip"})),
        channel(4, models={"other": "other"}),
    ).tiers("default", "demo")
    assert [[c.channel_id.int for c in tier] for tier in found] == [[1]]


def test_the_highest_priority_is_tried_first_and_the_next_one_after_it_failed():
    tiers = routes(channel(1, priority=0), channel(2, priority=10)).tiers("default", "demo")
    first = choose(tiers, set(), frozenset(), 0.5)
    assert first is not None
    assert first.channel_id.int == 2
    second = choose(tiers, {first.channel_id}, frozenset(), 0.5)
    assert second is not None
    assert second.channel_id.int == 1
    assert choose(tiers, {first.channel_id, second.channel_id}, frozenset(), 0.5) is None


def test_a_cooling_channel_waits_behind_a_lower_priority_but_is_better_than_none():
    tiers = routes(channel(1, priority=0), channel(2, priority=10)).tiers("default", "demo")
    cooling = frozenset({ChannelId(UUID(int=2))})
    first = choose(tiers, set(), cooling, 0.0)
    assert first is not None
    assert first.channel_id.int == 1
    last = choose(tiers, {ChannelId(UUID(int=1))}, cooling, 0.0)
    assert last is not None
    assert last.channel_id.int == 2


def test_weights_share_the_calls_of_a_tier():
    tiers = routes(channel(1, weight=3), channel(2, weight=1), channel(3, weight=0)).tiers("default", "demo")
    chosen = [choose(tiers, set(), frozenset(), n / 1000) for n in range(1000)]
    draws = Counter(one.channel_id.int for one in chosen if one is not None)
    assert draws == {1: 750, 2: 250}


def test_a_channel_of_weight_zero_is_used_when_it_stands_alone():
    tiers = routes(channel(3, weight=0)).tiers("default", "demo")
    assert choose(tiers, set(), frozenset(), 0.999) is not None


def test_a_cool_down_ends_by_itself_or_with_a_success():
    health, one, two = Health(), ChannelId(UUID(int=1)), ChannelId(UUID(int=2))
    health.failed(one, 0.0, 15)
    health.failed(two, 0.0, 15)
    health.worked(two)
    assert health.cooling(14.9) == {one}
    assert health.cooling(15.0) == frozenset()
