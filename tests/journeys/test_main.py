"""The main journey: a code becomes quota, a key becomes a call, and the balance moves by what the receipt says."""

from decimal import Decimal
from typing import Any

import openai
import pytest
from playwright.async_api import Locator, expect

from tests.journeys.instance import Account, Instance, receipt
from tests.journeys.visitor import Entrance, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="package")

UNIT = 1_000_000_000
AMOUNT = "12.34"


async def test_a_code_becomes_a_call_with_a_receipt(instance: Instance, entrance: Entrance):
    code = await make_code(entrance, instance.operator)
    who = await instance.person()
    visitor = await entrance.visitor(permissions=["clipboard-read", "clipboard-write"])
    await visitor.sign_in(who)
    await visitor.looks_right("dashboard of a new account")
    await redeem(visitor, code)
    key = await make_key(visitor)
    request_id = await call(instance, key)
    async with instance.api(who) as api:
        cost = await receipt(api, request_id)
        wallet = (await api.get("wallet")).json()
    assert cost["charged"] == cost["cost"] > 0
    assert wallet["balance"] == Decimal(AMOUNT) * UNIT - cost["charged"]
    await read_receipt(visitor, cost)
    await visitor.visit("Dashboard")
    await visitor.page.reload()
    await visitor.settled()
    await visitor.has_balance(wallet["balance"])
    await expect(visitor.page.get_by_role("region", name="Balance")).to_contain_text(f"{wallet['balance']:,} quota")
    await visitor.looks_right("dashboard with a call")
    report = await instance.audit()
    assert (report["ok"], report["drift"], report["problems"], report["exit"]) == (True, 0, [], 0)


async def make_code(entrance: Entrance, operator: Account) -> str:
    """As operator, in the console: a batch of two codes, of which the first is handed out."""
    visitor = await entrance.visitor()
    await visitor.sign_in(operator)
    await visitor.visit("Codes")
    await visitor.looks_right("codes, none yet")
    await visitor.button("New batch").first.click()
    form = visitor.dialog
    await form.get_by_label("Name").fill("For the journey")
    await form.get_by_label("Amount of each code").fill(AMOUNT)
    await form.get_by_label("How many").fill("2")
    await visitor.looks_right("a new batch")
    await form.get_by_role("button", name="Create 2 codes, $24.68 in all").click()
    shown = visitor.page.get_by_role("dialog", name="Codes of For the journey")
    codes = (await shown.locator("pre").inner_text()).split()
    assert len(codes) == 2
    await visitor.looks_right("the codes of a batch")
    await visitor.page.keyboard.press("Escape")
    await expect(shown).to_be_visible()
    await expect(shown.get_by_role("button", name="Done")).to_be_disabled()
    await shown.get_by_label("I have stored these codes").check()
    await shown.get_by_role("button", name="Done").click()
    await expect(shown).to_be_hidden()
    row = visitor.page.get_by_role("row", name="For the journey")
    await expect(row).to_contain_text("12.34")
    await expect(visitor.page.get_by_text(codes[0])).to_have_count(0)
    return codes[0]


async def redeem(visitor: Visitor, code: str) -> None:
    """Typed as people type: in lower case, with spaces in the middle."""
    await visitor.visit("Top up")
    await visitor.has_balance(0)
    await visitor.looks_right("top up")
    bare = code.replace("-", "").lower()
    field = visitor.page.get_by_label("Code", exact=True)
    with visitor.refused("POST /api/v1/redemptions", 404):
        await field.fill("NOT A CODE AT ALL")
        await visitor.button("Redeem").click()
        await expect(visitor.page.get_by_text("There is no such code.")).to_be_visible()
    await field.fill(f"  {bare[:5]} {bare[5:9]}  {bare[9:]} ")
    await visitor.button("Redeem").click()
    await expect(visitor.page.get_by_text("credited from the code ending")).to_contain_text(f"${AMOUNT}")
    await visitor.has_balance(int(Decimal(AMOUNT) * UNIT))
    history = visitor.page.get_by_role("table", name="History")
    await expect(history.get_by_role("row", name="Redemption code")).to_contain_text(f"+{AMOUNT}")
    await visitor.looks_right("a code was redeemed")
    with visitor.refused("POST /api/v1/redemptions", 409):
        await field.fill(code)
        await visitor.button("Redeem").click()
        await expect(visitor.page.get_by_text("You redeemed this code already.")).to_be_visible()
    await visitor.has_balance(int(Decimal(AMOUNT) * UNIT))


