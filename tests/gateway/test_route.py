"""Which channel and credential serve a call."""

from collections import Counter
from random import Random
from typing import Any
from uuid import UUID

import pytest

from airouter.domain.catalogue import Catalogue, Channel, Credential, Group, Model
from airouter.domain.ids import AccountId, ChannelId, CredentialId, RateCardId
from airouter.domain.policy import Limits, Policies, Routing
from airouter.domain.pricing import Ceiling
from airouter.domain.rate_card import RateCard
from airouter.gateway.admit import Terms
from airouter.gateway.routing.affinity import conversation_of
from airouter.gateway.routing.choose import Chooser, Chosen, Spent
from airouter.gateway.routing.health import Health
from airouter.gateway.routing.route import Candidates, Routes

RULES = Routing()
ACCOUNT = AccountId(UUID(int=7))


def card(rate: int) -> RateCard:
    return RateCard(rate_card_id=RateCardId(UUID(int=1)), model="demo", version=1, rates={"input": rate, "output": 1})


TERMS = Terms(
    model=Model(model="demo"),
    card=card(1),
    group=Group(name="default"),
    multiplier_micros=1_000_000,
    ceiling=Ceiling(input_tokens=10**6, output_tokens=0),
    is_output_stated=True,
    limits=Limits(),
)


def channel(number: int, *, priority: int = 0, weight: int = 1, credentials: int = 0, **changes: Any) -> Channel:
    fields = {
        "channel_id": ChannelId(UUID(int=number)),
        "name": f"channel {number}",
        "provider": "openai",
        "base_url": "https://api.example/v1",
        "models": {"demo": "upstream-demo"},
        "groups": frozenset({"default"}),
        "priority": priority,
        "weight": weight,
        "credentials": tuple(
            Credential(credential_id=CredentialId(UUID(int=100 * number + n)), secret=f"sk-{n}")
            for n in range(credentials)
        ),
    }
    return Channel(**(fields | changes))


def routes(*channels: Channel, rules: Routing = RULES) -> Routes:
    return Routes(Catalogue(models={}, groups={}, channels=channels, policies=Policies(routing=rules)))


class Desk:
    """A chooser with what it needs, and a seeded chance."""

    def __init__(self, *channels: Channel, rules: Routing = RULES, seed: int = 1) -> None:
        self.rules = rules
        self.candidates: Candidates = routes(*channels, rules=rules).candidates("default", "demo")
        self.health = Health()
        self.chooser = Chooser(self.health, Random(seed).random)

    def choose(self, now: float = 0.0, spent: Spent | None = None, conversation: bytes | None = None) -> Chosen | None:
        return self.chooser.choose(self.candidates, TERMS, self.rules, now, spent=spent, conversation=conversation)

    def number(self, now: float = 0.0, spent: Spent | None = None, conversation: bytes | None = None) -> int:
        chosen = self.choose(now, spent, conversation)
        return 0 if chosen is None else chosen.channel.channel_id.int

    def counts(self, calls: int = 1000, **options: Any) -> Counter[int]:
        return Counter(self.number(**options) for _ in range(calls))

    def put_out(self, *numbers: int, now: float = 0.0) -> None:
        for number in numbers:
            for _ in range(self.rules.failures_in_a_row):
                self.health.failed(ChannelId(UUID(int=number)), now, now, self.rules, "status 500")


def test_only_enabled_channels_of_the_group_that_know_the_model_are_candidates():
    found = routes(
        channel(1),
        channel(2, is_enabled=False),
        channel(3, groups=frozenset({"vip"})),
        channel(4, models={"other": "other"}),
    ).tiers("default", "demo")
    assert [[c.channel_id.int for c in tier] for tier in found] == [[1]]


def test_the_highest_priority_is_tried_first_and_the_next_one_after_it_failed():
    desk = Desk(channel(1, priority=0), channel(2, priority=10))
    spent = Spent()
    assert desk.number() == 2
    spent.channels.add(ChannelId(UUID(int=2)))
    assert desk.number(spent=spent) == 1
    spent.channels.add(ChannelId(UUID(int=1)))
    assert desk.choose(spent=spent) is None


