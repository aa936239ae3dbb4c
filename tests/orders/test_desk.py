"""What operators do to orders, and what refunds and disputes take back."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from airouter.storage import migrate, orders
from airouter.storage.database import connect
from tests.builders import signed_in
from tests.orders.conftest import RATE, Shop, said


async def debt(shop: Shop) -> int:
    return (await shop.wallet())["debt"]


async def letters_about_refunds(shop: Shop) -> list[str]:
    return [row["recipient"] for row in await shop.sql("SELECT recipient FROM mails WHERE letter = 'refund_failed'")]


async def test_an_order_is_confirmed_by_hand_once_and_goes_the_way_of_a_notice(shop: Shop) -> None:
    await shop.method(id="bank", processor="manual", secrets={}, config={"instructions": "Pay us."})
    order = await shop.order(method="bank")
    assert order["next"]["type"] == "instructions"
    confirmed = await shop.admin(order, "confirm")
    assert confirmed.status_code == 200, confirmed.text
    assert [event["source"] for event in confirmed.json()["events"]] == ["operator"]
    assert await shop.balance() == 1000 * RATE
    again = await shop.admin(order, "confirm")
    assert (again.status_code, again.json()["code"]) == (409, "order_not_open")
    short = await shop.order(method="bank")
    review = await shop.admin(short, "confirm", amount=1)
    assert review.json()["line"]["order"]["status"] == "review"
    acts = (await shop.owner.client.get("/api/v1/admin/audit-log?action=order.paid")).json()["items"]
    assert acts[0]["user_id"] == str(shop.owner.user_id)


async def test_many_operators_who_confirm_at_once_credit_once(shop: Shop) -> None:
    order = await shop.order()
    answers = await asyncio.gather(*(shop.admin(order, "confirm") for _ in range(20)), shop.pay(order))
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    assert await shop.balance() == 1000 * RATE


@pytest.mark.parametrize(
    ("paid", "decision", "credited", "status"),
    [
        (515, "credit_paid", 500 * RATE, "paid"),
        (515, "credit_ordered", 1000 * RATE, "paid"),
        (2060, "credit_paid", 2000 * RATE, "paid"),
        (515, "reject", 0, "failed"),
    ],
)
async def test_an_order_in_review_is_decided_once(
    shop: Shop, paid: int, decision: str, credited: int, status: str
) -> None:
    order = await shop.order()
    refused = await shop.admin(order, "resolve", decision=decision)
    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_in_review")
    await shop.pay(order, amount=paid)
    answers = await asyncio.gather(*(shop.admin(order, "resolve", decision=decision) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert ((await shop.get(order))["status"], await shop.balance()) == (status, credited)


async def test_a_decision_is_as_large_as_what_it_credits(shop: Shop) -> None:
    """A small order that somebody says a fortune came for must not pass for a small act."""
    put = await shop.owner.client.put("/api/v1/admin/policies/sign_in", json={"reauthenticate_above": 2000 * RATE})
    assert put.status_code == 200, put.text
    await shop.sql("UPDATE sessions SET authenticated_at = now() - interval '1 day'")
    order = await shop.order()
    assert (await shop.admin(order, "confirm", amount=1_030_000)).status_code == 200
    refused = await shop.admin(order, "resolve", decision="credit_paid")
    assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
    assert await shop.balance() == 0


async def test_what_was_paid_in_another_currency_is_not_counted_as_ours(shop: Shop) -> None:
    order = await shop.order()
    await shop.pay(order, currency="JPY")
    refused = await shop.admin(order, "resolve", decision="credit_paid")
    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_in_review")
    assert (await shop.admin(order, "resolve", decision="credit_ordered")).status_code == 200
    assert await shop.balance() == 1000 * RATE


async def bonus_order(shop: Shop) -> dict[str, Any]:
    """1000 minor units with a bonus of 7 quota per thousand, paid; the fee is 30."""
    changed = await shop.owner.client.patch(
        "/api/v1/admin/payment-methods/card", json={"bonus_tiers": [{"minimum": 1, "bonus_quota": 777}]}
    )
    assert changed.status_code == 200, changed.text
    order = await shop.order()
    await shop.pay(order)
    assert await shop.balance() == 1000 * RATE + 777
    return order


async def test_partial_refunds_take_paid_and_bonus_quota_in_proportion_and_add_up_to_the_whole(shop: Shop) -> None:
    order = await bonus_order(shop)
    total = 1000 * RATE + 777
    for given_back in (100, 233, 400):
        answer = await shop.admin(order, "refund", amount=given_back)
        assert answer.status_code == 200, answer.text
        refunded = answer.json()["line"]["order"]["refunded_amount"]
        assert await shop.balance() == total - 1000 * RATE * refunded // 1030 - 777 * refunded // 1030
    assert (await shop.admin(order, "refund", amount=298)).json()["code"] == "order_not_refundable"
    rest = await shop.admin(order, "refund")
    assert (rest.json()["line"]["order"]["status"], await shop.balance(), await debt(shop)) == ("refunded", 0, 0)
    assert sorted(shop.cashier.refunds.values()) == [100, 233, 297, 400]


async def test_a_refund_is_made_once_however_often_it_is_asked_for_and_told_of(shop: Shop) -> None:
    order = await bonus_order(shop)
    address = f"/api/v1/admin/orders/{order['id']}/refund"
    body, key = {"amount": 515, "reason": "because"}, {"idempotency-key": "r"}

    async def tell() -> None:
        await asyncio.gather(*(shop.hear(said(order, "refunded", f"e{n}", refunded_total=515)) for n in range(10)))

    shop.cashier.listeners.append(tell)
    answers = await asyncio.gather(*(shop.owner.client.post(address, json=body, headers=key) for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    again = await shop.owner.client.post(address, json=body, headers=key)
    assert again.status_code == 200, again.text
    assert list(shop.cashier.refunds.values()) == [515]
    assert (await shop.get(order))["refunded_amount"] == 515
    assert await shop.balance() == 1000 * RATE + 777 - 500 * RATE - 388


async def test_only_one_refund_of_an_order_is_under_way(shop: Shop) -> None:
    order = await bonus_order(shop)
    shop.cashier.mood = "away"
    away = await shop.admin(order, "refund", amount=515)
    assert (away.status_code, away.json()["code"]) == (503, "payment_processor_unavailable")
    second = await shop.admin(order, "refund", amount=100)
    assert (second.status_code, second.json()["code"]) == (409, "in_use")
    assert await shop.balance() == 1000 * RATE + 777, "nothing is taken before the processor agreed"
    shop.cashier.mood = "well"
    await shop.sql("UPDATE order_refunds SET ask_at = now()")
    await shop.app._house.services().jobs.run("orders")
    assert list(shop.cashier.refunds.values()) == [515]
    assert (await shop.get(order))["refunded_amount"] == 515


async def test_a_refund_that_the_processor_refuses_takes_nothing(shop: Shop) -> None:
    order = await bonus_order(shop)
    shop.cashier.mood = "stubborn"
    refused = await shop.admin(order, "refund")
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_refused")
    assert await shop.balance() == 1000 * RATE + 777
    by_hand = await shop.admin(order, "refund", at_processor=False)
    assert (by_hand.json()["line"]["order"]["status"], await shop.balance()) == ("refunded", 0)
    assert [refund["status"] for refund in by_hand.json()["refunds"]] == ["failed", "done"]


@pytest.mark.parametrize("killed_when", ["sending", "sent"])
async def test_where_a_refund_cannot_be_repeated_nobody_makes_it_for_somebody_who_died(
    shop: Shop, killed_when: str
) -> None:
    """A gateway that knows no number of a refund would give the money back twice."""
    await shop.policy(review_email="books@example.com")
    order = await bonus_order(shop)
    shop.cashier.repeats_refunds = False

    async def die() -> None:
        raise asyncio.CancelledError

    if killed_when == "sent":
        shop.cashier.listeners.append(die)
        with contextlib.suppress(BaseException):
            await shop.admin(order, "refund", amount=515)
        shop.cashier.listeners.clear()
        assert list(shop.cashier.refunds.values()) == [515]
    else:
        await shop.sql(
            "INSERT INTO order_refunds (refund_id, order_id, amount, refunded_total, at_processor, reason) "
            "VALUES (gen_random_uuid(), $1::uuid, 515, 515, true, 'because')", UUID(order["id"]),
        )  # fmt: skip
    made = len(shop.cashier.refunds)
    await shop.sql("UPDATE order_refunds SET ask_at = now()")
    await shop.app._house.services().jobs.run("orders")
    assert len(shop.cashier.refunds) == made
    story = await shop.story(order)
    assert [refund["status"] for refund in story["refunds"]] == ["failed"]
    assert await letters_about_refunds(shop) == ["books@example.com"]
    assert story["line"]["refundable_amount"] == 1030, "looked up there, it is recorded or tried again by a person"
    assert (await shop.admin(order, "refund", amount=515, at_processor=False)).status_code == 200


async def test_a_refund_that_could_not_even_be_sent_leaves_nothing_under_way_where_it_cannot_be_repeated(
    shop: Shop,
) -> None:
    order = await bonus_order(shop)
    shop.cashier.repeats_refunds, shop.cashier.mood = False, "away"
    away = await shop.admin(order, "refund", amount=515)
    assert (away.status_code, away.json()["code"]) == (503, "payment_processor_unavailable")
    shop.cashier.mood = "well"
    assert (await shop.admin(order, "refund", amount=515)).status_code == 200
    assert [refund["status"] for refund in (await shop.story(order))["refunds"]] == ["failed", "done"]


async def test_a_refund_that_is_refused_when_nobody_waits_any_more_is_told_by_letter_once(shop: Shop) -> None:
    await shop.policy(review_email="books@example.com")
    order = await bonus_order(shop)
    shop.cashier.mood = "stubborn"
    assert (await shop.admin(order, "refund", amount=515)).json()["code"] == "refund_refused"
    assert await letters_about_refunds(shop) == [], "whoever asked was told"
    shop.cashier.mood = "away"
    await shop.admin(order, "refund", amount=515)
    shop.cashier.mood = "stubborn"
    for _ in range(2):
        await shop.sql("UPDATE order_refunds SET ask_at = now() WHERE status = 'started'")
        await shop.app._house.services().jobs.run("orders")
    assert [refund["status"] for refund in (await shop.story(order))["refunds"]] == ["failed", "failed"]
    assert await letters_about_refunds(shop) == ["books@example.com"]


async def test_a_processor_that_refuses_our_access_refuses_the_refund(shop: Shop) -> None:
    order = await bonus_order(shop)
    shop.cashier.mood = "refusing"
    refused = await shop.admin(order, "refund")
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_refused")
    assert [refund["status"] for refund in (await shop.story(order))["refunds"]] == ["failed"]


async def test_what_was_used_already_becomes_a_debt_that_the_next_top_up_pays_first(shop: Shop) -> None:
    order = await shop.order()
    await shop.pay(order)
    await shop.spend(400 * RATE)
    await shop.hear(said(order, "refunded", "r1", refunded_total=1030))
    assert (await shop.balance(), await debt(shop)) == (0, 400 * RATE)
    seen = (await shop.owner.client.get(f"/api/v1/admin/accounts/{shop.buyer.account_id}")).json()
    assert seen["debt"] == 400 * RATE
    small, big = await shop.order(300), await shop.order(500)
    await shop.pay(small)
    assert (await shop.balance(), await debt(shop)) == (0, 100 * RATE)
    await shop.pay(big)
    assert (await shop.balance(), await debt(shop)) == (400 * RATE, 0)
    lines = (await shop.buyer.client.get("/api/v1/wallet/transfers?kind=debt")).json()["items"]
    assert [line["amount"] for line in lines] == [-100 * RATE, -300 * RATE]


async def test_a_dispute_takes_everything_back_and_a_won_one_gives_it_back(shop: Shop) -> None:
    order = await bonus_order(shop)
    await shop.spend(200 * RATE)
    for _ in range(3):
        await shop.hear(said(order, "dispute_opened", "d1"))
    assert ((await shop.get(order))["status"], await shop.balance()) == ("disputed", 0)
    assert await debt(shop) == 200 * RATE
    await shop.hear(said(order, "dispute_won", "d2"))
    await shop.hear(said(order, "dispute_won", "d3"))
    await shop.hear(said(order, "dispute_opened", "d4"))
    assert ((await shop.get(order))["status"], await debt(shop)) == ("paid", 0)
    assert await shop.balance() == 800 * RATE + 777


async def test_a_lost_dispute_keeps_what_it_took(shop: Shop) -> None:
    order = await bonus_order(shop)
    await shop.hear(said(order, "dispute_opened", "d1", order_id=None))
    await shop.hear(said(order, "dispute_lost", "d2"))
    shown = await shop.get(order)
    assert (shown["status"], shown["refunded_amount"], await shop.balance()) == ("refunded", 1030, 0)
    assert (await shop.admin(order, "refund")).json()["code"] == "order_not_refundable"


async def test_a_dispute_over_a_part_takes_that_part_and_adds_up_with_refunds(shop: Shop) -> None:
    order = await bonus_order(shop)
    whole = await shop.balance()
    assert (await shop.admin(order, "refund", amount=103)).status_code == 200
    after_refund = await shop.balance()
    await shop.hear(said(order, "dispute_opened", "d1", order_id=None, amount=515, currency="EUR"))
    assert (await shop.get(order))["status"] == "disputed"
    assert await shop.balance() == whole - 600 * RATE - 777 * 618 // 1030
    line = (await shop.story(order))["line"]
    [told] = line["disputes"]
    assert (told["state"], told["amount"], told["decided_at"], line["order"]["refunded_amount"]) == (
        "open", 515, None, 103
    )  # fmt: skip
    await shop.hear(said(order, "dispute_won", "d2", amount=515, currency="EUR"))
    assert ((await shop.get(order))["status"], await shop.balance()) == ("paid", after_refund)


async def test_a_second_dispute_of_a_payment_is_booked_beside_the_first_and_pauses_again(shop: Shop) -> None:
    await shop.policy(pause_on_dispute=True)
    account = f"/api/v1/admin/accounts/{shop.buyer.account_id}"
    order = await bonus_order(shop)
    whole = await shop.balance()

    async def hear(kind: str, name: str, amount: int) -> None:
        fact = said(order, kind, f"{kind}/{name}", amount=amount, dispute_name=name, dispute_reason="fraudulent")
        for _ in range(2):
            await shop.hear(fact)

    await hear("dispute_opened", "dp_1", 206)
    await hear("dispute_lost", "dp_1", 206)
    assert await shop.balance() == whole - 200 * RATE - 777 * 206 // 1030
    assert (await shop.owner.client.patch(account, json={"status": "active"})).status_code == 200
    await hear("dispute_opened", "dp_2", 515)
    assert (await shop.owner.client.get(account)).json()["status"] == "paused"
    assert ((await shop.get(order))["status"], await shop.balance()) == (
        "disputed", whole - 700 * RATE - 777 * 721 // 1030
    )  # fmt: skip
    await hear("dispute_won", "dp_2", 515)
    assert ((await shop.get(order))["status"], await shop.balance()) == (
        "paid", whole - 200 * RATE - 777 * 206 // 1030
    )  # fmt: skip
    await hear("dispute_lost", "dp_3", 2000)
    assert ((await shop.get(order))["status"], await shop.balance()) == ("refunded", 0)
    told = (await shop.story(order))["line"]["disputes"]
    assert [(one["name"], one["state"], one["amount"], one["reason"]) for one in told] == [
        ("dp_1", "lost", 206, "fraudulent"), ("dp_2", "won", 515, "fraudulent"), ("dp_3", "lost", 2000, "fraudulent")
    ]  # fmt: skip
    assert all(one["decided_at"] >= one["heard_at"] for one in told)
    events = (await shop.story(order))["events"]
    assert "refund_unclear" not in {event["outcome"] for event in events}
    assert [event["dispute"] for event in events] == [None, "dp_1", "dp_1", "dp_2", "dp_2", "dp_3"]


async def test_after_a_lost_dispute_over_a_part_the_rest_can_be_refunded_and_the_account_stays_paused(
    shop: Shop,
) -> None:
    await shop.policy(pause_on_dispute=True)
    order = await bonus_order(shop)
    await shop.hear(said(order, "dispute_opened", "d1", amount=515, currency="EUR"))
    await shop.hear(said(order, "dispute_lost", "d2", amount=515, currency="EUR"))
    line = (await shop.story(order))["line"]
    assert (line["order"]["status"], line["order"]["refunded_amount"], line["refundable_amount"]) == ("paid", 515, 515)
    seen = (await shop.owner.client.get(f"/api/v1/admin/accounts/{shop.buyer.account_id}")).json()
    assert seen["status"] == "paused", "until it is won"
    assert (await shop.admin(order, "refund", amount=600)).json()["code"] == "order_not_refundable"
    rest = await shop.admin(order, "refund")
    shown = rest.json()["line"]["order"]
    assert (shown["status"], shown["refunded_amount"], await shop.balance()) == ("refunded", 1030, 0)
    # What the processor then says of it is a total of refunds alone.
    await shop.hear(said(order, "refunded", "r9", refunded_total=515, currency="EUR"))
    assert ((await shop.get(order))["refunded_amount"], await shop.balance()) == (1030, 0)


async def test_a_dispute_pauses_the_account_by_policy_until_it_is_won(shop: Shop) -> None:
    await shop.policy(pause_on_dispute=True, dispute_takes_back=False)
    order = await shop.order()
    await shop.pay(order)
    await shop.hear(said(order, "dispute_opened", "d1"))
    refused = await shop.buyer.client.post("/api/v1/topup/orders", json={"method": "card", "amount": 500})
    assert (refused.status_code, await shop.balance()) == (403, 1000 * RATE)
    await shop.hear(said(order, "dispute_won", "d2"))
    assert (await shop.order())["status"] == "pending"


async def test_an_account_stays_paused_until_the_last_of_its_disputes_is_won(shop: Shop) -> None:
    await shop.policy(pause_on_dispute=True)
    account = f"/api/v1/admin/accounts/{shop.buyer.account_id}"

    async def status() -> str:
        return (await shop.owner.client.get(account)).json()["status"]

    first, second, third = [await shop.order() for _ in range(3)]
    for order in (first, second, third):
        await shop.pay(order)
    for order in (first, second):
        await shop.hear(said(order, "dispute_opened", f"d/{order['id']}"))
    await shop.hear(said(first, "dispute_won", "w1"))
    assert await status() == "paused", "the second is still open"
    await shop.hear(said(second, "dispute_won", "w2"))
    assert await status() == "active"
    await shop.hear(said(third, "dispute_opened", "d3"))
    assert (await shop.owner.client.patch(account, json={"status": "paused"})).status_code == 200
    await shop.hear(said(third, "dispute_won", "w3"))
    assert await status() == "paused", "what an operator paused, an operator lets in again"


async def test_an_operator_who_lets_a_disputed_account_in_ends_what_its_orders_wanted(shop: Shop) -> None:
    await shop.policy(pause_on_dispute=True)
    account = f"/api/v1/admin/accounts/{shop.buyer.account_id}"
    first, second = await shop.order(), await shop.order()
    for order in (first, second):
        await shop.pay(order)
    await shop.hear(said(first, "dispute_opened", "d1"))
    await shop.owner.client.patch(account, json={"status": "active"})
    await shop.hear(said(second, "dispute_opened", "d2"))
    await shop.hear(said(second, "dispute_won", "w2"))
    assert (await shop.owner.client.get(account)).json()["status"] == "active"


async def test_a_debt_pauses_the_account_by_policy(shop: Shop) -> None:
    await shop.policy(pause_on_debt=True)
    order = await shop.order()
    await shop.pay(order)
    await shop.spend(1)
    await shop.hear(said(order, "refunded", "r1", refunded_total=1030))
    seen = (await shop.owner.client.get(f"/api/v1/admin/accounts/{shop.buyer.account_id}")).json()
    assert (seen["status"], seen["debt"]) == ("paused", 1)


async def test_operators_find_orders_by_state_method_account_and_words(shop: Shop) -> None:
    await shop.method(id="bank", processor="manual", secrets={}, config={"instructions": "Pay us."})
    first, second = await shop.order(), await shop.order(method="bank")
    await shop.pay(first)

    async def found(query: str) -> list[str]:
        answer = await shop.owner.client.get(f"/api/v1/admin/orders?{query}")
        assert answer.status_code == 200, answer.text
        return [line["order"]["id"] for line in answer.json()["items"]]

    both = [second["id"], first["id"]]
    assert await found("") == both
    assert await found("status=paid") == [first["id"]]
    assert await found("method=bank") == [second["id"]]
    assert await found(f"account_id={shop.buyer.account_id}") == both
    assert await found(f"account_id={shop.owner.account_id}") == []
    assert await found(f"q={shop.buyer.email}") == both
    assert await found(f"q=t-{first['id']}") == [first["id"]]
    assert await found("q=%25") == []
    page = (await shop.owner.client.get("/api/v1/admin/orders?limit=1")).json()
    assert await found(f"limit=1&cursor={page['next_cursor']}") == [first["id"]]


async def test_an_operator_may_not_touch_payment_methods(shop: Shop) -> None:
    async with signed_in(shop.app, shop.dsn, role="operator") as olga:
        listed = await olga.client.get("/api/v1/admin/payment-methods")
        assert listed.status_code == 200
        assert "cashier-secret" not in listed.text
        for method, path, body in (
            ("POST", "", {}),
            ("PATCH", "/card", {"enabled": False}),
            ("DELETE", "/card", None),
        ):
            answer = await olga.client.request(method, f"/api/v1/admin/payment-methods{path}", json=body)
            assert answer.status_code == 403, answer.text


async def test_a_dispute_that_stood_in_columns_of_the_order_is_kept_by_the_migration(shop: Shop) -> None:
    order = await bonus_order(shop)
    await shop.sql("ALTER TABLE payment_events DROP COLUMN dispute_name, DROP COLUMN dispute_reason")
    await shop.sql(
        "ALTER TABLE orders DROP COLUMN disputes, ADD COLUMN dispute text, ADD COLUMN disputed_amount bigint"
    )
    await shop.sql("UPDATE orders SET dispute = 'open', disputed_amount = 515, status = 'disputed'")
    owner = await asyncpg.connect(shop.dsn)
    try:
        await owner.execute((Path(migrate.__file__).parent / "migrations" / "0022_disputes.sql").read_text())
    finally:
        await owner.close()
    connection = await connect(shop.dsn)  # the application's own remember the columns that are gone
    try:
        kept = await orders.find_order(connection, UUID(order["id"]))
    finally:
        await connection.close()
    assert kept is not None
    [told] = kept.disputes
    assert (told.name, told.state, told.amount, told.decided_at) == (None, "open", 515, None)
    assert (told.heard_at, kept.taken_quota) == (kept.updated_at, 0)
