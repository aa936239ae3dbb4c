"""Buying quota, from the amount to the receipt, through the demo processor: its page, its webhook, its silence."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import expect

from tests.builders import run_sql
from tests.journeys.instance import Instance
from tests.journeys.visitor import PHONE, Entrance, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="package")

UNIT = 1_000_000_000
DONE = re.compile(r"/console/topup/orders/[0-9a-f-]{36}$")


async def chooses(visitor: Visitor, amount: str) -> None:
    """A package, by what stands on it."""
    await visitor.page.locator(".preset b").get_by_text(amount, exact=True).click()


async def orders(visitor: Visitor, total: str) -> None:
    """To the demo processor's page."""
    await visitor.button(f"Pay {total}").click()
    await expect(visitor.page).to_have_url(re.compile("/api/v1/demo-pay/"))
    await expect(visitor.page.get_by_role("heading", name="Demo payment")).to_be_visible()


async def comes_back(visitor: Visitor, outcome: str) -> None:
    """By one of the buttons of the demo processor."""
    await visitor.page.get_by_role("button", name=outcome).first.click()
    await expect(visitor.page).to_have_url(DONE)
    await visitor.settled()


@asynccontextmanager
async def topup_policy(instance: Instance, **changes: Any) -> AsyncIterator[None]:
    async with instance.api(instance.operator) as operator:
        before = (await operator.get("admin/policies/topup")).json()
    await instance.set_policy("topup", {**before, **changes})
    try:
        yield
    finally:
        await instance.set_policy("topup", before)


