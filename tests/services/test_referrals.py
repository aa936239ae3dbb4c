"""Referrals: what is given, when, once; what is withheld; and what a refund takes back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from types import SimpleNamespace

import asyncpg
import msgspec
import pytest

from airouter.domain.errors import BalanceInsufficient, NotFound
from airouter.domain.reward_errors import TransferTooSmall
from airouter.services.audit_log import SYSTEM
from airouter.services.users import Joined
from airouter.storage import referrals
from airouter.storage.referrals import Filters
from airouter.world import new_id
from tests.builders import grant, run_sql
from tests.services.referred import PaidOrder, Scene, in_processes, join_many, scene, transfer_many, work


@pytest.fixture
async def here(database: str) -> AsyncIterator[Scene]:
    async with scene(database) as opened:
        yield opened


async def test_both_sides_are_rewarded_into_their_reward_wallets_when_the_condition_is_registration(
    here: Scene,
) -> None:
    await here.policy(reward=500, invitee_reward=300, condition="registration")
    ada = await here.person()
    bob = await here.person(code=(await here.code(ada)).lower())
    assert await here.wallets(ada) == {}, "a pending reward is a row, not quota"
    seen = (await here.referrals.overview(ada.account_id, is_personal=True)).totals
    assert (seen.pending_total, seen.rewarded_total, seen.referred_count) == ("500", "0", 1)
    await here.rewards.work()
    assert (await here.wallets(ada), await here.wallets(bob)) == ({"reward": 500}, {"reward": 300})
    seen = (await here.referrals.overview(ada.account_id, is_personal=True)).totals
    assert (seen.reward_balance, seen.pending_total, seen.rewarded_total) == (500, "0", "500")


async def test_nothing_happens_while_referrals_are_off(here: Scene) -> None:
    ada = await here.person()
    overview = await here.referrals.overview(ada.account_id, is_personal=True)
    assert (overview.code, overview.link) == (None, None)
    await here.policy(reward=1, condition="registration")
    code = await here.code(ada)
    await run_sql(here.dsn, "DELETE FROM policies")
    bob = await here.person(code=code)
    await here.rewards.work()
    assert (await here.wallets(ada), await here.wallets(bob)) == ({}, {})


@pytest.mark.parametrize("code", [None, "", "ZZZZZZZZZZZZ", "not a code", "\x00", "A" * 500])
async def test_a_code_that_nobody_has_hinders_nobody(here: Scene, code: str | None) -> None:
    await here.policy(reward=1, condition="registration")
    await here.person(code=code)
    assert (await run_sql(here.dsn, "SELECT count(*) AS n FROM referrals"))[0]["n"] == 0


async def test_the_first_order_releases_and_only_if_it_is_large_enough(here: Scene) -> None:
    await here.policy(reward=500, invitee_reward=300, condition="first_order", first_order_minimum=1000)
    ada = await here.person()
    bob = await here.person(code=await here.code(ada))
    await here.order(bob, 999)
    assert await here.states(ada) == [("pending", "joining", 0)]
    await here.order(bob, 1000)
    assert (await here.wallets(ada), await here.wallets(bob)) == ({"reward": 500}, {"reward": 300})
    await here.order(bob, 5000)
    assert (await here.wallets(ada), await here.wallets(bob)) == ({"reward": 500}, {"reward": 300})


async def test_orders_of_somebody_whom_nobody_brought_leave_nothing(here: Scene) -> None:
    await here.policy(reward=500, condition="first_order", share_micros=100_000)
    await here.order(await here.person(), 1000)
    assert (await run_sql(here.dsn, "SELECT count(*) AS n FROM referral_events"))[0]["n"] == 0


async def test_days_have_to_pass_where_that_is_the_condition(here: Scene) -> None:
    await here.policy(reward=500, condition="after_days", days=14)
    ada = await here.person()
    await here.person(code=await here.code(ada))
    await here.rewards.work()
    assert await here.states(ada) == [("pending", "joining", 0)]
    await run_sql(here.dsn, "UPDATE rewards SET due_at = due_at - interval '14 days'")
    await here.rewards.work()
    assert await here.wallets(ada) == {"reward": 500}


async def test_a_share_of_each_order_is_rounded_down_and_ends_with_its_number_of_orders(here: Scene) -> None:
    await here.policy(reward=500, condition="first_order", share_micros=50_000, share_orders_max=2)
    ada = await here.person()
    bob = await here.person(code=await here.code(ada))
    await here.order(bob, 10_000)
    assert await here.wallets(ada) == {"reward": 500}, "the first order released the reward, and has no share"
    for quota in [1_019, 2_000, 4_000]:
        await here.order(bob, quota)
    assert await here.wallets(ada) == {"reward": 500 + 50 + 100}


async def test_a_share_ends_with_its_time(here: Scene) -> None:
    await here.policy(share_micros=50_000, share_days=30, condition="registration")
    ada = await here.person()
    bob = await here.person(code=await here.code(ada))
    await here.order(bob, 1000)
    await run_sql(here.dsn, "UPDATE referrals SET share_until = now() - interval '1 second'")
    await here.order(bob, 1000)
    assert await here.wallets(ada) == {"reward": 50}


async def test_an_order_told_twice_rewards_once(here: Scene) -> None:
    await here.policy(reward=500, condition="first_order", share_micros=50_000)
    ada = await here.person()
    bob = await here.person(code=await here.code(ada))
    first, second = await here.order(bob, 1000), await here.order(bob, 1000)
    async with here.database.transaction() as connection:
        for order in [first, second, first]:
            await here.referrals.order_paid(connection, order)
    await here.rewards.work()
    assert await here.wallets(ada) == {"reward": 550}


async def test_orders_are_told_while_others_of_the_same_person_are_worked_in_and_none_is_lost(here: Scene) -> None:
    await here.policy(condition="first_order", share_micros=100_000)
    ada = await here.person()
    bob = await here.person(code=await here.code(ada))
    [row] = await run_sql(here.dsn, "SELECT referral_id FROM referrals")
    first, second, third = (
        PaidOrder(order_id=new_id(), account_id=bob.account_id, credited_quota=quota) for quota in (1_000, 2_000, 3_000)
    )
    async with here.database.transaction() as worker:
        async with here.database.transaction() as slow:
            await here.referrals.order_paid(slow, first)
            async with here.database.transaction() as quick:
                await here.referrals.order_paid(quick, second)
            assert await referrals.lock_referral(worker, row["referral_id"]) is not None
            read = await referrals.events_of(worker, row["referral_id"])
            assert [event.order_id for event in read] == [second.order_id]
            async with here.database.transaction() as other:
                await here.referrals.order_paid(other, third)
        await referrals.drop_events(worker, read)
    left = await run_sql(here.dsn, "SELECT order_id FROM referral_events ORDER BY event_id")
    assert [event["order_id"] for event in left] == [first.order_id, third.order_id]


async def test_a_refund_takes_the_reward_back_from_the_reward_wallet(here: Scene) -> None:
    await here.policy(reward=500, invitee_reward=300, condition="first_order")
    ada = await here.person()
    bob = await here.person(code=await here.code(ada))
    order = await here.order(bob, 1000)
    await here.give_back(order, 400)
    assert await here.wallets(ada) == {"reward": 500}, "not while some of the order stands"
    await here.give_back(order, 1000)
    assert (await here.wallets(ada), await here.wallets(bob)) == ({}, {})
    assert await here.states(ada) == [("taken_back", "joining", 0)]
    await here.give_back(order, 1000)
    await here.order(bob, 1000)
    assert await here.wallets(ada) == {}, "buying and returning is no way to be rewarded again"


async def test_a_partial_refund_below_the_least_order_takes_the_reward_back(here: Scene) -> None:
    await here.policy(reward=500, condition="first_order", first_order_minimum=800)
    ada = await here.person()
    order = await here.order(await here.person(code=await here.code(ada)), 1000)
    await here.give_back(order, 201)
    assert await here.wallets(ada) == {}


async def test_a_share_follows_its_order_in_proportion_and_a_won_dispute_brings_it_back(here: Scene) -> None:
    await here.policy(share_micros=100_000, condition="registration")
    ada = await here.person()
    order = await here.order(await here.person(code=await here.code(ada)), 1000)
    balances = []
    for taken in [333, 1000, 250, 0]:
        await here.give_back(order, taken)
        balances.append((await here.wallets(ada)).get("reward", 0))
    assert balances == [66, 0, 75, 100]


async def test_what_was_transferred_is_taken_from_the_balance_and_the_rest_is_owed(here: Scene) -> None:
    await here.policy(reward=500, condition="first_order")
    ada = await here.person()
    order = await here.order(await here.person(code=await here.code(ada)), 1000)
    await here.referrals.transfer(ada.account_id, 450, new_id(), SYSTEM)
    await run_sql(
        here.dsn,
        "WITH w AS (UPDATE wallets SET balance = balance - 400 WHERE account_id = $1 AND kind = 'main' RETURNING *) "
        "INSERT INTO transfers (transfer_id, kind, reference, debit_wallet, credit_wallet, amount, debit_balance) "
        "SELECT $2, 'adjustment', 'spent', wallet_id, 2, 400, balance FROM w",
        ada.account_id,
        new_id(),
    )
    await here.give_back(order, 1000)
    assert await here.wallets(ada) == {"debt": -400}
    await grant(here.dsn, ada.account_id, 10)
    assert (await here.states(ada))[0] == ("taken_back", "joining", 0)


async def test_what_becomes_balance_pays_the_debt_first(here: Scene) -> None:
    await test_what_was_transferred_is_taken_from_the_balance_and_the_rest_is_owed(here)
    ada_id = (await run_sql(here.dsn, "SELECT account_id FROM wallets WHERE kind = 'debt'"))[0]["account_id"]
    await run_sql(
        here.dsn, "UPDATE policies SET value = value || '{\"condition\": \"registration\"}' WHERE topic = 'referral'"
    )
    code = (await here.referrals.overview(ada_id, is_personal=True)).code
    await here.person(code=code)
    await here.rewards.work()
    after = await here.referrals.transfer(ada_id, 500, new_id(), SYSTEM)
    assert (after.reward_balance, after.balance) == (0, 10 + 100)


@pytest.mark.parametrize(
    ("referrer", "invitee"),
    [("ada@example.com", "ADA+two@example.com"), ("a.da@gmail.com", "ada+x@googlemail.com")],
)
async def test_nobody_brings_themselves(here: Scene, referrer: str, invitee: str) -> None:
    await here.policy(reward=500, condition="registration")
    ada = await here.person(referrer)
    await here.person(invitee, code=await here.code(ada))
    assert await here.states(ada) == []


async def test_self_referral_and_a_second_reward_are_impossible_by_constraint(here: Scene) -> None:
    await here.policy(reward=500, condition="registration")
    ada = await here.person()
    await here.person(code=await here.code(ada))
    copy = (
        "INSERT INTO referrals SELECT gen_random_uuid(), {}, {}, {}, network, condition, 0, false, 0, null, null "
        "FROM referrals"
    )
    for columns, constraint in [
        (("invitee_account", "invitee_account", "'\\x00'"), "referral_not_self"),
        (("referrer_account", "invitee_account", "'\\x00'"), "referral_invitee_once"),
        (("invitee_account", "referrer_account", "identity"), "referral_identity_once"),
    ]:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await run_sql(here.dsn, copy.format(*columns))
        assert refused.value.constraint_name == constraint
    with pytest.raises(asyncpg.UniqueViolationError) as twice:
        await run_sql(
            here.dsn,
            "INSERT INTO rewards (reward_id, referral_id, account_id, side, cause, amount, wanted, state) "
            "SELECT gen_random_uuid(), referral_id, account_id, side, cause, 1, 1, 'pending' FROM rewards",
        )
    assert twice.value.constraint_name == "reward_once"


async def test_a_mailbox_is_brought_once_also_after_its_account_is_gone(here: Scene) -> None:
    await here.policy(reward=500, condition="registration")
    ada, eve = await here.person(), await here.person()
    await here.person("bob@example.com", code=await here.code(ada))
    await run_sql(here.dsn, "UPDATE users SET email = 'gone', email_normal = 'gone' WHERE email = 'bob@example.com'")
    await here.person("Bob+again@example.com", code=await here.code(eve))
    assert (len(await here.states(ada)), await here.states(eve)) == (1, [])


@pytest.mark.parametrize(
    ("bounds", "addresses", "note"),
    [
        ({"referrals_max": 3}, [f"198.51.100.{n}" for n in range(10)], "bound_in_all"),
        ({"referrals_per_day_max": 3}, [f"198.51.100.{n}" for n in range(10)], "bound_per_day"),
        ({"referrals_per_network_max": 3}, ["2001:db8::1", "2001:db8::ffff"] * 5, "bound_of_network"),
    ],
)
async def test_mass_sign_ups_farm_no_more_than_the_bound(
    here: Scene, bounds: dict[str, int], addresses: list[str], note: str
) -> None:
    await here.policy(reward=500, condition="registration", **bounds)
    ada = await here.person()
    code = await here.code(ada)
    for address in addresses:
        await here.person(code=code, address=address)
    await here.rewards.work()
    assert await here.wallets(ada) == {"reward": 1500}
    assert Counter(state for state, _, _ in await here.states(ada)) == {"released": 3, "withheld": 7}
    notes = await run_sql(here.dsn, "SELECT DISTINCT note FROM rewards WHERE state = 'withheld'")
    assert [row["note"] for row in notes] == [note]


async def test_beyond_a_bound_there_is_no_share_either(here: Scene) -> None:
    await here.policy(share_micros=100_000, condition="registration", referrals_max=2)
    ada = await here.person()
    code = await here.code(ada)
    brought = [await here.person(code=code) for _ in range(4)]
    for person in brought:
        await here.order(person, 1000)
    assert await here.wallets(ada) == {"reward": 200}
    await here.policy(reward=500, share_micros=100_000, condition="registration", referrals_max=3)
    for _ in range(2):
        await here.order(await here.person(code=code), 1000)
    assert await here.wallets(ada) == {"reward": 200 + 500 + 100}, "those for whom nothing was left do not count"


async def test_bounds_hold_when_newcomers_of_three_processes_come_at_once(here: Scene) -> None:
    await here.policy(reward=500, condition="registration", referrals_per_day_max=4, referrals_per_network_max=1000)
    ada = await here.person()
    code = await here.code(ada)
    shares = [
        (here.dsn, code, [f"{process}-{n}@example.com" for n in range(8)], f"198.51.100.{process}")
        for process in range(3)
    ]
    results = await in_processes(join_many, shares)
    assert Counter(one for share in results for one in share) == {"joined": 24}
    await here.rewards.work()
    assert await here.wallets(ada) == {"reward": 2000}


async def test_one_mailbox_under_many_addresses_in_three_processes_counts_once(here: Scene) -> None:
    await here.policy(reward=500, condition="registration")
    ada = await here.person()
    code = await here.code(ada)
    shares = [
        (here.dsn, code, [f"bob+{process}{n}@example.com" for n in range(5)], "198.51.100.1") for process in range(3)
    ]
    await in_processes(join_many, shares)
    await here.rewards.work()
    assert await here.wallets(ada) == {"reward": 500}


async def test_a_reward_is_released_and_taken_back_once_whoever_works_at_once(here: Scene) -> None:
    await here.policy(reward=500, invitee_reward=300, condition="first_order", share_micros=100_000)
    ada = await here.person()
    code = await here.code(ada)
    everybody = [await here.person(code=code) for _ in range(10)]
    orders = []
    async with here.database.transaction() as connection:
        for who in everybody:
            for _ in range(2):
                order = _order(who, 1000)
                orders.append(order)
                await here.referrals.order_paid(connection, order)
    await in_processes(work, [(here.dsn, 4)] * 3)
    await here.rewards.work()
    assert await here.wallets(ada) == {"reward": 10 * 500 + 10 * 100}
    async with here.database.transaction() as connection:
        for order in orders:
            await here.referrals.order_refunded(connection, _taken(order))
    await in_processes(work, [(here.dsn, 4)] * 3)
    await here.rewards.work()
    assert await here.wallets(ada) == {}
    moved = await run_sql(here.dsn, "SELECT kind, count(*) AS n FROM transfers GROUP BY kind ORDER BY kind")
    assert [(row["kind"], row["n"]) for row in moved] == [("clawback", 30), ("reward", 30)]


async def test_transfers_of_three_processes_move_what_there_is_and_each_id_once(here: Scene) -> None:
    await here.policy(reward=1000, condition="registration", minimum_transfer=100)
    ada = await here.person()
    await here.person(code=await here.code(ada))
    await here.rewards.work()
    double = new_id()
    shares = [(here.dsn, ada.account_id, 300, [double, double, new_id(), new_id()]) for _ in range(3)]
    results = Counter(one for share in await in_processes(transfer_many, shares) for one in share)
    assert set(results) == {"transferred", "balance_insufficient"}
    assert await here.wallets(ada) == {"reward": 100, "main": 900}
    moved = await run_sql(here.dsn, "SELECT count(*) AS n FROM transfers WHERE kind = 'reward_transfer'")
    assert moved[0]["n"] == 3


async def test_a_transfer_keeps_to_the_minimum_and_to_what_is_there(here: Scene) -> None:
    await here.policy(reward=1000, condition="registration", minimum_transfer=100)
    ada = await here.person()
    await here.person(code=await here.code(ada))
    await here.rewards.work()
    with pytest.raises(TransferTooSmall) as small:
        await here.referrals.transfer(ada.account_id, 99, new_id(), SYSTEM)
    assert small.value.details["minimum"] == 100
    with pytest.raises(BalanceInsufficient) as large:
        await here.referrals.transfer(ada.account_id, 1001, new_id(), SYSTEM)
    assert large.value.details["balance"] == 1000
    after = await here.referrals.transfer(ada.account_id, 1000, new_id(), SYSTEM)
    assert (after.reward_balance, after.balance) == (0, 1000)


async def test_rewards_of_somebody_banned_are_withheld_until_an_operator_releases_them(here: Scene) -> None:
    await here.policy(reward=500, condition="registration")
    ada = await here.person()
    bob = await here.person(code=await here.code(ada))
    await run_sql(here.dsn, "UPDATE users SET status = 'banned' WHERE user_id = $1", bob.user_id)
    await here.rewards.work()
    assert await here.states(ada) == [("withheld", "joining", 0)]
    [view] = await here.rewards.page(Filters(state="withheld"), after_time=None, after_id=None, limit=10)
    assert (view.referral.referrer_account, view.rewards[0].note) == (ada.account_id, "suspect")
    await here.rewards.release(view.rewards[0].reward_id, "known to us", SYSTEM)
    await here.rewards.work()
    assert await here.wallets(ada) == {"reward": 500}
    await here.rewards.withhold(view.rewards[0].reward_id, "farmed after all", SYSTEM)
    await here.rewards.work()
    assert (await here.wallets(ada), await here.states(ada)) == ({}, [("withheld", "joining", 0)])
    with pytest.raises(NotFound):
        await here.rewards.withhold(new_id(), "none", SYSTEM)
    acts = await run_sql(here.dsn, "SELECT action FROM audit_log WHERE subject = 'reward' ORDER BY created_at")
    assert [row["action"] for row in acts] == ["reward.withheld", "reward.released", "reward.withheld"]


async def test_nothing_is_released_before_the_address_is_verified_where_that_is_asked_for(here: Scene) -> None:
    await here.policy(reward=500, condition="registration", verified_email_only=True)
    ada = await here.person()
    bob = await here.person(code=await here.code(ada))
    await run_sql(here.dsn, "UPDATE users SET email_verified_at = NULL")
    await here.rewards.work()
    assert await here.states(ada) == [("pending", "joining", 0)]
    await run_sql(here.dsn, "UPDATE users SET email_verified_at = now() WHERE user_id = $1", bob.user_id)
    await here.rewards.work()
    assert await here.wallets(ada) == {"reward": 500}


async def test_a_code_is_made_once_for_everybody_who_looks_at_once(here: Scene) -> None:
    await here.policy(reward=1)
    ada = await here.person()
    overviews = await asyncio.gather(*(here.referrals.overview(ada.account_id, is_personal=True) for _ in range(10)))
    [code] = {one.code for one in overviews}
    assert code is not None
    assert len(code) == 12
    assert overviews[0].link == f"https://console.example/register?ref={code}"
    assert (await here.referrals.overview(ada.account_id, is_personal=False)).code is None


async def test_a_code_that_somebody_has_is_drawn_again(here: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await here.policy(reward=1)
    draws = [bytes(8), bytes(8), b"\x01" * 8]
    monkeypatch.setattr("airouter.services.referrals.os", SimpleNamespace(urandom=lambda _: draws.pop(0)))
    codes = [await here.code(await here.person()) for _ in range(2)]
    assert (codes[0], codes[0] == codes[1], draws) == ("0" * 12, False, [])


async def test_where_people_came_from_is_forgotten_after_a_month(here: Scene) -> None:
    await here.policy(reward=1)
    ada = await here.person()
    await here.person(code=await here.code(ada))
    await here.rewards.work()
    assert (await run_sql(here.dsn, "SELECT network FROM referrals"))[0]["network"] == "203.0.113.5"
    await run_sql(here.dsn, "UPDATE referrals SET joined_at = now() - interval '31 days'")
    await here.rewards.work()
    assert (await run_sql(here.dsn, "SELECT network FROM referrals"))[0]["network"] is None


async def test_a_reward_that_no_wallet_can_hold_is_withheld_and_holds_up_nobody(here: Scene) -> None:
    await here.policy(reward=2**53 - 1, invitee_reward=5, condition="registration")
    ada = await here.person()
    code = await here.code(ada)
    first, second = await here.person(code=code), await here.person(code=code)
    await here.rewards.work()
    assert (await here.wallets(first), await here.wallets(second)) == ({"reward": 5}, {"reward": 5})
    assert sorted(state for state, _, _ in await here.states(ada)) == ["released", "withheld"]


def _order(who: Joined, quota: int) -> PaidOrder:
    return PaidOrder(order_id=new_id(), account_id=who.account_id, credited_quota=quota)


def _taken(order: PaidOrder) -> PaidOrder:
    return msgspec.structs.replace(order, taken_quota=order.credited_quota)
