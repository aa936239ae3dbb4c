"""Buying: what is offered, what is quoted, what is ordered; exactly, and once."""

from typing import Any

import pytest

from tests.builders import signed_in
from tests.orders.conftest import ORDERS, RATE, Shop

TOPUP = "/api/v1/topup"


async def test_what_is_quoted_is_what_is_ordered_and_what_is_credited(shop: Shop) -> None:
    choice = {"method": "card", "amount": 1234}
    quoted = (await shop.buyer.client.post(f"{TOPUP}/quote", json=choice)).json()
    assert (quoted["quota"], quoted["fee"], quoted["total"]) == (1234 * RATE, 30, 1264)
    assert await shop.balance() == 0
    order = await shop.order(1234)
    assert (order["status"], order["next"]["url"]) == ("pending", f"https://cashier.example/{order['id']}")
    assert {name: order[name] for name in ("quota", "fee", "total", "bonus_quota")} == {
        name: quoted[name] for name in ("quota", "fee", "total", "bonus_quota")
    }
    assert (await shop.pay(order)).text == "taken"
    assert await shop.balance() == quoted["quota"]
    shown = await shop.get(order)
    assert (shown["status"], shown["paid_amount"], shown["credited_quota"]) == ("paid", 1264, quoted["quota"])
    lines = (await shop.buyer.client.get("/api/v1/wallet/transfers?kind=top_up")).json()["items"]
    assert [line["amount"] for line in lines] == [quoted["quota"]]


async def test_what_was_agreed_is_ordered_or_nothing_is(shop: Shop) -> None:
    choice = {"method": "card", "amount": 1234}
    quoted = (await shop.buyer.client.post(f"{TOPUP}/quote", json=choice)).json()
    agreed = {name: quoted[name] for name in ("total", "quota", "bonus_quota")}
    first = await shop.buyer.client.post(ORDERS, json=choice | {"agreed": agreed}, headers={"idempotency-key": "a"})
    assert first.status_code == 201, first.text
    await shop.owner.client.patch("/api/v1/admin/payment-methods/card", json={"fee": {"fixed": 31, "micros": 0}})
    changed = await shop.buyer.client.post(ORDERS, json=choice | {"agreed": agreed})
    assert (changed.status_code, changed.json()["code"]) == (409, "quote_changed")
    assert {name: changed.json()[name] for name in agreed} == agreed | {"total": 1265}
    again = await shop.buyer.client.post(ORDERS, json=choice | {"agreed": agreed}, headers={"idempotency-key": "a"})
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert len((await shop.buyer.client.get(ORDERS)).json()["items"]) == 1


async def test_packages_and_bonuses_by_group_are_shown_as_they_are_sold(shop: Shop) -> None:
    await _vip(shop)
    await shop.method(
        id="gold",
        custom_amount=False,
        packages=[
            {"id": "small", "label": "Small", "amount": 500},
            {"id": "big", "label": "Big", "amount": 5000, "quota": 70_000_000, "bonus_quota": 5},
        ],
        bonus_tiers=[
            {"minimum": 100, "bonus_micros": 100_000},
            {"minimum": 100, "bonus_micros": 900_000, "groups": ["vip"]},
        ],
    )
    offers = (await shop.buyer.client.get(TOPUP)).json()
    gold = next(method for method in offers["methods"] if method["id"] == "gold")
    assert [(p["id"], p["quota"], p["bonus_quota"], p["total"]) for p in gold["packages"]] == [
        ("small", 500 * RATE, 50 * RATE, 530),
        ("big", 70_000_000, 5, 5030),
    ]
    ordered = await shop.buyer.client.post(ORDERS, json={"method": "gold", "package": "small"})
    assert (ordered.json()["quota"], ordered.json()["bonus_quota"]) == (500 * RATE, 50 * RATE)
    await shop.pay(ordered.json())
    assert await shop.balance() == 550 * RATE
    refused = await shop.buyer.client.post(ORDERS, json={"method": "gold", "amount": 500})
    assert (refused.status_code, refused.json()["field"]) == (422, "amount")


async def _vip(shop: Shop) -> None:
    draft = {"name": "vip", "multiplier_micros": 1_000_000}
    assert (await shop.owner.client.post("/api/v1/admin/groups", json=draft)).status_code == 201


