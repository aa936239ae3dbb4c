"""Keys in the console do at once what it says they do."""

import openai
import pytest
from playwright.async_api import Locator, expect

from tests.journeys.instance import Account, Instance
from tests.journeys.visitor import Entrance, Visitor
from tests.patience import until

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_key_that_is_turned_off_is_refused_at_once_and_deleting_asks(instance: Instance, entrance: Entrance):
    who = await instance.person(quota=10**9)
    key = await make_key(instance, who, name="Robot")
    assert await outcome_of_call(instance, key) == "answered"
    visitor = await entrance.visitor()
    await visitor.sign_in(who, at="/console/keys", then="**/console/keys")
    row = visitor.page.get_by_role("row", name="Robot")
    await act(visitor, row, "Turn off")
    await expect(visitor.page.get_by_text("Robot is off")).to_be_visible()
    # The key is cached in the process that serves; the change has a second to reach it.
    await until(lambda: has_outcome(instance, key, "key_disabled"))
    await expect(row).to_contain_text("Off")
    await visitor.looks_right("a key turned off")
    await visitor.button("Undo").click()
    await expect(visitor.page.get_by_text("Robot is on again")).to_be_visible()
    await until(lambda: has_outcome(instance, key, "answered"))
    await act(visitor, row, "Delete")
    asked = visitor.page.get_by_role("dialog", name="Delete Robot?").or_(
        visitor.page.get_by_role("alertdialog", name="Delete Robot?")
    )
    await expect(asked).to_contain_text("stop at once with 401")
    await visitor.looks_right("a key is to be deleted")
    await asked.get_by_role("button", name="Keep it").click()
    await expect(asked).to_be_hidden()
    assert await outcome_of_call(instance, key) == "answered"
    await act(visitor, row, "Delete")
    await asked.get_by_role("button", name="Delete Robot").click()
    await expect(row).to_have_count(0)
    await until(lambda: has_outcome(instance, key, "invalid_api_key"))


async def test_a_key_at_its_limit_is_explained(instance: Instance, entrance: Entrance):
    who = await instance.person(quota=10**9)
    key = await make_key(instance, who, name="Bounded", spend_limit=40_000)
    while (outcome := await outcome_of_call(instance, key)) == "answered":
        pass
    assert outcome in {"key_limit_reached", "quota_in_use"}
    await until(lambda: has_outcome(instance, key, "key_limit_reached"))
    async with instance.api(who) as api:
        [kept] = (await api.get("keys")).json()["items"]
        assert 0 < kept["spent"] <= 40_000
        answer = await api.patch(f"keys/{kept['id']}", json={"spend_limit": kept["spent"]})
        assert answer.status_code == 200, answer.text
    visitor = await entrance.visitor()
    await visitor.sign_in(who, at="/console/keys", then="**/console/keys")
    row = visitor.page.get_by_role("row", name="Bounded")
    await expect(row).to_contain_text("Limit reached")
    await visitor.looks_right("a key at its limit")
    await visitor.page.get_by_role("group", name="State").get_by_role("button", name="At limit").click()
    await expect(row).to_be_visible()
    await visitor.page.get_by_role("group", name="State").get_by_role("button", name="Off").click()
    await expect(visitor.page.get_by_text("No key matches")).to_be_visible()


async def act(visitor: Visitor, row: Locator, name: str) -> None:
    await row.get_by_role("button", name="Actions for").click()
    await visitor.page.get_by_role("menuitem", name=name).click()


async def make_key(instance: Instance, who: Account, **facts: object) -> str:
    async with instance.api(who) as api:
        answer = await api.post("keys", json=facts)
        assert answer.status_code == 201, answer.text
        return answer.json()["key"]


async def outcome_of_call(instance: Instance, key: str) -> str:
    """`answered`, or the code of the refusal."""
    async with openai.AsyncOpenAI(api_key=key, base_url=instance.base_url, max_retries=0) as client:
        try:
            await client.chat.completions.create(
                model=instance.model, messages=[{"role": "user", "content": "Hello"}], max_tokens=20
            )
        except openai.APIStatusError as refusal:
            return str(refusal.code)
        return "answered"


async def has_outcome(instance: Instance, key: str, outcome: str) -> bool:
    return await outcome_of_call(instance, key) == outcome
