"""An operator looks up who did what; somebody takes their data and leaves, and changes their mind."""

import io
import re
import zipfile

import pytest
from playwright.async_api import expect

from tests.builders import grant
from tests.journeys.instance import Instance
from tests.journeys.visitor import Entrance

pytestmark = pytest.mark.asyncio(loop_scope="package")

LOG = "/console/admin/audit-log"


async def test_an_operator_finds_an_act_and_what_it_changed(instance: Instance, entrance: Entrance):
    who = await instance.person(role="operator")
    async with instance.api(who) as api:
        assert (await api.post("admin/groups", json={"name": "audited", "multiplier_micros": 5})).status_code == 201
        assert (await api.patch("admin/groups/audited", json={"multiplier_micros": 6})).status_code == 200
    visitor = await entrance.visitor()
    await visitor.sign_in(who, at=f"{LOG}?action=group.changed", then="**/audit-log?action=group.changed")
    row = visitor.page.get_by_role("row").filter(has_text="audited").first
    await expect(row).to_be_visible()
    await visitor.looks_right("the audit log")
    await row.click()
    dialog = visitor.page.get_by_role("dialog")
    changed = dialog.get_by_role("row").filter(has_text="multiplier_micros")
    await expect(changed).to_contain_text("5")
    await expect(changed).to_contain_text("6")
    await visitor.looks_right("an act")
    await expect(visitor.page).to_have_url(re.compile("act="))  # an act has an address of its own
    await dialog.get_by_role("button", name="Close").click()
    async with visitor.page.expect_download() as download:
        await visitor.button("Export CSV").click()
    saved = await (await download.value).path()
    assert "group.changed" in saved.read_text()


async def test_an_owner_of_data_takes_it_and_may_change_their_mind_about_leaving(
    instance: Instance, entrance: Entrance
):
    who = await instance.person()
    visitor = await entrance.visitor()
    address = "/console/settings?section=data"
    await visitor.sign_in(who, at=address, then="**/settings?section=data")
    await visitor.button("Ask for a copy").click()
    await expect(visitor.button("Download")).to_be_visible()
    await visitor.looks_right("your data")
    async with visitor.page.expect_download() as download:
        await visitor.button("Download").click()
    saved = await (await download.value).path()
    with zipfile.ZipFile(io.BytesIO(saved.read_bytes())) as archive:
        assert who.email in archive.read("profile.json").decode()
    await visitor.button("Delete my account…").click()
    dialog = visitor.page.get_by_role("dialog")
    await visitor.looks_right("leaving")
    await dialog.get_by_role("button", name="Delete my account").click()
    await expect(visitor.button("Keep my account")).to_be_visible()
    await visitor.looks_right("about to leave")
    await visitor.button("Keep my account").click()
    await expect(visitor.button("Delete my account…")).to_be_visible()


async def test_somebody_sees_what_was_done_in_their_account(instance: Instance, entrance: Entrance):
    who = await instance.person()
    async with instance.api(who) as api:
        assert (await api.post("keys", json={"name": "Nightly"})).status_code == 201
    visitor = await entrance.visitor()
    await visitor.sign_in(who)
    await visitor.visit("Activity")
    await visitor.looks_right("the activity of an account")
    await visitor.button("API keys").click()
    row = visitor.page.get_by_role("row").filter(has_text="key.created")
    await expect(row).to_contain_text(who.email)
    await row.click()
    await expect(visitor.dialog.get_by_role("row").filter(has_text="Nightly")).to_be_visible()
    await visitor.looks_right("an act in an account")


async def test_an_operator_deletes_somebody_and_keeps_them_after_all(instance: Instance, entrance: Entrance):
    who, operator = await instance.person(), await instance.person(role="operator")
    visitor = await entrance.visitor()
    address = f"/console/admin/users?q={who.email}"
    await visitor.sign_in(operator, at=address, then="**/console/admin/users**")
    row = visitor.page.get_by_role("row", name=who.email)
    await visitor.button(f"Actions for {who.email}").click()
    await visitor.page.get_by_role("menuitem", name="Delete…").click()
    await expect(visitor.dialog).to_contain_text("While quota is left in their balance, this is refused.")
    await visitor.looks_right("somebody is to be deleted")
    await visitor.dialog.get_by_role("button", name="Delete", exact=True).click()
    await expect(row).to_contain_text("Deleted:")
    await visitor.looks_right("somebody is about to be deleted")
    await visitor.button(f"Actions for {who.email}").click()
    await visitor.page.get_by_role("menuitem", name="Keep this person").click()
    await expect(row).not_to_contain_text("Deleted:")


async def test_an_owner_deletes_a_team_with_quota_and_keeps_it_after_all(instance: Instance, entrance: Entrance):
    owner = await instance.person()
    before = await instance.policy("privacy")
    await instance.set_policy("privacy", before | {"remaining_balance": "forfeit"})
    async with instance.api(owner) as api:
        team = (await api.post("accounts", json={"name": "Typesetters"})).json()["id"]
    await grant(instance.dsn, team, 10**9)
    visitor = await entrance.visitor()
    await visitor.sign_in(owner)
    await visitor.visit("Team")
    await visitor.page.get_by_role("button", name="Work in").click()
    await visitor.button("Actions for Typesetters").click()
    await visitor.page.get_by_role("menuitem", name="Delete the team").click()
    await visitor.looks_right("a team is to be deleted")
    await visitor.dialog.get_by_role("button", name="Delete team").click()
    await expect(visitor.page.get_by_text("This team will be deleted:")).to_be_visible()
    await visitor.looks_right("a team is about to be deleted")
    await visitor.button("Keep the team").click()
    await expect(visitor.page.get_by_text("This team will be deleted:")).to_have_count(0)
    await instance.set_policy("privacy", before)