def test_a_channel_that_is_out_is_not_asked_while_another_one_is_there():
    desk = Desk(channel(1, priority=0), channel(2, priority=10))
    desk.put_out(2)
    assert desk.counts(100, now=1.0) == {1: 100}


def test_after_the_cool_down_one_attempt_at_a_time_is_let_through():
    desk = Desk(channel(1, priority=0), channel(2, priority=10))
    desk.put_out(2)
    now = float(RULES.cool_down_seconds)
    assert desk.number(now) == 2
    desk.health.began(ChannelId(UUID(int=2)), now)
    assert desk.number(now + 1) == 1
    desk.health.worked(ChannelId(UUID(int=2)), None, now)
    assert desk.counts(10, now=now + 1) == {2: 10}
    assert desk.health.is_calm


def test_never_more_than_the_share_is_left_out_and_the_last_one_never():
    desk = Desk(channel(1), channel(2), channel(3))
    desk.put_out(1, now=0.0)
    desk.put_out(2, now=1.0)
    assert desk.counts(100, now=2.0) == {3: 100}
    desk.put_out(3, now=2.0)
    assert desk.counts(100, now=3.0) == {1: 100}, "its cool-down ends first"
    alone = Desk(channel(1), rules=Routing(left_out_percent_max=100))
    alone.put_out(1)
    assert alone.number(1.0) == 1
    nobody = Desk(channel(1), channel(2), rules=Routing(left_out_percent_max=0))
    nobody.put_out(1)
    assert set(nobody.counts(100, now=1.0)) == {1, 2}


def test_weights_share_the_calls_of_a_tier():
    desk = Desk(channel(1, weight=3), channel(2, weight=1), channel(3, weight=0))
    counts = desk.counts(4000)
    assert set(counts) == {1, 2}
    assert 2850 < counts[1] < 3150


def test_a_channel_of_weight_zero_is_used_when_it_stands_alone():
    assert Desk(channel(3, weight=0)).number() == 3
    both = Desk(channel(3, weight=0), channel(4, weight=0))
    assert set(both.counts(50)) == {3, 4}


def test_credentials_take_turns():
    desk = Desk(channel(1, credentials=3))
    chosen = [desk.choose() for _ in range(300)]
    counts = Counter(one.credential.secret for one in chosen if one is not None and one.credential is not None)
    assert counts == {"sk-0": 100, "sk-1": 100, "sk-2": 100}


def test_a_resting_credential_is_passed_over_and_a_spent_one_not_asked_again():
    desk = Desk(channel(1, credentials=3))
    first, second, third = desk.candidates.tiers[0][0].credentials
    desk.health.rest(first.credential_id, 0.0, 30, "limited")
    spent = Spent()
    spent.add(desk.candidates.tiers[0][0], second)
    for _ in range(4):
        chosen = desk.choose(1.0, spent)
        assert chosen is not None
        assert chosen.credential is third
    spent.credentials.add(third.credential_id)
    last = desk.choose(1.0, spent)
    assert last is not None
    assert last.credential is first, "one that rests is better than none"
    spent.credentials.add(first.credential_id)
    assert desk.choose(1.0, spent) is None


def test_a_channel_whose_credentials_all_rest_is_asked_last():
    desk = Desk(channel(1, priority=5, credentials=2), channel(2))
    for one in desk.candidates.tiers[0][0].credentials:
        desk.health.rest(one.credential_id, 0.0, 30, "limited")
    assert desk.counts(20, now=1.0) == {2: 20}
    spent = Spent()
    spent.channels.add(ChannelId(UUID(int=2)))
    assert desk.number(1.0, spent) == 1
    assert desk.number(31.0) == 1


