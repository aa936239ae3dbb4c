"""Language and theme, and the console without a mouse."""

import re

import openai
import pytest
from playwright.async_api import expect

from tests.journeys.instance import Account, Instance, receipt
from tests.journeys.visitor import Entrance, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_language_and_theme_are_kept(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.sign_in(await instance.person(), at="/console/keys", then="**/console/keys")
    await visitor.button("Language: EN").click()
    await page.get_by_role("menuitemradio", name="简体中文").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("API 密钥")
    await expect(page.locator("html")).to_have_attribute("lang", "zh")
    await page.get_by_role("button", name="主题", exact=True).click()
    await page.get_by_role("menuitemradio", name="深色").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = await ground_of(visitor)
    await page.reload()
    await visitor.settled()
    await expect(page.get_by_role("heading", level=1)).to_have_text("API 密钥")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.locator("body")).to_have_css("background-color", dark)
    await visitor.looks_right("keys in Chinese")
    await visitor.go("/pricing")
    await expect(page.locator("html")).to_have_attribute("lang", "zh")
    await visitor.looks_right("pricing in Chinese")


async def ground_of(visitor: Visitor) -> str:
    return await visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")


async def test_a_browser_gets_the_language_and_theme_it_asks_for(entrance: Entrance):
    visitor = await entrance.visitor(locale="zh-CN", color_scheme="dark")
    await visitor.go("/pricing")
    await expect(visitor.page.locator("html")).to_have_attribute("lang", "zh")
    dark = await ground_of(visitor)
    await visitor.page.emulate_media(color_scheme="light")
    await expect(visitor.page.locator("body")).not_to_have_css("background-color", dark)
    await visitor.button("EN").click()
    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("What every model costs")
    await visitor.page.reload()
    await visitor.settled()
    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("What every model costs")


@pytest.mark.parametrize("width", [1440, 800], ids=["beside", "over"])
async def test_everything_goes_without_a_mouse(instance: Instance, entrance: Entrance, width: int):
    """At 1440 the receipt stands beside the log, at 800 it lies over it."""
    who = await instance.person(quota=10**9)
    newer = (await two_calls(instance, who))[1]
    visitor = await entrance.visitor(viewport={"width": width, "height": 900})
    page = visitor.page
    await visitor.go("/sign-in")
    await expect(page.get_by_label("E-mail")).to_be_focused()
    await page.keyboard.type(who.email)
    await page.keyboard.press("Tab")
    await page.keyboard.type(who.password)
    async with visitor.leaving():
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/console")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Search or jump to")).to_be_focused()
    await visitor.looks_right("the command menu")
    await page.keyboard.type("usag")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/usage")
    await expect(page.get_by_role("combobox", name="Search or jump to")).to_have_count(0)
    rows = page.get_by_role("table", name="Usage").locator("tbody tr")
    await expect(rows).to_have_count(2)
    await tab_until(visitor, "document.activeElement.closest('table.log tbody tr') !== null")
    await expect(rows.first).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(newer).first).to_be_visible()
    await expect(page).to_have_url(re.compile(f"receipt={newer}"))
    await visitor.looks_right(f"a receipt at {width} px")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("heading", name="Receipt")).to_have_count(0)
    await expect(rows.first).to_be_focused()
    await expect(page).not_to_have_url(re.compile("receipt="))
    await page.keyboard.press("ArrowDown")
    await expect(rows.nth(1)).to_be_focused()


async def test_the_content_can_be_skipped_to(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    await visitor.sign_in(await instance.person(), at="/console/settings", then="**/console/settings")
    await visitor.page.reload()
    await visitor.settled()
    await visitor.page.keyboard.press("Tab")
    await expect(visitor.page.get_by_role("link", name="Skip to content")).to_be_focused()
    await expect(visitor.page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    await visitor.page.keyboard.press("Enter")
    await tab_until(visitor, "document.activeElement.closest('main') !== null", most=1)


async def test_a_dialog_keeps_the_focus_and_gives_it_back(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    page = visitor.page
    await visitor.sign_in(await instance.person(), at="/console/keys", then="**/console/keys")
    opener = visitor.button("New key").first
    await opener.focus()
    await page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="New key")
    await expect(form.get_by_label("Name")).to_be_focused()
    for _ in range(20):
        await page.keyboard.press("Tab")
        await expect(page.locator("[role=dialog]:focus-within")).to_have_count(1)  # a guard hands it on a moment later
    await page.keyboard.press("Escape")
    await expect(form).to_have_count(0)
    await expect(opener).to_be_focused()


async def tab_until(visitor: Visitor, condition: str, *, most: int = 60) -> None:
    for _ in range(most):
        await visitor.page.keyboard.press("Tab")
        if await visitor.page.evaluate(condition):
            return
    raise AssertionError(f"Tab did not get there: {condition}")


async def two_calls(instance: Instance, who: Account) -> list[str]:
    """Their request ids, the older first. Both are in the log."""
    async with instance.api(who) as api:
        key = (await api.post("keys", json={"name": "keyboard"})).json()["key"]
    made = []
    async with openai.AsyncOpenAI(api_key=key, base_url=instance.base_url, max_retries=0) as client:
        for _ in range(2):
            answer = await client.chat.completions.with_raw_response.create(
                model=instance.model, messages=[{"role": "user", "content": "Hello"}]
            )
            made.append(answer.headers["x-request-id"])
    async with instance.api(who) as api:
        for request_id in made:
            await receipt(api, request_id)
    return made
