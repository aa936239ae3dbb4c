"""Somebody brings somebody: from the link to the balance, with an operator's look at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import expect

from tests.builders import PASSWORD
from tests.journeys.instance import Account, Instance
from tests.journeys.visitor import PHONE, Entrance, Visitor
from tests.patience import until

pytestmark = pytest.mark.asyncio(loop_scope="package")

UNIT = 1_000_000_000
TERMS = {
    "is_enabled": True,
    "reward": 5 * UNIT,
    "invitee_reward": 3 * UNIT,
    "condition": "registration",
    "minimum_transfer": 2 * UNIT,
}


@asynccontextmanager
async def policies(instance: Instance, **topics: dict[str, Any]) -> AsyncIterator[None]:
    """In force within the block; as they were after it."""
    async with instance.api(instance.operator) as operator:
        before = {topic: (await operator.get(f"admin/policies/{topic}")).json() for topic in topics}
    for topic, value in topics.items():
        await instance.set_policy(topic, value)
    try:
        yield
    finally:
        for topic, value in before.items():
            await instance.set_policy(topic, value)


async def test_a_link_brings_somebody_and_both_are_rewarded(instance: Instance, entrance: Entrance):
    ada = await instance.person()
    async with policies(instance, referral=TERMS, signup={"mode": "open"}):
        visitor = await entrance.visitor(permissions=["clipboard-read", "clipboard-write"])
        await visitor.sign_in(ada, at="/console/topup", then="**/console/topup")
        panel = visitor.page.get_by_role("region", name="Bring somebody")
        await expect(panel).to_contain_text("You get $5.00 and they get $3.00, as soon as they have registered.")
        await expect(panel.get_by_role("button", name="Transfer to balance")).to_be_disabled()
        await visitor.looks_right("top up with referrals")
        link = await visitor.copied(panel.get_by_role("figure", name="Your link").get_by_role("button", name="Copy"))
        assert "/register?ref=" in link
        grace = await register(entrance, link, "grace.hopper@example.com")
        await grace.go("/console/topup")
        await expect(grace.page.get_by_role("region", name="Bring somebody")).to_contain_text("You were brought")
        await until(lambda: is_released(instance, ada))
        await visitor.page.reload()
        await visitor.settled()
        await expect(panel.get_by_role("row", name="gr…@example.com")).to_contain_text("Released")
        await visitor.looks_right("a reward")
        await transfer(visitor, ada, instance)
        await operators_view(instance, entrance)


async def register(entrance: Entrance, link: str, email: str) -> Visitor:
    """Through the link, as somebody who gets it by mail."""
    visitor = await entrance.visitor()
    await visitor.go("/register?" + link.partition("?")[2])
    await visitor.page.get_by_label("E-mail").fill(email)
    await visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    async with visitor.leaving():
        await visitor.button("Create account").click()
        await visitor.page.wait_for_url("**/console")
    return visitor


async def is_released(instance: Instance, who: Account) -> bool:
    async with instance.api(who) as api:
        return [one["state"] for one in (await api.get("referral/rewards")).json()["items"]] == ["released"]


async def transfer(visitor: Visitor, who: Account, instance: Instance) -> None:
    await visitor.has_balance(0)
    await visitor.button("Transfer to balance").click()
    dialog = visitor.dialog
    await dialog.get_by_label("Amount").fill("1")
    await dialog.get_by_role("button", name="Transfer").click()
    await expect(dialog.get_by_text("At least $2.00 is transferred at once.")).to_be_visible()
    await dialog.get_by_label("Amount").fill("4.5")
    await visitor.looks_right("transferring rewards")
    await dialog.get_by_role("button", name="Transfer $4.50").click()
    await expect(dialog).to_be_hidden()
    await visitor.has_balance(4_500_000_000)
    await expect(visitor.page.get_by_text("Can be transferred from $2.00 on.")).to_be_visible()
    history = visitor.page.get_by_role("table", name="History")
    await expect(history.get_by_role("row", name="From rewards")).to_contain_text("+4.50")
    async with instance.api(who) as api:
        seen = (await api.get("referral")).json()
    assert (seen["reward_balance"], seen["rewarded_total"], seen["referred_count"]) == (500_000_000, "5000000000", 1)


async def operators_view(instance: Instance, entrance: Entrance) -> None:
    visitor = await entrance.visitor()
    await visitor.sign_in(instance.operator)
    await visitor.visit("Referrals")
    row = visitor.page.get_by_role("row", name="grace.hopper@example.com")
    await expect(row).to_contain_text("to the referrer")
    await visitor.looks_right("referrals of an operator")
    await row.get_by_role("button", name="Actions for grace.hopper").click()
    await visitor.page.get_by_role("menuitem", name="Withhold from grace.hopper…").click()
    await visitor.dialog.get_by_label("Reason").fill("A journey")
    await visitor.looks_right("withholding a reward")
    await visitor.dialog.get_by_role("button", name="Withhold $3.00").click()
    await expect(visitor.dialog).to_be_hidden()
    await expect(row).to_contain_text("A journey")
    await visitor.page.get_by_role("button", name="Taken back").click()
    await expect(visitor.page.get_by_text("Nothing matches")).to_be_visible()


async def test_the_code_stands_with_the_profile_and_fits_a_phone(instance: Instance, entrance: Entrance):
    async with policies(instance, referral={**TERMS, "condition": "first_order", "share_micros": 50_000}):
        visitor = await entrance.visitor(**PHONE)
        who = await instance.person()
        await visitor.sign_in(who, at="/console/settings", then="**/console/settings")
        panel = visitor.page.get_by_role("region", name="Bring somebody")
        await expect(panel).to_contain_text("with their first paid top-up")
        await expect(panel).to_contain_text("You also get 5% of what they top up later.")
        await visitor.looks_right("referral on a phone")


async def test_nothing_of_referrals_is_shown_where_nobody_switched_them_on(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    await visitor.sign_in(await instance.person(), at="/console/topup", then="**/console/topup")
    await expect(visitor.page.get_by_role("heading", name="History")).to_be_visible()
    await expect(visitor.page.get_by_role("heading", name="Bring somebody")).to_have_count(0)
