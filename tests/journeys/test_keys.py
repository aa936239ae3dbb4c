"""Keys in the console do at once what it says they do."""

from datetime import UTC, datetime

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
    await visitor.button("Undo").click()  # first of all: it is offered for some seconds only
    await visitor.hears("Robot is on again")
    async with instance.api(who) as api:
        assert [kept["status"] for kept in (await api.get("keys")).json()["items"]] == ["active"]
    await act(visitor, row, "Turn off")
    await visitor.hears("Robot is off")
    # The key is cached in the process that serves; the change has a second to reach it.
    await until(lambda: has_outcome(instance, key, "key_disabled"))
    await expect(row).to_contain_text("Off")
    await visitor.looks_right("a key turned off")
    await act(visitor, row, "Turn on")
    await visitor.hears("Robot is on again")
    await until(lambda: has_outcome(instance, key, "answered"))
    await act(visitor, row, "Delete")
    asked = visitor.page.get_by_role("dialog", name="Delete Robot?").or_(
        visitor.page.get_by_role("alertdialog", name="Delete Robot?")
    )
    await expect(asked).to_contain_text("stop at once with 401")
    await visitor.looks_right("a key is to be deleted")
    await asked.get_by_role("button", name="Go back").click()
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


async def test_a_budget_that_is_used_up_says_when_it_begins_anew(instance: Instance, entrance: Entrance):
    who = await instance.person(quota=10**9)
    zone, midnight = zone_far_from_midnight()
    async with instance.api(who) as api:
        account = (await api.get("me")).json()["account"]["id"]
        assert (await api.put(f"accounts/{account}/time-zone", json={"time_zone": zone})).status_code == 200
    visitor = await entrance.visitor()
    await visitor.sign_in(who, at="/console/keys?new=true", then="**/console/keys?new=true")
    await visitor.dialog.get_by_label("Name").fill("Daily")
    await visitor.dialog.get_by_label("A day").fill("0.00004")
    await expect(visitor.dialog).to_contain_text(f"Each starts anew at midnight in {zone}")
    await visitor.looks_right("the form of a key with budgets")
    await visitor.dialog.get_by_role("button", name="Create key").click()
    key = await visitor.page.get_by_test_id("new-key").inner_text()
    await visitor.dialog.get_by_label("I have stored this key").check()
    await visitor.dialog.get_by_role("button", name="Done").click()
    while await outcome_of_call(instance, key) == "answered":
        pass
    await until(lambda: has_outcome(instance, key, "key_limit_reached"))
    async with openai.AsyncOpenAI(api_key=key, base_url=instance.base_url, max_retries=0) as client:
        with pytest.raises(
            openai.APIStatusError, match=rf"daily budget of 40000 leaves .* It starts anew at .*T{midnight}Z"
        ):
            await client.chat.completions.create(
                model=instance.model, messages=[{"role": "user", "content": "Hello"}], max_tokens=20
            )
    async with instance.api(who) as api:
        [kept] = (await api.get("keys")).json()["items"]
        [budget] = kept["budgets"]
        assert 0 < budget["spent"] <= 40_000
        lowered = {"budgets": [{"period": "day", "limit": budget["spent"]}]}
        assert (await api.patch(f"keys/{kept['id']}", json=lowered)).status_code == 200
    await visitor.go("/console/keys")
    row = visitor.page.get_by_role("row", name="Daily")
    await expect(row).to_contain_text("Limit reached")
    await expect(row).to_contain_text("starts anew")
    await visitor.looks_right("a key whose budget is used up")


async def test_both_secrets_work_after_a_rotation_until_the_old_one_is_ended(instance: Instance, entrance: Entrance):
    who = await instance.person(quota=10**9)
    old = await make_key(instance, who, name="Turning")
    visitor = await entrance.visitor()
    await visitor.sign_in(who, at="/console/keys", then="**/console/keys")
    row = visitor.page.get_by_role("row", name="Turning")
    await act(visitor, row, "New secret")
    await visitor.dialog.get_by_label("The old secret works").select_option("for one more day")
    await visitor.looks_right("a key gets a new secret")
    await visitor.dialog.get_by_role("button", name="Make new secret").click()
    new = await visitor.page.get_by_test_id("new-key").inner_text()
    assert new != old
    await visitor.dialog.get_by_label("I have stored this key").check()
    await visitor.dialog.get_by_role("button", name="Done").click()
    await expect(row).to_contain_text("old secret works until")
    await visitor.looks_right("a key with two secrets")
    assert [await outcome_of_call(instance, key) for key in (old, new)] == ["answered", "answered"]
    await act(visitor, row, "End the old secret now")
    await visitor.hears("The old secret of Turning has ended")
    await until(lambda: has_outcome(instance, old, "invalid_api_key"))
    assert await outcome_of_call(instance, new) == "answered"


async def test_an_alert_is_set_tried_out_and_shows_its_secret_once(instance: Instance, entrance: Entrance):
    who = await instance.person(quota=10**9)
    visitor = await entrance.visitor()
    await visitor.sign_in(who, at="/console/settings?section=alerts", then="**/console/settings?section=alerts")
    await expect(visitor.page.get_by_text("No alerts yet")).to_be_visible()
    await visitor.looks_right("no alerts yet")
    await visitor.button("New alert").click()
    await visitor.dialog.get_by_label("Below").fill("0.5")
    await visitor.dialog.get_by_label("By webhook").fill("http://127.0.0.1/hook")
    with visitor.refused("POST .*/alerts", 422):
        await visitor.dialog.get_by_role("button", name="Create alert").click()
        await expect(visitor.dialog).to_contain_text("public addresses only")
    await visitor.looks_right("the form of an alert")
    await visitor.dialog.get_by_label("By webhook").fill("https://hooks.example.com/airouter")
    await visitor.dialog.get_by_role("button", name="Create alert").click()
    await expect(visitor.page.get_by_test_id("alert-secret")).to_contain_text("whsec_")
    await visitor.looks_right("the secret of an alert")
    await visitor.dialog.get_by_role("button", name="Done").click()
    row = visitor.page.get_by_role("row", name="The balance is below")
    await expect(row).to_contain_text("hooks.example.com")
    await act(visitor, row, "Send a test")
    await expect(visitor.page.get_by_role("table", name="Webhooks")).to_contain_text("alert.test")
    await visitor.page.get_by_label("Time zone of the account").select_option("Asia/Shanghai")
    await visitor.hears("Budgets follow Asia/Shanghai")
    await visitor.looks_right("an alert and its webhooks")
    await act(visitor, row, "Delete")
    await visitor.page.get_by_role("button", name="Delete", exact=True).click()
    await expect(visitor.page.get_by_text("No alerts yet")).to_be_visible()


def zone_far_from_midnight() -> tuple[str, str]:
    """(a time zone whose day does not end within the hour, when it ends in UTC)."""
    return ("UTC", "00:00:00") if datetime.now(UTC).hour < 23 else ("Asia/Shanghai", "16:00:00")


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
