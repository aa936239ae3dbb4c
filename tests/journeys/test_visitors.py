"""Before there is an account: prices, and the way in."""

import re
import subprocess
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.instance import Instance
from tests.journeys.visitor import Entrance, Visitor
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_prices_can_be_searched_switched_and_reckoned_by_anybody(instance: Instance, entrance: Entrance):
    await make_public_group(instance, "students", 500_000)
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.go("/pricing")
    await visitor.looks_right("pricing for visitors")
    rates = page.get_by_role("table", name="Rates")
    await expect(rates.get_by_role("row", name="demo-small")).to_contain_text("0.15")
    await page.get_by_role("searchbox").fill("small")
    await expect(rates.get_by_role("row", name="demo-large")).to_have_count(0)
    await page.get_by_label("Group", exact=True).select_option("students")
    await expect(page.get_by_text("×0.5 applied")).to_be_visible()
    await expect(rates.get_by_role("row", name="demo-small")).to_contain_text("0.075")
    await visitor.button("per 1K").click()
    await expect(rates.get_by_role("row", name="demo-small")).to_contain_text("0.000075")
    groups = await page.get_by_label("Group", exact=True).locator("option").all_inner_texts()
    assert not any("vip" in group.lower() for group in groups), "a private group is shown to strangers"
    await page.reload()
    await visitor.settled()
    await expect(page.get_by_role("searchbox")).to_have_value("small")
    await expect(page.get_by_label("Group", exact=True)).to_have_value("students")
    await expect(visitor.button("per 1K")).to_have_attribute("aria-pressed", "true")
    await expect(rates.get_by_role("row", name="demo-large")).to_have_count(0)


async def test_the_calculator_says_what_the_api_says(entrance: Entrance):
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.go("/pricing")
    rail = page.get_by_role("complementary", name="Estimate a cost")
    await rail.get_by_label("Model").select_option("demo-large")
    await rail.get_by_label("Output tokens").fill("1234")
    await rail.get_by_label("Of input, cached").fill("25")
    async with page.expect_response(is_estimate_of(250_001 - 62_500, 62_500, 1_234)) as answering:
        await rail.get_by_label("Input tokens").fill("250001")
    answer = await (await answering.value).json()
    # 250 001 tokens of prompt are in the second tier: 6, 0.6 and 22.5 units per million.
    assert answer["cost"] == -(-(187_501 * 6_000 + 62_500 * 600 + 1_234 * 22_500) // 1)
    await expect(rail.get_by_role("row", name="One call")).to_contain_text(f"{answer['cost'] / 10**9:.9f}".rstrip("0"))
    await visitor.looks_right("the calculator")
    await page.reload()
    await visitor.settled()
    await expect(rail.get_by_label("Output tokens")).to_have_value("1,234")
    await expect(rail.get_by_label("Model")).to_have_value("demo-large")


def is_estimate_of(new: int, cached: int, output: int) -> Any:
    def matches(response: Any) -> bool:
        if not response.url.endswith("/api/v1/pricing/estimate"):
            return False
        return response.request.post_data_json["usage"] == {"input": new, "cached_input": cached, "output": output}

    return matches


async def test_a_private_group_does_not_exist_for_a_stranger(entrance: Entrance):
    visitor = await entrance.visitor()
    with visitor.refused("GET /api/v1/pricing", 404):
        await visitor.go("/pricing?group=vip")
        await expect(visitor.page.get_by_text("The rates could not be loaded")).to_be_visible()
    await expect(visitor.page.get_by_text("demo-small")).to_have_count(0)


async def test_closed_sign_up_is_said_and_opened_sign_up_leads_into_the_console(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor(permissions=["clipboard-read", "clipboard-write"])
    page = visitor.page
    await visitor.go("/")
    await visitor.looks_right("the first page")
    await expect(page.get_by_role("link", name="Create account")).to_have_count(0)
    await visitor.go("/register")
    await expect(page.get_by_role("heading", name="Sign-up is closed")).to_be_visible()
    await visitor.looks_right("sign-up closed")
    await instance.set_policy("signup", {"mode": "open"})
    try:
        await visitor.go("/")
        await page.get_by_role("banner").get_by_role("link", name="Create account").click()
        await visitor.looks_right("sign-up")
        await page.get_by_label("E-mail").fill("newcomer@example.com")
        await page.get_by_label("Password").fill("short")
        await visitor.button("Create account").click()
        await expect(page.get_by_text("Ten characters at least; 5 so far.")).to_be_visible()
        await visitor.looks_right("sign-up with a mistake")
        await page.get_by_label("Password").fill("a sentence nobody has said before")
        await visitor.button("Create account").click()
        await page.wait_for_url("**/console")
    finally:
        await instance.set_policy("signup", {"mode": "closed"})
    await visitor.settled()
    await visitor.has_balance(0)
    await visitor.visit("Usage")
    await expect(page.get_by_role("heading", name="No calls in these days")).to_be_visible()
    await visitor.looks_right("usage, none yet")
    await run_the_sample(instance, visitor)


async def run_the_sample(instance: Instance, visitor: Visitor) -> None:
    """The curl of the empty state works when pasted into a shell that has a key."""
    sample = visitor.page.get_by_role("figure", name="A first call")
    command = await visitor.copied(sample.get_by_role("button", name="Copy"))
    assert instance.base_url in command
    async with instance.api(instance.operator) as operator:
        key = (await operator.post("keys", json={"name": "sample"})).json()["key"]
    done = subprocess.run(
        ["bash", "-c", f"{command} --silent --fail"],
        env={"PATH": "/usr/bin:/bin", "AIROUTER_KEY": key},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, (command, done.stderr)
    assert re.search(r'"content":\s*"', done.stdout), done.stdout


async def make_public_group(instance: Instance, name: str, multiplier_micros: int) -> None:
    async with instance.api(instance.operator) as operator:
        answer = await operator.post(
            "admin/groups", json={"name": name, "multiplier_micros": multiplier_micros, "is_public": True}
        )
        assert answer.status_code in {200, 201}, answer.text
        channels = (await operator.get("admin/channels")).json()["items"]
        groups = sorted({*channels[0]["groups"], name})
        answer = await operator.patch(f"admin/channels/{channels[0]['id']}", json={"groups": groups})
        assert answer.status_code == 200, answer.text
    await instance.in_force()