async def test_a_package_is_paid_credited_and_printed(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    page = visitor.page
    who = await instance.person()
    await visitor.sign_in(who, at="/console/topup", then="**/console/topup")
    await chooses(visitor, "$50")
    slip = page.get_by_role("complementary", name="What you get")
    await expect(slip.get_by_role("row", name="Extra, 1%")).to_contain_text("+0.50")
    await expect(slip.get_by_role("row", name="Credited")).to_contain_text("50.50")
    await visitor.looks_right("top up, a package chosen")
    await orders(visitor, "$50.00")
    await comes_back(visitor, "Pay")
    await expect(page.get_by_role("heading", name="Paid and credited")).to_be_visible()
    await visitor.has_balance(50_500_000_000)
    await visitor.looks_right("an order that was paid")

    await page.get_by_role("link", name="Receipt").click()
    sheet = page.locator("article.sheet")
    await expect(sheet.get_by_role("row", name="Total paid")).to_contain_text("$50.00")
    await expect(sheet.get_by_role("row", name="In quota")).to_contain_text("50,500,000,000")
    await expect(sheet).to_contain_text(who.email)
    await visitor.looks_right("a receipt of an order")
    await page.emulate_media(media="print")
    await expect(sheet).to_be_visible()
    for part in (".side", ".topbar", ".head"):
        await expect(page.locator(part).first).to_be_hidden()
    await page.emulate_media(media="screen")

    await visitor.visit("Top up")
    row = page.get_by_role("table", name="Orders").get_by_role("row").nth(1)
    await expect(row).to_contain_text("Credited")
    await expect(row).to_contain_text("+50.50")
    await expect(page.get_by_role("table", name="History").get_by_role("row").nth(1)).to_contain_text("Top-up")


async def test_an_amount_of_ones_own_is_held_to_the_bounds(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor(**PHONE)
    page = visitor.page
    await visitor.sign_in(await instance.person(), at="/console/topup", then="**/console/topup")
    field = page.get_by_label("Or another amount")
    for typed, words in (("4.99", "At least $5.00."), ("501", "At most $500.00."), ("12.345", "Write an amount")):
        await field.fill(typed)
        await expect(page.get_by_role("alert")).to_contain_text(words)
    await visitor.looks_right("top up on a phone, an amount that is refused")
    await field.fill("12.34")
    await expect(visitor.button("Pay $12.34")).to_be_enabled()
    await orders(visitor, "$12.34")
    await visitor.stays_within("the demo processor's page on a phone")
    await comes_back(visitor, "Pay")
    await expect(page.get_by_text("$12.34 was credited to your balance.")).to_be_visible()
    await visitor.looks_right("an order that was paid, on a phone")
    await page.get_by_role("link", name="Receipt").click()
    await visitor.looks_right("a receipt of an order, on a phone")


async def test_a_declined_payment_credits_nothing_and_can_still_be_paid(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.sign_in(await instance.person(), at="/console/topup", then="**/console/topup")
    await chooses(visitor, "$10")
    await orders(visitor, "$10.00")
    address = page.url
    await comes_back(visitor, "Decline the payment")
    await expect(page.get_by_role("heading", name="The payment failed")).to_be_visible()
    await visitor.looks_right("an order that failed")
    await visitor.has_balance(0)
    await page.goto(address)
    await comes_back(visitor, "Pay")
    await expect(page.get_by_role("heading", name="Paid and credited")).to_be_visible()
    await visitor.has_balance(10 * UNIT)


async def test_a_payment_whose_notice_is_lost_is_found_by_asking(instance: Instance, entrance: Entrance):
    async with topup_policy(instance, ask_after_seconds=86_400):
        visitor = await entrance.visitor()
        page = visitor.page
        await visitor.sign_in(await instance.person(), at="/console/topup", then="**/console/topup")
        await chooses(visitor, "$25")
        await orders(visitor, "$25.00")
        await comes_back(visitor, "Pay, but lose the notice")
        await expect(page.get_by_role("heading", name="Waiting for your payment")).to_be_visible()
        await visitor.looks_right("an order that waits")
        order_id = UUID(page.url.rpartition("/")[2])
        await run_sql(instance.dsn, "UPDATE orders SET ask_at = now() WHERE order_id = $1", order_id)
        await expect(page.get_by_role("heading", name="Paid and credited")).to_be_visible()
        await visitor.has_balance(25 * UNIT)


async def test_a_wrong_amount_is_reviewed_and_not_credited(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.sign_in(await instance.person(), at="/console/topup", then="**/console/topup")
    await chooses(visitor, "$10")
    await orders(visitor, "$10.00")
    await comes_back(visitor, "Pay a different amount")
    await expect(page.get_by_role("heading", name="A person is looking at this payment")).to_be_visible()
    await expect(page.get_by_text("Demo Pay reports $9.99, and $10.00 was expected.")).to_be_visible()
    await visitor.looks_right("an order under review")
    await visitor.has_balance(0)


async def test_a_dispute_takes_the_quota_back_until_it_is_withdrawn(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.sign_in(await instance.person(), at="/console/topup", then="**/console/topup")
    await chooses(visitor, "$10")
    await orders(visitor, "$10.00")
    address = page.url
    await comes_back(visitor, "Pay")
    await visitor.has_balance(10 * UNIT)
    await page.goto(address)
    await comes_back(visitor, "Dispute the payment")
    await expect(page.get_by_role("heading", name="The payment is disputed")).to_be_visible()
    await visitor.has_balance(0)
    await visitor.looks_right("an order that is disputed")
    await page.goto(address)
    await comes_back(visitor, "Withdraw the dispute")
    await expect(page.get_by_role("heading", name="Paid and credited")).to_be_visible()
    await visitor.has_balance(10 * UNIT)


async def test_an_order_that_is_not_wanted_is_cancelled(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.sign_in(await instance.person(), at="/console/topup", then="**/console/topup")
    await chooses(visitor, "$10")
    await orders(visitor, "$10.00")
    await visitor.go("/console/topup")
    await page.get_by_role("table", name="Orders").get_by_role("link", name="Continue").click()
    await expect(page).to_have_url(DONE)
    await visitor.settled()
    await visitor.button("Cancel this order").click()
    await visitor.dialog.get_by_role("button", name="Cancel this order").click()
    await expect(page.get_by_role("heading", name="You cancelled this order")).to_be_visible()
    await visitor.looks_right("an order that was cancelled")


async def test_a_transfer_at_a_price_that_changed_shows_what_to_write_on_it_and_is_confirmed_by_hand(
    instance: Instance, entrance: Entrance
):
    method = {
        "id": "bank",
        "processor": "manual",
        "label": "Example Transfer",
        "text": "One or two working days",
        "currency": "EUR",
        "quota_per_minor_unit": 11_000_000,
        "fee": {"fixed": 100, "micros": 15_000},
        "config": {"instructions": "Transfer the total.", "details": {"IBAN": "DE02 1203 0000 0000 2020 51"}},
        "position": 9,
    }
    async with instance.api(instance.operator) as operator:
        assert (await operator.post("admin/payment-methods", json=method)).status_code == 201
        visitor = await entrance.visitor(locale="zh-CN")
        page = visitor.page
        await visitor.sign_in(await instance.person(), at="/console/topup", then="**/console/topup")
        await page.locator(".method").filter(has_text="Example Transfer").click()
        await page.get_by_label("金额", exact=True).fill("20")
        await expect(page.get_by_role("row", name="手续费")).to_contain_text("€1.30")
        await visitor.looks_right("top up in Chinese")
        dearer = await operator.patch("admin/payment-methods/bank", json={"fee": {"fixed": 200, "micros": 15_000}})
        assert dearer.status_code == 200, dearer.text
        with visitor.refused("POST /api/v1/topup/orders", 409):
            await page.get_by_role("button", name="支付 €21.30").click()
            await expect(page.get_by_role("row", name="手续费")).to_contain_text("€2.30")
            await expect(page.get_by_role("alert")).to_be_visible()
        await expect(page).to_have_url(re.compile("/console/topup$"))
        await page.get_by_role("button", name="支付 €22.30").click()
        await expect(page).to_have_url(DONE)
        await visitor.settled()
        await expect(page.get_by_text("DE02 1203 0000 0000 2020 51")).to_be_visible()
        await visitor.looks_right("an order to be paid by transfer, in Chinese")
        order_id = page.url.rpartition("/")[2]
        await run_sql(instance.dsn, "UPDATE orders SET expires_at = now() WHERE order_id = $1", UUID(order_id))
        await expect(page.get_by_role("heading", name="此订单已过期")).to_be_visible()
        await expect(page.get_by_text("按此订单的价格入账")).to_be_visible()
        await expect(page.get_by_text("DE02 1203 0000 0000 2020 51")).to_be_visible()
        await visitor.looks_right("a transfer whose order has expired, in Chinese")
        confirmed = await operator.post(f"admin/orders/{order_id}/confirm", json={"reason": "seen on the statement"})
        assert confirmed.status_code == 200, confirmed.text
        await page.reload()  # it looks again by itself, but after an order expired not often
        await expect(page.get_by_role("heading", name="已付款并入账")).to_be_visible()
        assert (await operator.delete("admin/payment-methods/bank")).status_code == 204