async def test_a_package_that_no_wallet_of_some_group_could_hold_is_refused_when_it_is_entered(shop: Shop) -> None:
    package = {"id": "much", "label": "Much", "amount": 1000}
    tier = {"minimum": 1, "bonus_quota": 2**53 - 1, "groups": ["default"]}
    refused = await shop.owner.client.patch(
        "/api/v1/admin/payment-methods/card", json={"packages": [package], "bonus_tiers": [tier]}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "amount_too_large")
    assert (await shop.buyer.client.get("/api/v1/topup")).status_code == 200


async def test_nothing_is_offered_that_cannot_be_paid(shop: Shop) -> None:
    await _vip(shop)
    await shop.method(id="off", enabled=False)
    await shop.method(id="bare", secrets={})
    await shop.method(id="theirs", groups=["vip"])
    offered = (await shop.buyer.client.get(TOPUP)).json()
    assert (offered["is_enabled"], [method["id"] for method in offered["methods"]]) == (True, ["card"])
    for method in ("off", "bare", "theirs", "nothing"):
        refused = await shop.buyer.client.post(ORDERS, json={"method": method, "amount": 500})
        assert (refused.status_code, refused.json()["code"]) == (404, "payment_method_unavailable")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"method": "card", "amount": 0}, "invalid_request"),
        ({"method": "card", "amount": -5}, "invalid_request"),
        ({"method": "card", "amount": 1.5}, "invalid_request"),
        ({"method": "card", "amount": "5"}, "invalid_request"),
        ({"method": "card", "amount": 10**13}, "invalid_request"),
        ({"method": "card"}, "invalid_request"),
        ({"method": "card", "amount": 99}, "amount_out_of_bounds"),
        ({"method": "card", "amount": 100_001}, "amount_out_of_bounds"),
    ],
)
async def test_amounts_that_are_not_sold_are_refused_with_the_bounds(
    shop: Shop, body: dict[str, Any], code: str
) -> None:
    changed = await shop.owner.client.patch(
        "/api/v1/admin/payment-methods/card", json={"minimum": 100, "maximum": 100_000}
    )
    assert changed.status_code == 200, changed.text
    for address in (f"{TOPUP}/quote", ORDERS):
        refused = await shop.buyer.client.post(address, json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
        if code == "amount_out_of_bounds":
            assert (refused.json()["minimum"], refused.json()["maximum"]) == (100, 100_000)


async def test_a_repeated_request_is_one_order_and_one_call_to_the_processor(shop: Shop) -> None:
    first = await shop.order(**{"idempotency-key": "k"})
    again = await shop.order(**{"idempotency-key": "k"})
    assert first == again
    assert shop.cashier.started == [first["id"]]
    assert len((await shop.buyer.client.get(ORDERS)).json()["items"]) == 1


async def test_a_processor_that_is_away_leaves_an_order_that_can_be_started_again(shop: Shop) -> None:
    shop.cashier.mood = "away"
    body, key = {"method": "card", "amount": 500}, {"idempotency-key": "k"}
    refused = await shop.buyer.client.post(ORDERS, json=body, headers=key)
    assert (refused.status_code, refused.json()["code"]) == (503, "payment_processor_unavailable")
    order = (await shop.buyer.client.get(f"{ORDERS}/{refused.json()['order_id']}")).json()
    assert (order["status"], order["next"]) == ("pending", None)
    shop.cashier.mood = "well"
    again = await shop.buyer.client.post(ORDERS, json=body, headers=key)
    assert (again.status_code, again.json()["id"]) == (201, order["id"])
    assert again.json()["next"]["type"] == "redirect"
    started = await shop.buyer.client.post(f"{ORDERS}/{order['id']}/start")
    assert started.json()["next"] == again.json()["next"]
    assert shop.cashier.started == [order["id"]]


async def test_a_processor_that_refuses_fails_the_order_in_words(shop: Shop) -> None:
    shop.cashier.mood = "refusing"
    refused = await shop.buyer.client.post(ORDERS, json={"method": "card", "amount": 500})
    assert (refused.status_code, refused.json()["code"]) == (502, "payment_processor_refused")
    order = await shop.get({"id": refused.json()["order_id"]})
    assert (order["status"], order["reason"]) == ("failed", "declined")


async def test_only_so_many_orders_wait_at_once_and_a_cancelled_one_makes_room(shop: Shop) -> None:
    await shop.policy(open_orders_max=2)
    first, _ = await shop.order(), await shop.order()
    refused = await shop.buyer.client.post(ORDERS, json={"method": "card", "amount": 500})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_open_orders")
    cancelled = await shop.buyer.client.post(f"{ORDERS}/{first['id']}/cancel")
    assert (cancelled.json()["status"], cancelled.json()["reason"]) == ("expired", "cancelled")
    assert (await shop.buyer.client.post(f"{ORDERS}/{first['id']}/cancel")).status_code == 200
    await shop.order()
    await shop.pay(first)
    assert (await shop.get(first))["status"] == "paid"
    late = await shop.buyer.client.post(f"{ORDERS}/{first['id']}/cancel")
    assert (late.status_code, late.json()["code"], late.json()["status"]) == (409, "order_not_open", 409)


async def test_words_to_pay_by_are_there_for_as_long_as_a_transfer_may_come(shop: Shop) -> None:
    await shop.method(id="bank", processor="manual", secrets={}, config={"instructions": "Pay us."})
    by_hand, by_card, cancelled = await shop.order(method="bank"), await shop.order(), await shop.order(method="bank")
    await shop.buyer.client.post(f"{ORDERS}/{cancelled['id']}/cancel")
    await shop.sql("UPDATE orders SET expires_at = now() - interval '1 minute' WHERE status = 'pending'")
    await shop.app._house.services().jobs.run("orders")
    shown = await shop.get(by_hand)
    assert (shown["status"], shown["next"]) == ("expired", by_hand["next"])
    for gone in (by_card, cancelled):
        shown = await shop.get(gone)
        assert (shown["status"], shown["next"]) == ("expired", None)
    assert (await shop.admin(by_hand, "confirm")).json()["line"]["order"]["status"] == "paid"
    assert (await shop.get(by_hand))["next"] is None


async def test_the_price_of_an_order_is_that_of_the_moment_it_was_placed(shop: Shop) -> None:
    order = await shop.order(1000)
    raised = await shop.owner.client.patch("/api/v1/admin/payment-methods/card", json={"quota_per_minor_unit": 1})
    assert raised.status_code == 200
    await shop.pay(order)
    assert await shop.balance() == 1000 * RATE
    refused = await shop.owner.client.patch("/api/v1/admin/payment-methods/card", json={"currency": "USD"})
    assert refused.status_code == 200, "nothing of it waits any more"
    await shop.order()
    refused = await shop.owner.client.patch("/api/v1/admin/payment-methods/card", json={"currency": "EUR"})
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert (await shop.owner.client.delete("/api/v1/admin/payment-methods/card")).json()["code"] == "in_use"


async def test_nobody_sees_or_touches_the_orders_of_another_account(shop: Shop) -> None:
    order = await shop.order()
    async with signed_in(shop.app, shop.dsn) as eve:
        assert (await eve.client.get(ORDERS)).json()["items"] == []
        for method, path in (("GET", ""), ("POST", "/start"), ("POST", "/cancel")):
            answer = await eve.client.request(method, f"{ORDERS}/{order['id']}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        for path in ("/api/v1/admin/orders", "/api/v1/admin/payment-methods", "/api/v1/admin/payment-events"):
            assert (await eve.client.get(path)).status_code == 403
    assert (await shop.get(order))["status"] == "pending"


async def test_a_paused_account_orders_nothing(shop: Shop) -> None:
    paused = await shop.owner.client.patch(f"/api/v1/admin/accounts/{shop.buyer.account_id}", json={"status": "paused"})
    assert paused.status_code == 200
    refused = await shop.buyer.client.post(ORDERS, json={"method": "card", "amount": 500})
    assert (refused.status_code, refused.json()["code"]) == (403, "account_paused")


async def test_strangers_are_told_whether_quota_can_be_bought(shop: Shop) -> None:
    async def is_told() -> bool:
        return (await shop.stranger.get("/api/v1/status")).json()["topup_enabled"]

    await shop.policy(redemption_enabled=False)
    assert await is_told()
    await shop.owner.client.patch("/api/v1/admin/payment-methods/card", json={"enabled": False})
    assert not await is_told()
    await shop.policy(redemption_enabled=True)
    assert await is_told(), "codes are redeemed"
