"""A payment credits exactly once (guarantee G8), whatever processors send, in whatever order, however often.

Every known failure of payments elsewhere has its test here, or in test_races.py where several processes matter.
"""

import asyncio
import logging
from typing import Any

import pytest

from airouter.services.payment_inbox import PaymentInbox
from airouter.storage import payment_events
from tests.orders.cashier import SECRET, notice
from tests.orders.conftest import RATE, Shop, paid, said

METHOD = "/api/v1/admin/payment-methods/card"
EVENTS = "/api/v1/admin/payment-events"


async def outcomes(shop: Shop) -> list[str]:
    """Of all events, oldest first."""
    items = (await shop.owner.client.get(EVENTS)).json()["items"]
    return [item["outcome"] for item in reversed(items)]


async def test_a_notice_repeated_a_hundred_times_at_once_credits_once(shop: Shop) -> None:
    order = await shop.order()
    answers = await asyncio.gather(*(shop.pay(order) for _ in range(100)))
    assert {answer.status_code for answer in answers} <= {200, 503}, "503: the database was busy, and it comes again"
    assert (await shop.pay(order)).status_code == 200
    assert await shop.balance() == 1000 * RATE
    assert await outcomes(shop) == ["applied"]


async def test_many_notices_of_one_payment_under_different_names_credit_once(shop: Shop) -> None:
    order = await shop.order()
    answers = await asyncio.gather(*(shop.pay(order, event_id=f"e{n}") for n in range(20)))
    assert {answer.status_code for answer in answers} <= {200, 503}
    await asyncio.gather(*(shop.pay(order, event_id=f"e{n}") for n in range(20)))
    assert await shop.balance() == 1000 * RATE


async def test_a_forged_notice_is_refused_and_leaves_nothing(shop: Shop) -> None:
    order = await shop.order()
    for secret in ("another secret", SECRET.upper(), ""):
        refused = await shop.hear(paid(order), secret=secret or " ")
        assert (refused.status_code, refused.json()["code"]) == (403, "webhook_refused")
    unsigned = await shop.stranger.post("/api/v1/webhooks/card", content=notice(paid(order))["content"])
    assert unsigned.status_code == 403
    changed = notice(paid(order))
    changed["content"] = changed["content"].replace(b"1030", b"9030")
    assert (await shop.stranger.post("/api/v1/webhooks/card", **changed)).status_code == 403
    assert (await shop.get(order))["status"] == "pending"
    assert await shop.sql("SELECT 1 FROM payment_events") == []


async def test_without_its_secret_a_method_is_off_and_its_webhook_does_not_exist(shop: Shop) -> None:
    order = await shop.order()
    taken = await shop.owner.client.patch(METHOD, json={"secrets": {"signing_secret": None}})
    assert taken.json()["off_because"] == "secrets_missing"
    for secret in ("", SECRET):
        answer = await shop.hear(paid(order), secret=secret or " ")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await shop.balance() == 0


@pytest.mark.parametrize("empty", ["", " ", "\t\n"])
async def test_a_secret_is_never_empty(shop: Shop, empty: str) -> None:
    refused = await shop.owner.client.patch(METHOD, json={"secrets": {"signing_secret": empty}})
    assert refused.status_code == 422
    assert refused.json()["field"] == "secrets.signing_secret"


async def test_an_unknown_and_a_manual_method_have_no_webhook(shop: Shop) -> None:
    order = await shop.order()
    await shop.method(id="bank", processor="manual", secrets={}, config={"instructions": "Pay us."})
    for method in ("nothing", "bank", "..%2fcard", "%00"):
        assert (await shop.hear(paid(order), method=method)).status_code == 404
        assert (await shop.stranger.get(f"/api/v1/webhooks/{method}")).status_code == 404


async def test_a_method_that_is_not_offered_any_more_still_hears_of_what_it_sold(shop: Shop) -> None:
    order = await shop.order()
    await shop.owner.client.patch(METHOD, json={"enabled": False})
    assert (await shop.buyer.client.get("/api/v1/topup")).json()["methods"] == []
    assert (await shop.pay(order)).status_code == 200
    assert await shop.balance() == 1000 * RATE
    assert (await shop.hear(said(order, "dispute_opened", "d1"))).status_code == 200
    assert ((await shop.get(order))["status"], await shop.balance()) == ("disputed", 0)


