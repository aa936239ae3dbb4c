"""What an operator does about payments: set up a method, confirm a transfer, decide a wrong amount, give back."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Route, expect

from tests.journeys.instance import Account, Instance
from tests.journeys.visitor import PHONE, Entrance, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="package")

UNIT = 1_000_000_000


async def ordered(instance: Instance, who: Account, method: str, amount: int) -> str:
    """The id of a pending order."""
    async with instance.api(who) as buyer:
        answer = await buyer.post("topup/orders", json={"method": method, "amount": amount})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]


async def balance(instance: Instance, who: Account) -> int:
    async with instance.api(who) as buyer:
        return (await buyer.get("wallet")).json()["balance"]


async def loses_its_answer(route: Route) -> None:
    """The request arrives, and something on the way back answers in its place."""
    await route.fetch()
    problem = {"title": "Service Unavailable", "status": 503, "code": "database_unavailable", "detail": "Try again."}
    await route.fulfill(status=503, json=problem)


@asynccontextmanager
async def transfer_method(instance: Instance, method_id: str) -> AsyncIterator[None]:
    """Paying by bank transfer, for as long as the block lasts: other journeys know one method only."""
    async with instance.api(instance.operator) as owner:
        draft = {
            "id": method_id, "processor": "manual", "label": "Bank transfer", "currency": "EUR",
            "quota_per_minor_unit": 10_000_000, "config": {"instructions": "Pay to our account."}, "position": 9,
        }  # fmt: skip
        answer = await owner.post("admin/payment-methods", json=draft)
        assert answer.status_code == 201, answer.text
    try:
        yield
    finally:
        async with instance.api(instance.operator) as owner:
            await owner.patch(f"admin/payment-methods/{method_id}", json={"enabled": False})


async def opens(visitor: Visitor, who: Account) -> None:
    """The order of somebody, from the list."""
    page = visitor.page
    await page.get_by_role("searchbox").fill(who.email)
    await expect(page).to_have_url(re.compile("[?&]q="))
    row = page.get_by_role("table", name="Orders").get_by_role("row", name=re.compile(who.email))
    await expect(row).to_have_count(1)
    await row.click()
    await expect(visitor.dialog.get_by_role("heading", name="History")).to_be_visible()


async def test_a_method_is_set_up_previewed_and_moved(instance: Instance, entrance: Entrance) -> None:
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.sign_in(instance.operator)
    await visitor.visit("Payment methods")
    await visitor.looks_right("payment methods")
    await visitor.button("New payment method").click()
    form = visitor.dialog
    await form.get_by_label("Processor").select_option("stripe")
    await form.get_by_label("Name for buyers").fill("Card by Stripe")
    await form.get_by_label("Id", exact=True).fill("stripe-eur")
    await form.get_by_label("Currency").fill("EUR")
    await form.get_by_label("One EUR buys").fill("1.08")
    await form.get_by_label("Smallest amount").fill("5")
    await form.get_by_label("and of the amount").fill("2.9")
    await form.get_by_role("button", name="Add a package").click()
    await form.get_by_label("Name 1").fill("Starter")
    await form.get_by_label("Amount 1").fill("20")
    await visitor.looks_right("the form of a payment method")
    await form.get_by_role("button", name="Add method").click()
    await expect(form).to_have_count(0)
    row = page.get_by_role("row", name=re.compile("Card by Stripe"))
    await expect(row).to_contain_text("Off: no secret")

    await row.get_by_role("button", name="Actions for Card by Stripe").click()
    await page.get_by_role("menuitem", name="Edit").click()
    await visitor.dialog.get_by_label("Webhook signing secret").fill("whsec_journey_secret_1")
    await visitor.dialog.get_by_label("API key").fill("sk_test_journey_key_1")
    await visitor.dialog.get_by_role("button", name="Save changes").click()
    await expect(row).to_contain_text("Offered")
    await row.get_by_role("button", name="Actions for Card by Stripe").click()
    await page.get_by_role("menuitem", name="Edit").click()
    await expect(visitor.dialog.get_by_label("API key")).to_have_value("")
    await expect(visitor.dialog).to_contain_text("Set")
    await visitor.dialog.get_by_role("button", name="Cancel").click()

    await row.get_by_role("button", name="Actions for Card by Stripe").click()
    await page.get_by_role("menuitem", name="Preview a price").click()
    await visitor.dialog.get_by_label("Packages").select_option(label="Starter")
    await expect(visitor.dialog.get_by_role("row", name="Total")).to_contain_text("€20.58")
    await expect(visitor.dialog.get_by_role("row", name="Total")).to_contain_text("21.60")
    await visitor.looks_right("the preview of a price")
    await visitor.dialog.get_by_role("button", name="Close").last.click()

    await row.get_by_role("button", name="Actions for Card by Stripe").click()
    await page.get_by_role("menuitem", name="Move up").click()
    await expect(page.get_by_role("table", name="Payment methods").get_by_role("row").nth(1)).to_contain_text("Stripe")
    await row.get_by_role("switch").click()
    await expect(row).to_contain_text("Switched off")
    await row.get_by_role("button", name="Actions for Card by Stripe").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await visitor.dialog.get_by_role("button", name="Delete Card by Stripe").click()
    await expect(row).to_have_count(0)


async def test_a_transfer_is_confirmed_and_half_of_it_given_back(instance: Instance, entrance: Entrance) -> None:
    who = await instance.person()
    async with transfer_method(instance, "bank-journey"):
        await ordered(instance, who, "bank-journey", 2000)
    visitor = await entrance.visitor()
    await visitor.sign_in(instance.operator)
    await visitor.visit("Orders")
    await visitor.looks_right("orders")
    await opens(visitor, who)
    drawer = visitor.dialog
    await drawer.get_by_role("button", name="Confirm the payment").click()
    await visitor.dialog.get_by_label("Reason").fill("Seen on the statement")
    await visitor.dialog.get_by_role("button", name="Credit the order").click()
    await expect(drawer.get_by_text("Seen on the statement")).to_be_visible()
    await expect(drawer.get_by_role("button", name="Confirm the payment")).to_have_count(0)
    assert await balance(instance, who) == 20 * UNIT

    await drawer.get_by_role("button", name="Refund", exact=True).click()
    await visitor.dialog.get_by_label("Give back").fill("10.00")
    await expect(visitor.dialog.get_by_text("About $10.00 of quota")).to_be_visible()
    await visitor.dialog.get_by_label("Reason").fill("Half of it was not needed")
    await visitor.page.route("**/refund", loses_its_answer, times=1)
    record = visitor.dialog.get_by_role("button", name="Record €10.00 as given back")
    with visitor.refused("POST /api/v1/admin/orders/.*/refund", 503):
        await record.click()
        await expect(visitor.dialog.get_by_role("alert")).to_be_visible()
    await record.click()  # it was done, and is not done again
    await expect(drawer.get_by_role("row", name="Given back")).to_contain_text("€10.00")
    await visitor.looks_right("an order in full")
    assert await balance(instance, who) == 10 * UNIT


async def test_a_wrong_amount_waits_for_an_operator_who_decides_on_a_phone(
    instance: Instance, entrance: Entrance
) -> None:
    who = await instance.person()
    buyer = await entrance.visitor()
    await buyer.sign_in(who, at="/console/topup", then="**/console/topup")
    await buyer.page.locator(".preset b").get_by_text("$50", exact=True).click()
    await buyer.button("Pay $50.00").click()
    await buyer.page.get_by_role("button", name=re.compile("Pay a different amount")).first.click()
    await expect(buyer.page.get_by_role("heading", name="A person is looking at this payment")).to_be_visible()

    visitor = await entrance.visitor(**PHONE)
    await visitor.sign_in(instance.operator, at="/console/admin/orders?status=review", then="**/admin/orders*")
    await visitor.stays_within("orders on a phone")
    await opens(visitor, who)
    await visitor.dialog.get_by_role("button", name="Decide").click()
    await visitor.dialog.get_by_role("button", name="As ordered").click()
    await visitor.dialog.get_by_label("Reason").fill("The difference is ours")
    await visitor.stays_within("a decision on a phone")
    await visitor.dialog.get_by_role("button", name="Credit as ordered").click()
    await expect(visitor.dialog.get_by_text("The difference is ours")).to_be_visible()
    await buyer.page.reload()
    await buyer.settled()
    await buyer.has_balance(50_500_000_000)