async def make_key(visitor: Visitor) -> str:
    """Shown once, copied, and then only its beginning is known."""
    await visitor.visit("API keys")
    await expect(visitor.page.get_by_text("No keys yet")).to_be_visible()
    await visitor.looks_right("keys, none yet")
    await visitor.button("New key").first.click()
    form = visitor.page.get_by_role("dialog", name="New key")
    await form.get_by_label("Name").fill("Journey")
    await form.get_by_label("Spend limit").fill("5")
    await visitor.looks_right("a new key")
    await form.get_by_role("button", name="Create key").click()
    shown = visitor.page.get_by_role("dialog", name="Key for Journey")
    key = await shown.get_by_test_id("new-key").inner_text()
    assert await visitor.copied(shown.get_by_role("button", name="Copy key")) == key
    await visitor.looks_right("the key")
    await visitor.page.keyboard.press("Escape")
    await visitor.page.mouse.click(5, 5)
    await expect(shown).to_be_visible()
    await shown.get_by_label("I have stored this key").check()
    await shown.get_by_role("button", name="Done").click()
    await expect(shown).to_be_hidden()
    await visitor.page.reload()
    await visitor.settled()
    await expect(visitor.page.get_by_role("row", name="Journey")).to_contain_text(key[:11])
    assert key not in await visitor.page.content()
    await visitor.looks_right("keys")
    return key


async def call(instance: Instance, key: str) -> str:
    """With the official client, as its users have it; the request's id."""
    async with openai.AsyncOpenAI(api_key=key, base_url=instance.base_url, max_retries=0) as client:
        answer = await client.chat.completions.with_raw_response.create(
            model=instance.model, messages=[{"role": "user", "content": "Hello from a journey"}]
        )
        assert answer.parse().choices[0].message.content
        return answer.headers["x-request-id"]


async def read_receipt(visitor: Visitor, cost: dict[str, Any]) -> None:
    """The call stands in the log, and its receipt adds up to what the API says, digit by digit."""
    await visitor.visit("Usage")
    row = visitor.page.get_by_role("row", name=cost["model"])
    await expect(row).to_have_count(1)
    await visitor.looks_right("usage")
    await row.click()
    panel = visitor.page.get_by_role("complementary", name="Receipt")
    await expect(panel.get_by_text(cost["request_id"])).to_be_visible()
    await expect(panel.get_by_text(f"{cost['charged']:,} quota")).to_be_visible()
    await visitor.looks_right("a receipt")
    rows = [await cells(row) for row in await panel.locator("table.receipt tbody tr").all()]
    count = len(cost["lines"])
    lines, subtotal, multiplier, total = rows[:count], rows[count], rows[count + 1], rows[count + 2]
    for line, said in zip(cost["lines"], lines, strict=True):
        assert said[1].startswith(f"{line['quantity']:,} × "), said
        assert figure(said) == Decimal(line["amount"]) == Decimal(line["quantity"]) * line["rate"] / line["per"]
    assert sum(figure(said) for said in lines) == figure(subtotal) == Decimal(cost["subtotal"])
    assert f"Group {cost['group']}" in multiplier[0]
    assert figure(total) == cost["cost"] == cost["charged"]
    assert figure(subtotal) + figure(multiplier) == figure(total)


async def cells(row: Locator) -> list[str]:
    return [(await cell.inner_text()).strip() for cell in await row.locator("th, td").all()]


def figure(cells: list[str]) -> Decimal:
    """The quota that an amount in the last column is."""
    return Decimal(cells[-1].replace(",", "").replace("−", "-").replace("–", "0")) * UNIT
