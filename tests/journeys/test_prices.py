"""A price list: read in, two of its lines accepted, and there they are on the price list; a cost, and the margin."""

import json
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.instance import Instance
from tests.journeys.visitor import Entrance, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="package")


def a_list(*names: str) -> str:
    entry: dict[str, Any] = {"litellm_provider": "acme", "mode": "chat", "input_cost_per_token": 1.5e-06,
                             "output_cost_per_token": 6e-06, "input_cost_per_pixel": 1e-08}  # fmt: skip
    return json.dumps(dict.fromkeys(names, entry))


async def test_two_lines_of_a_price_list_are_accepted_and_on_sale(instance: Instance, entrance: Entrance):
    operator = await entrance.visitor()
    await operator.sign_in(instance.operator)
    await operator.visit("Import prices")
    await operator.looks_right("no list was read in yet")
    await read_list(operator)
    page = operator.page
    await expect(page.get_by_role("row", name="journey-one")).to_contain_text("1.80")
    await operator.looks_right("the lines of a price list")
    await page.get_by_role("row", name="journey-one").click()
    await expect(operator.dialog).to_contain_text("input_cost_per_pixel")
    await operator.looks_right("a line of a price list")
    await page.keyboard.press("Escape")
    for name in ("journey-one", "journey-two"):
        await page.get_by_label(f"Choose {name}").check()
    await operator.button("Accept…").click()
    await operator.looks_right("accepting lines")
    await operator.dialog.get_by_role("button", name="Accept 2 lines").click()
    await operator.hears("2 lines accepted")
    await expect(page.get_by_role("row", name="journey-two")).to_contain_text("Accepted")
    await page.set_viewport_size({"width": 375, "height": 812})
    await operator.looks_right("the lines of a price list, on a phone")
    await page.set_viewport_size({"width": 1280, "height": 800})
    await instance.in_force()
    await operator.visit("Pricing")
    row = page.get_by_role("row", name="journey-one")
    await expect(row).to_contain_text("1.80")
    await expect(row).to_contain_text("7.20")
    await cost_and_margin(operator, instance)


async def read_list(visitor: Visitor) -> None:
    """Pasted, with a fifth on top; what cannot be read is said in the dialog and changes nothing."""
    await visitor.button("Read a list").click()
    form = visitor.dialog
    await visitor.looks_right("reading a price list")
    await form.get_by_label("List", exact=True).select_option("litellm")
    await form.get_by_role("button", name="Paste").click()
    await form.get_by_label("The list, as JSON").fill("{")
    with visitor.refused("POST /api/v1/admin/price-imports", 422):
        await form.get_by_role("button", name="Read and compare").click()
        await expect(form.get_by_role("alert")).to_contain_text("This is no JSON document.")
    await form.get_by_label("The list, as JSON").fill(a_list("journey-one", "journey-two", "journey-three"))
    await form.get_by_label("Markup").fill("20")
    async with visitor.leaving():
        await form.get_by_role("button", name="Read and compare").click()


async def cost_and_margin(visitor: Visitor, instance: Instance) -> None:
    """What the demo's channel costs is said by hand; the margins page leads there."""
    await visitor.visit("Margins")
    await visitor.looks_right("margins")
    async with visitor.leaving():
        await visitor.page.get_by_role("link", name="Costs of").first.click()
    await visitor.page.get_by_role("button", name=f"Actions for {instance.model}", exact=True).click()
    await visitor.page.get_by_role("menuitem", name="Set cost").click()
    await visitor.dialog.get_by_label("Input", exact=True).fill("0.10")
    await visitor.dialog.get_by_role("button", name="Set cost").click()
    await visitor.hears(f"The cost of {instance.model} is set")
    await expect(visitor.page.get_by_role("row", name=instance.model).first).to_contain_text("0.10")
    await visitor.looks_right("the costs of a channel")