async def test_a_rotated_secret_is_accepted_for_the_time_that_was_said(shop: Shop) -> None:
    first, second, third = await shop.order(), await shop.order(), await shop.order()
    new = {"secrets": {"signing_secret": "brand new secret"}, "previous_secret_hours": 1}
    rotated = (await shop.owner.client.patch(METHOD, json=new)).json()
    assert rotated["secrets"][0]["previous_accepted_until"] is not None
    assert "brand new secret" not in str(rotated)
    assert (await shop.hear(paid(first), secret=SECRET)).status_code == 200
    assert (await shop.hear(paid(second), secret="brand new secret")).status_code == 200
    await shop.sql("UPDATE payment_secrets SET previous_accepted_until = now() - interval '1 second'")
    assert (await shop.hear(paid(third), secret=SECRET)).status_code == 403
    at_once = {"secrets": {"signing_secret": "and another"}, "previous_secret_hours": 0}
    await shop.owner.client.patch(METHOD, json=at_once)
    assert (await shop.hear(paid(third), secret="brand new secret")).status_code == 403
    assert await shop.balance() == 2000 * RATE


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": 1029}, "underpaid"),
        ({"amount": 1}, "underpaid"),
        ({"amount": 1031}, "overpaid"),
        ({"amount": None}, "amount_unknown"),
        ({"currency": "USD"}, "currency_differs"),
        ({"currency": "JPY"}, "currency_differs"),
    ],
)
async def test_another_amount_or_currency_than_ordered_goes_to_review_and_credits_nothing(
    shop: Shop, change: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    order = await shop.order()
    with caplog.at_level(logging.WARNING):
        assert (await shop.pay(order, **change)).status_code == 200
    shown = await shop.get(order)
    assert (shown["status"], shown["reason"], await shop.balance()) == ("review", reason, 0)
    assert "payment.needs_review" in caplog.text
    acts = (await shop.owner.client.get("/api/v1/admin/audit-log?action=payment.needs_review")).json()["items"]
    assert acts, "an alert stands in the audit log"
    listed = (await shop.owner.client.get(f"{EVENTS}?needs_review=true")).json()["items"]
    assert [item["order_id"] for item in listed] == [order["id"]]


async def test_one_methods_notice_does_not_complete_another_methods_order(shop: Shop) -> None:
    await shop.method(id="other", secrets={"signing_secret": "the other till's"})
    order = await shop.order()
    taken = await shop.hear(paid(order), method="other", secret="the other till's")
    assert taken.status_code == 200, "it is genuine, and sending it again would not change anything"
    assert ((await shop.get(order))["status"], await shop.balance()) == ("pending", 0)
    assert await outcomes(shop) == ["order_of_another_method"]
    assert (await shop.hear(paid(order), method="other", secret=SECRET)).status_code == 403


async def test_a_notice_of_an_order_that_is_not_ours_is_kept_and_credits_nothing(shop: Shop) -> None:
    order = await shop.order()
    for n, name in enumerate(("0198a000-0000-7000-8000-000000000000", "no id", None)):
        answer = await shop.pay(order, order_id=name, event_id=f"e{n}", trade_number="unknown")
        assert answer.status_code == 200
    assert await outcomes(shop) == ["order_unknown"] * 3
    assert await shop.balance() == 0


async def test_a_payment_that_comes_after_the_order_expired_or_failed_still_counts(shop: Shop) -> None:
    expired, failed = await shop.order(), await shop.order()
    await shop.hear(said(expired, "expired", "x1"))
    await shop.hear(said(failed, "failed", "x2"))
    assert ((await shop.get(expired))["status"], (await shop.get(failed))["status"]) == ("expired", "failed")
    await shop.pay(expired)
    await shop.pay(failed)
    assert await shop.balance() == 2000 * RATE


async def test_what_says_that_a_paid_order_failed_or_expired_changes_nothing(shop: Shop) -> None:
    order = await shop.order()
    await shop.pay(order)
    await shop.hear(said(order, "expired", "x1"))
    await shop.hear(said(order, "failed", "x2"))
    assert ((await shop.get(order))["status"], await shop.balance()) == ("paid", 1000 * RATE)


async def test_a_refund_that_is_heard_of_before_its_payment_takes_effect_with_it(shop: Shop) -> None:
    order = await shop.order()
    await shop.hear(said(order, "refunded", "r1", refunded_total=515))
    assert (await shop.get(order))["status"] == "pending"
    await shop.pay(order)
    assert await shop.balance() == 500 * RATE
    await shop.hear(said(order, "refunded", "r2", refunded_total=1030))
    assert ((await shop.get(order))["status"], await shop.balance()) == ("refunded", 0)


async def test_a_second_payment_of_an_order_is_not_credited_but_shown_to_an_operator(shop: Shop) -> None:
    order = await shop.order()
    await shop.pay(order)
    await shop.pay(order, event_id="second", trade_number="another")
    assert await outcomes(shop) == ["applied", "paid_twice"]
    assert await shop.balance() == 1000 * RATE


async def test_a_notice_that_cannot_be_acted_upon_is_kept_and_asked_for_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await shop.order()

    async def fails(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(payment_events, "handled", fails)
    answer = await shop.pay(order)
    assert answer.status_code == 503
    assert ((await shop.get(order))["status"], await shop.balance()) == ("pending", 0)
    assert await outcomes(shop) == [None]
    monkeypatch.undo()
    assert (await shop.pay(order)).status_code == 200
    assert await shop.balance() == 1000 * RATE


async def test_no_notice_is_acknowledged_before_its_credit_is_committed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await shop.order()
    act = PaymentInbox.act

    async def looks(inbox: PaymentInbox, event_key: Any, *rest: Any) -> Any:
        outcome = await act(inbox, event_key, *rest)
        assert await shop.balance() == 1000 * RATE, "whoever looks now sees it"
        return outcome

    monkeypatch.setattr(PaymentInbox, "act", looks)
    assert (await shop.pay(order)).status_code == 200


async def test_an_event_that_was_kept_by_a_process_that_died_is_acted_upon_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await shop.order()

    async def dies(*_: Any, **__: Any) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(PaymentInbox, "act", dies)
    assert (await shop.pay(order)).status_code >= 500
    monkeypatch.undo()
    await shop.sql("UPDATE payment_events SET received_at = now() - interval '1 minute'")
    await run_reconciler(shop)
    assert await shop.balance() == 1000 * RATE
    assert (await shop.pay(order)).status_code == 200
    assert await shop.balance() == 1000 * RATE


async def run_reconciler(shop: Shop) -> None:
    await shop.app._house.services().jobs.run("orders")


async def test_a_payment_that_no_notice_ever_tells_of_is_credited_by_the_reconciler(shop: Shop) -> None:
    order = await shop.order()
    await run_reconciler(shop)
    assert shop.cashier.asked == [], "not yet"
    await shop.sql("UPDATE orders SET ask_at = now()")
    await run_reconciler(shop)
    assert (shop.cashier.asked, await shop.balance()) == ([order["id"]], 0)
    shop.cashier.answers[order["id"]] = paid(order)
    await shop.sql("UPDATE orders SET ask_at = now()")
    await run_reconciler(shop)
    assert await shop.balance() == 1000 * RATE
    assert (await shop.pay(order)).status_code == 200
    await shop.pay(order, event_id="another name")
    assert await shop.balance() == 1000 * RATE, "the notice that comes after all"
    [row] = await shop.sql("SELECT ask_at FROM orders")
    assert row["ask_at"] is None, "paid orders are not asked about"


async def test_a_processor_that_does_not_answer_the_reconciler_is_asked_again_ever_less_often(shop: Shop) -> None:
    await shop.policy(ask_after_seconds=60)
    await shop.order()
    shop.cashier.mood = "away"
    pauses = []
    for _ in range(3):
        await shop.sql("UPDATE orders SET ask_at = now()")
        await run_reconciler(shop)
        [row] = await shop.sql("SELECT extract(epoch FROM ask_at - now()) AS pause FROM orders")
        pauses.append(round(row["pause"] / 60))
    assert pauses == [1, 2, 4]
    await shop.sql("UPDATE orders SET ask_at = now(), expires_at = now() - interval '4 days'")
    await run_reconciler(shop)
    assert (await shop.sql("SELECT ask_at FROM orders"))[0]["ask_at"] is None


async def test_an_answer_that_nobody_can_read_holds_up_no_other_order(shop: Shop) -> None:
    broken, well, old = [await shop.order() for _ in range(3)]
    shop.cashier.answers = {broken["id"]: "what is this?", well["id"]: paid(well)}  # type: ignore[dict-item]
    for order, asked in ((broken, "1 hour"), (well, "1 minute")):
        await shop.sql(f"UPDATE orders SET ask_at = now() - interval '{asked}' WHERE order_id = $1::uuid", order["id"])
    await shop.sql("UPDATE orders SET expires_at = now() WHERE order_id = $1::uuid", old["id"])
    await shop.app._house.services().jobs.run("orders")
    assert [(await shop.get(order))["status"] for order in (broken, well, old)] == ["pending", "paid", "expired"]


async def test_an_order_that_nobody_paid_expires(shop: Shop) -> None:
    order = await shop.order()
    await shop.sql("UPDATE orders SET expires_at = now() - interval '1 second'")
    await run_reconciler(shop)
    assert (await shop.get(order))["status"] == "expired"


async def test_what_came_is_kept_encrypted_for_thirty_days_and_never_logged(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    order = await shop.order()
    with caplog.at_level(logging.DEBUG):
        await shop.pay(order, status_text="harmless", trade_number="trade-4711")
    [row] = await shop.sql("SELECT body FROM payment_events")
    assert row["body"] is not None
    assert b"trade-4711" not in row["body"]
    assert "trade-4711" not in caplog.text
    assert SECRET not in caplog.text
    await run_reconciler(shop)
    assert (await shop.sql("SELECT body FROM payment_events"))[0]["body"] is not None
    await shop.sql("UPDATE payment_events SET received_at = now() - interval '31 days'")
    await run_reconciler(shop)
    assert (await shop.sql("SELECT body FROM payment_events"))[0]["body"] is None


async def test_a_notice_is_bounded(shop: Shop) -> None:
    huge = {"content": b"x" * 300_000, "headers": {"x-cashier": "0"}}
    assert (await shop.stranger.post("/api/v1/webhooks/card", **huge)).status_code == 413


async def test_a_full_wallet_takes_no_payment_and_the_payment_waits_for_a_person(shop: Shop) -> None:
    order = await shop.order()
    await shop.owner.client.post(
        f"/api/v1/admin/accounts/{shop.buyer.account_id}/adjustments",
        json={"amount": 2**53 - 1, "reason": "full"},
        headers={"idempotency-key": "full"},
    )
    assert (await shop.pay(order)).status_code == 200
    shown = await shop.get(order)
    assert (shown["status"], shown["reason"], shown["paid_amount"]) == ("review", "wallet_full", 1030)
    assert await shop.balance() == 2**53 - 1


async def test_by_policy_somebody_hears_by_mail_of_a_payment_that_needs_a_look_once(shop: Shop) -> None:
    await shop.policy(review_email="books@example.com")
    order = await shop.order()
    for _ in range(3):
        await shop.pay(order, amount=1)
    posted = await shop.sql("SELECT recipient FROM mails WHERE letter = 'payment_review'")
    assert [row["recipient"] for row in posted] == ["books@example.com"]


async def test_who_looks_at_payments_and_is_somebody_here_is_written_to_in_their_language(shop: Shop) -> None:
    [row] = await shop.sql("UPDATE users SET locale = 'zh' WHERE user_id = $1 RETURNING email", shop.owner.user_id)
    await shop.policy(review_email=row["email"])
    await shop.pay(await shop.order(), amount=1)
    posted = await shop.sql("SELECT locale FROM mails WHERE letter = 'payment_review'")
    assert [row["locale"] for row in posted] == ["zh"]
