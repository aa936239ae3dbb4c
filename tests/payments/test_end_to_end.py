"""One order from the amount to the credit while the API is killed: signed by the official SDKs, credited once."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.audit import audit_books
from tests.payments.fake_epay import KEY, PID, fake_epay, private_text, public_text
from tests.payments.fake_stripe import API_KEY, WEBHOOK_SECRET, fake_stripe, signed
from tests.payments.shop import Shop, open_shop

QUOTA = 10_000_000
"""For one minor unit."""


@pytest.fixture
async def shop(database: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(database, tmp_path) as running:
        yield running


@pytest.mark.parametrize("point", ["before", "after"])
async def test_stripe_credits_once_though_the_api_dies_before_it_answers(shop: Shop, point: str) -> None:
    with fake_stripe() as stripe:
        await shop.method(
            "stripe",
            config={"api_base": stripe.address},
            secrets={"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET},
            fee={"fixed": 30, "micros": 29_000},
        )
        order = await shop.order(5000)
        assert (order["total"], order["quota"]) == (5000 + 30 + 145, 5000 * QUOTA)
        assert await shop.order(5000) == order
        assert len(stripe.sessions) == 1
        session = urlsplit(order["next"]["url"]).path.rpartition("/")[2]
        assert stripe.sessions[session]["client_reference_id"] == order["id"]
        event = stripe.pay(session)

        shop.die_at(point)
        body, headers = signed(event)
        assert await shop.deliver(content=body, headers=headers) is None
        assert await shop.has_died() == -9
        # What is committed is committed; what is not waits for the redelivery, and for the reconciler after that.
        assert await shop.booked() == (5000 * QUOTA if point == "after" else 0)
        await shop.start()

        body, headers = signed(event)
        answers = await asyncio.gather(*(shop.deliver(content=body, headers=headers) for _ in range(20)))
        refusals = {answer.status_code for answer in answers if answer} - {200}
        assert refusals <= {503}, "503: the database was busy, and it comes again"
        answer = await shop.deliver(content=body, headers=headers)
        assert answer is not None
        assert answer.status_code == 200
        assert await shop.balance() == 5000 * QUOTA
        assert await shop.status(order["id"]) == "paid"
        await audit_books(shop.dsn)

        refunded = await shop.owner.post(f"admin/orders/{order['id']}/refund", json=refund(order["total"]))
        assert refunded.status_code == 200, refunded.text
        assert [one["amount"] for one in stripe.refunds.values()] == [order["total"]]
        assert await shop.balance() == 0
        told = stripe.charge_refunded(stripe.sessions[session]["payment_intent"])
        body, headers = signed(told)
        for _ in range(2):
            answer = await shop.deliver(content=body, headers=headers)
            assert answer is not None
            assert answer.status_code == 200
        assert await shop.balance() == 0
        assert await shop.status(order["id"]) == "refunded"


def refund(amount: int) -> dict[str, Any]:
    return {"amount": amount, "at_processor": True, "reason": "asked for it"}


@pytest.mark.parametrize("by", ["GET", "POST"])
async def test_an_epay_notice_signed_by_the_sdk_credits_once_while_the_api_is_killed(shop: Shop, by: str) -> None:
    with fake_epay() as gateway:
        config = {"base_url": gateway.address, "pid": PID, "pay_type": "alipay"}
        await shop.method("epay", config=config, secrets={"key": KEY}, currency="CNY")
        order = await shop.order(1234)
        form = order["next"]
        assert gateway.sdk.verify_sign(form["fields"])
        async with httpx.AsyncClient() as browser:
            assert "收银台" in (await browser.post(form["url"], data=form["fields"])).text
        (number,) = gateway.trades
        assert gateway.trades[number]["notify_url"] == f"{shop.url}/api/v1/webhooks/main"
        fields = gateway.pay(number)
        gateway.sdk.verify_callback(fields)

        shop.die_at("after")
        sent = {"params": fields} if by == "GET" else {"data": fields}
        assert await shop.deliver(by, **sent) is None
        assert await shop.has_died() == -9
        await shop.start()
        assert await shop.balance() == 1234 * QUOTA
        answer = await shop.deliver(by, **sent)
        assert answer is not None
        assert (answer.status_code, answer.text) == (200, "success")
        assert await shop.balance() == 1234 * QUOTA


async def test_redelivering_until_success_credits_once_however_often_the_api_is_killed(shop: Shop) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    with fake_epay() as gateway:
        config = {"base_url": gateway.address, "pid": PID, "platform_public_key": public_text("platform")}
        secrets = {"merchant_private_key": private_text("merchant")}
        await shop.method("epay-rsa", config=config, secrets=secrets, currency="CNY")
        notices = []
        for number in range(6):
            order = await shop.order(100 + number, key=f"order-{number}")
            fields = order["next"]["fields"]
            notices.append(gateway.notice_v2(gateway.open(fields)))

        async def redeliver(fields: dict[str, str]) -> None:
            said = ""
            while said != "success":
                answer = await shop.deliver("GET", params=fields)
                said = answer.text if answer is not None else ""
                await asyncio.sleep(draw.uniform(0, 0.2))

        delivering = asyncio.gather(*(redeliver(fields) for fields in notices for _ in range(2)))
        for _ in range(3):
            await asyncio.sleep(draw.uniform(0.02, 0.4))
            await shop.kill()
            await shop.start()
        await delivering
        assert await shop.balance() == sum(100 + number for number in range(6)) * QUOTA


async def test_a_payment_whose_notice_never_arrives_is_credited_by_asking(shop: Shop) -> None:
    with fake_stripe() as stripe:
        policy = (await shop.owner.get("admin/policies/topup")).json()
        changed = await shop.owner.put("admin/policies/topup", json={**policy, "ask_after_seconds": 5})
        assert changed.status_code == 200, changed.text
        secrets = {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET}
        await shop.method("stripe", config={"api_base": stripe.address}, secrets=secrets)
        order = await shop.order(5000)
        event = stripe.pay(urlsplit(order["next"]["url"]).path.rpartition("/")[2])
        while await shop.status(order["id"]) != "paid":
            await asyncio.sleep(0.2)
        assert await shop.balance() == 5000 * QUOTA
        body, headers = signed(event)  # and then it comes after all
        answer = await shop.deliver(content=body, headers=headers)
        assert answer is not None
        assert answer.status_code == 200
        assert await shop.balance() == 5000 * QUOTA


async def test_a_forged_notice_credits_nothing_and_says_no_more_than_no(shop: Shop) -> None:
    with fake_epay() as gateway:
        await shop.method(
            "epay", config={"base_url": gateway.address, "pid": PID}, secrets={"key": KEY}, currency="CNY"
        )
        order = await shop.order(1234)
        fields = gateway.notice(gateway.open(order["next"]["fields"]))
        for forged in ({**fields, "money": "0.01"}, {**fields, "sign": ""}, {**fields, "sign": "0" * 32}):
            answer = await shop.deliver("GET", params=forged)
            assert answer is not None
            assert answer.status_code == 403
            assert KEY not in answer.text
        assert (await shop.balance(), await shop.status(order["id"])) == (0, "pending")


async def test_a_processor_that_is_away_is_said_and_the_order_is_started_later(shop: Shop) -> None:
    with fake_stripe() as stripe:
        await shop.method(
            "stripe",
            config={"api_base": stripe.address},
            secrets={"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET},
        )
        stripe.is_down = True
        body = {"method": "main", "amount": 5000}
        refused = await shop.buyer.post("topup/orders", json=body, headers={"idempotency-key": "k"})
        assert (refused.status_code, refused.json()["code"]) == (503, "payment_processor_unavailable")
        order_id = refused.json()["order_id"]
        assert await shop.status(order_id) == "pending"
        stripe.is_down = False
        started = (await shop.buyer.post(f"topup/orders/{order_id}/start")).json()
        assert started["next"]["type"] == "redirect"
        assert len(stripe.sessions) == 1