def test_the_cheapest_for_this_call_comes_first_and_those_without_a_price_last():
    rules = Routing(prefer="cost")
    desk = Desk(
        channel(1),
        channel(2, costs={"demo": card(9)}),
        channel(3, costs={"demo": card(5)}),
        channel(4, costs={"demo": card(5)}),
        channel(5, costs={"demo": card(1)}, priority=-1),
        rules=rules,
    )
    assert set(desk.counts(100)) == {3, 4}
    spent = Spent()
    spent.channels |= {ChannelId(UUID(int=n)) for n in (2, 3, 4)}
    assert desk.number(spent=spent) == 1
    assert set(Desk(channel(1), channel(2), rules=rules).counts(50)) == {1, 2}


def test_the_fastest_lately_gets_all_but_the_exploring_share():
    rules = Routing(prefer_by_model={"demo": "latency"}, explore_percent=10)
    desk = Desk(channel(1), channel(2), channel(3), rules=rules)
    seen: set[int] = set()
    for seconds in (0.3, 0.1, 0.2):  # everybody is measured first
        chosen = desk.choose()
        assert chosen is not None
        seen.add(chosen.channel.channel_id.int)
        desk.chooser.took(chosen.channel, "demo", seconds)
    assert seen == {1, 2, 3}
    (fast, most), *_ = desk.counts(1000).most_common()
    assert 900 < most < 970
    slow = next(one for one in desk.candidates.tiers[0] if one.channel_id.int == fast)
    for _ in range(30):
        desk.chooser.took(slow, "demo", 5.0)
    assert desk.counts(1000).most_common()[0][0] != fast


def test_a_conversation_keeps_to_its_channel_and_credential_and_moves_only_when_it_must():
    desk = Desk(*(channel(n, credentials=2) for n in (1, 2, 3, 4)))
    homes: dict[bytes, tuple[int, str]] = {}
    for n in range(200):
        conversation = conversation_of(ACCOUNT, b'{"prompt_cache_key":"c%d"}' % n, "stated")
        assert conversation is not None
        chosen = [desk.choose(conversation=conversation) for _ in range(3)]
        found = {(c.channel.channel_id.int, c.credential.secret) for c in chosen if c and c.credential}
        assert len(found) == 1
        homes[conversation] = found.pop()
    assert len(set(homes.values())) == 8
    desk.put_out(1)
    for conversation, (number, _) in homes.items():
        moved = desk.number(1.0, conversation=conversation)
        assert moved != 1
        assert number in {moved, 1}


def test_conversations_spread_by_weight():
    desk = Desk(channel(1, weight=3), channel(2, weight=1), channel(3, weight=0))
    keys = [conversation_of(ACCOUNT, b"%d" % n, "prefix") for n in range(2000)]
    counts = Counter(desk.number(conversation=key) for key in keys)
    assert set(counts) == {1, 2}
    assert 1400 < counts[1] < 1600


@pytest.mark.parametrize(
    ("body", "rule", "is_known"),
    [
        (b'{"prompt_cache_key":"k"}', "stated", True),
        (b'{"metadata":{"user_id":"u"}}', "stated", True),
        (b'{"metadata":{"user_id":"u"}}', "off", False),
        (b'{"messages":[]}', "stated", False),
        (b'{"messages":[]}', "prefix", True),
        (b'{"prompt_cache_key":7}', "stated", False),
        (b'{"messages":[{"content":"say \\"prompt_cache_key\\""}]}', "stated", False),
        (b'{"prompt_cache_key":', "stated", False),
    ],
)
def test_what_tells_a_conversation(body: bytes, rule: Any, is_known: bool):  # noqa: FBT001
    assert (conversation_of(ACCOUNT, body, rule) is not None) is is_known


def test_the_same_words_of_another_account_are_another_conversation():
    body = b'{"prompt_cache_key":"k"}'
    assert conversation_of(ACCOUNT, body, "stated") != conversation_of(AccountId(UUID(int=8)), body, "stated")
    assert conversation_of(ACCOUNT, body, "stated") == conversation_of(ACCOUNT, body + b" ", "stated")
