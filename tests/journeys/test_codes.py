"""Codes: a campaign in an operator's words, who redeemed it, finding and ending it; and two clicks on Redeem."""

import pytest
from playwright.async_api import expect

from tests.journeys.instance import Instance
from tests.journeys.visitor import PHONE, Entrance, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_campaign_code_from_its_making_to_its_end(instance: Instance, entrance: Entrance):
    operator = await entrance.visitor()
    await operator.sign_in(instance.operator)
    await operator.visit("Codes")
    await make_campaign(operator)
    who = await instance.person()
    visitor = await entrance.visitor(**PHONE)
    await visitor.sign_in(who, at="/console/topup", then="**/console/topup")
    field = visitor.page.get_by_label("Code", exact=True)
    await field.fill("spring journey 2O99")
    await visitor.button("Redeem").click()
    await expect(visitor.page.get_by_text("credited from the code ending")).to_contain_text("$2.50")
    with visitor.refused("POST /api/v1/redemptions", 409):
        await field.fill("Spring-Journey-2099")
        await visitor.button("Redeem").click()
        await expect(visitor.page.get_by_role("status")).to_contain_text("You redeemed this code already.")
    await visitor.looks_right("a code that one has redeemed, on a phone")
    with visitor.refused("POST /api/v1/redemptions", 404):
        await field.fill("0" * 27 + "1")
        await visitor.button("Redeem").click()
        await expect(visitor.page.get_by_text("There is a typing mistake in this code.")).to_be_visible()
    await find_and_follow(operator, who.email)
    await end(operator)


async def make_campaign(visitor: Visitor) -> None:
    await visitor.button("New batch").first.click()
    form = visitor.dialog
    await form.get_by_label("Name").fill("Spring campaign")
    await form.get_by_label("Amount of each code").fill("2.5")
    await form.get_by_label("Uses of each code").fill("40")
    await form.get_by_label("Code in your own words").fill("Spring-Journey-2099")
    await form.get_by_role("button", name="Create the code, $100.00 in all").click()
    await expect(form.get_by_role("alert")).to_contain_text("A campaign code has an end.")
    await form.get_by_label("Expires").fill("2099-01-01T00:00")
    await visitor.looks_right("a new campaign")
    await form.get_by_role("button", name="Create the code, $100.00 in all").click()
    shown = visitor.page.get_by_role("dialog", name="Codes of Spring campaign")
    assert (await shown.locator("pre").inner_text()).strip() == "Spring-Journey-2099"
    await shown.get_by_label("I have stored these codes").check()
    await shown.get_by_role("button", name="Done").click()
    await expect(shown).to_be_hidden()
    await expect(visitor.page.get_by_role("row", name="Spring campaign")).to_contain_text("Campaign")
    await visitor.looks_right("codes with a campaign")


async def find_and_follow(visitor: Visitor, email: str) -> None:
    """By the code that somebody shows, to who redeemed it."""
    await visitor.button("Find a code").click()
    await visitor.dialog.get_by_label("Code").fill(" SPRING journey 2099 ")
    await visitor.dialog.get_by_role("button", name="Find").click()
    await expect(visitor.page.get_by_text("is of the batch Spring campaign: open, used 1 of 40 times.")).to_be_visible()
    row = visitor.page.get_by_role("row", name=email)
    await expect(row).to_contain_text("2.50")
    await visitor.looks_right("who redeemed a code")
    await visitor.button("Show all").click()
    await visitor.button("Batches").click()
    await visitor.settled()


async def end(visitor: Visitor) -> None:
    """Renamed, then revoked: what is over is said, and its end cannot be moved."""
    await visitor.page.get_by_role("button", name="Actions for Spring campaign").click()
    await visitor.page.get_by_role("menuitem", name="Edit").click()
    await visitor.dialog.get_by_label("Name").fill("Spring, renamed")
    await visitor.looks_right("editing a batch")
    await visitor.dialog.get_by_role("button", name="Save").click()
    await expect(visitor.dialog).to_be_hidden()
    await visitor.page.get_by_role("button", name="Actions for Spring, renamed").click()
    await visitor.page.get_by_role("menuitem", name="Revoke").click()
    await visitor.dialog.get_by_role("button", name="Revoke Spring, renamed").click()
    await expect(visitor.dialog).to_be_hidden()
    await expect(visitor.page.get_by_role("row", name="Spring, renamed")).to_contain_text("Revoked")
    await visitor.page.get_by_role("button", name="Actions for Spring, renamed").click()
    await expect(visitor.page.get_by_role("menuitem", name="Revoke")).to_have_count(0)
    await visitor.page.get_by_role("menuitem", name="Edit").click()
    await expect(visitor.dialog.get_by_label("Expires")).to_be_disabled()
    await expect(visitor.dialog.get_by_text("This batch is over, which is never undone.")).to_be_visible()
    await visitor.dialog.get_by_role("button", name="Cancel").click()
