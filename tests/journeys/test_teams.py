"""A team from its first day to somebody's last: invited, joined, worked, left, and the keys stay with the team."""

import asyncio
import re

import httpx
import pytest
from playwright.async_api import expect

from tests.builders import PASSWORD, grant, run_sql
from tests.journeys.instance import Account, Instance
from tests.journeys.test_keys import has_outcome
from tests.journeys.visitor import Entrance, Visitor
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_somebody_is_invited_works_and_leaves(instance: Instance, entrance: Entrance):
    owner = await instance.person(quota=10**9)
    email = "grace.murray@example.com"
    ada = await entrance.visitor()
    await ada.sign_in(owner)
    team = await make_team(instance, ada, owner, "Compilers")
    await invite(ada, email)
    await ada.looks_right("a team with an open invitation")

    grace = await entrance.visitor()
    await grace.go(f"/invitation#{await letter_to(instance, email)}")
    await expect(grace.page.get_by_role("heading", name="Join Compilers")).to_be_visible()
    await expect(grace.page).not_to_have_url(re.compile("#"))
    await grace.looks_right("an invitation for somebody new")
    await grace.page.get_by_label("Choose a password").fill(PASSWORD)
    async with grace.leaving():
        await grace.button("Join Compilers").click()
        await grace.page.wait_for_url("**/console")
    await expect(grace.place("Top up")).to_have_count(0)
    await expect(grace.place("API keys")).to_be_visible()
    await grace.looks_right("the dashboard of a member")

    member = Account(email=email, password=PASSWORD)
    key, key_id = await key_of(instance, member, team, "Nightly")
    await key_of(instance, owner, team, "Deploy")
    await grace.go("/console/keys")
    await expect(grace.page.get_by_role("row", name="Nightly")).to_be_visible()
    await expect(grace.page.get_by_role("row", name="Deploy")).to_have_count(0)
    await until(lambda: has_outcome(instance, key, "answered"))

    await grace.visit("Team")
    await expect(grace.page.get_by_text("Your role here: Member.")).to_be_visible()
    await grace.looks_right("a team as a member sees it")
    await grace.button("Actions for Compilers").click()
    await grace.page.get_by_role("menuitem", name="Leave the team").click()
    await grace.dialog.get_by_role("button", name="Leave").click()
    await grace.hears("You left Compilers")
    await expect(grace.place("Top up")).to_be_visible()  # at home again
    await until(lambda: has_outcome(instance, key, "key_disabled"))

    async with instance.api(owner) as api:
        api.headers["x-account-id"] = team
        [orphan] = (await api.get("keys", params={"orphaned": "true"})).json()["items"]
        assert (orphan["id"], orphan["user_email"]) == (key_id, email)
    await ada.go("/console/keys")
    await ada.button("Actions for Nightly").click()
    await ada.page.get_by_role("menuitem", name="Hand over").click()
    await expect(ada.dialog.get_by_text("Whoever left knows its secret.")).to_be_visible()
    await ada.looks_right("the key of somebody who left is to be handed over")
    await ada.dialog.get_by_role("button", name="Hand over").click()
    await until(lambda: has_outcome(instance, key, "answered"))
    await ada.button("New secret").click()
    await ada.dialog.get_by_label("The old secret works").select_option("none")
    await ada.dialog.get_by_role("button", name="Make new secret").click()
    await until(lambda: has_outcome(instance, key, "invalid_api_key"))


async def test_an_owner_changes_a_role_and_removes_somebody(instance: Instance, entrance: Entrance):
    owner, other = await instance.person(), await instance.person()
    ada = await entrance.visitor()
    await ada.sign_in(owner)
    team = await make_team(instance, ada, owner, "Numerics")
    async with instance.api(owner) as api:
        await api.post(f"accounts/{team}/invitations", json={"email": other.email, "team_role": "member"})
    token = await letter_to(instance, other.email)

    bob = await entrance.visitor()
    await bob.go(f"/invitation#{token}")
    await bob.page.get_by_role("link", name="Sign in").last.click()
    await bob.page.get_by_label("E-mail").fill(other.email)
    await bob.page.get_by_label("Password").fill(other.password)
    await bob.button("Sign in").click()
    await bob.page.wait_for_url("**/invitation")
    async with bob.leaving():
        await bob.button("Join Numerics").click()
        await bob.page.wait_for_url("**/console/team")

    await ada.page.reload()
    row = ada.page.get_by_role("row", name=other.email)
    await ada.button(f"Actions for {other.email}").click()
    await ada.page.get_by_role("menuitem", name="Change role").click()
    await ada.dialog.get_by_label("Role").select_option("admin")
    await ada.looks_right("a role is to be changed")
    await ada.dialog.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("Admin")
    await bob.page.reload()
    await expect(bob.button("Invite")).to_be_visible()
    # The team they work in is gone for them from here on, also for what their page asks by itself.
    with bob.refused("GET /api/v1/(me|wallet|accounts/.*|usage.*|keys.*)", 404):
        await ada.button(f"Actions for {other.email}").click()
        await ada.page.get_by_role("menuitem", name="Remove").click()
        await ada.dialog.get_by_role("button", name="Remove from the team").click()
        await expect(row).to_have_count(0)
        await bob.go("/console")  # at home again
    await expect(bob.place("Top up")).to_be_visible()


async def test_a_team_fits_a_phone_in_chinese(instance: Instance, entrance: Entrance):
    owner = await instance.person()
    visitor = await entrance.visitor(viewport={"width": 375, "height": 740}, locale="zh-CN")
    await visitor.sign_in(owner)
    async with instance.api(owner) as api:
        team = (await api.post("accounts", json={"name": "编译器研究与开发团队"})).json()["id"]
        await api.post(
            f"accounts/{team}/invitations", json={"email": "a.very.long.address@example.com", "team_role": "admin"}
        )
    await visitor.go("/console/team")
    await visitor.stays_within("the teams on a phone")
    await visitor.page.get_by_role("button", name="进入").click()
    await expect(visitor.page.get_by_role("table", name="邀请")).to_be_visible()
    await visitor.settled()
    await visitor.stays_within("a team on a phone")
    await visitor.looks_right("a team on a phone")


async def test_a_token_is_made_used_and_revoked(instance: Instance, entrance: Entrance):
    who = await instance.person()
    visitor = await entrance.visitor()
    await visitor.sign_in(who)
    await visitor.go("/console/settings?section=tokens")
    await visitor.button("New token").click()
    await visitor.dialog.get_by_role("textbox", name="Name").fill("Report")
    await visitor.dialog.get_by_label("See the balance").check()
    await visitor.looks_right("a token is to be made")
    await visitor.dialog.get_by_role("button", name="Make token").click()
    secret = await visitor.page.get_by_test_id("new-token").inner_text()
    assert await answers(instance, secret, "wallet") == 200
    assert await answers(instance, secret, "usage") == 403
    await visitor.dialog.get_by_label("I have stored this token").check()
    await visitor.looks_right("a token that is shown once")
    await visitor.dialog.get_by_role("button", name="Done").click()
    await expect(visitor.page.get_by_text(secret)).to_have_count(0)
    await visitor.page.reload()
    await visitor.settled()
    await visitor.looks_right("the tokens")
    await visitor.button("Revoke: Report").click()
    await visitor.dialog.get_by_role("button", name="Revoke").click()
    await visitor.hears("Report was revoked")
    await until(lambda: _is_refused(instance, secret))


async def test_an_owner_bans_somebody_and_lets_them_in_again(instance: Instance, entrance: Entrance):
    who = await instance.person()
    await run_sql(instance.dsn, "UPDATE users SET role = 'owner' WHERE email = $1", instance.operator.email)
    visitor = await entrance.visitor()
    await visitor.sign_in(instance.operator)
    await visitor.go(f"/console/admin/users?q={who.email}")
    row = visitor.page.get_by_role("row", name=who.email)
    await expect(row).to_contain_text("Active")
    await visitor.looks_right("people")
    await visitor.button(f"Actions for {who.email}").click()
    await visitor.page.get_by_role("menuitem", name="Ban").click()
    await visitor.dialog.get_by_role("button", name="Ban").click()
    await expect(row).to_contain_text("Banned")
    async with httpx.AsyncClient(base_url=instance.console_url, timeout=PATIENCE_SECONDS) as client:
        signing_in = await client.post("/api/v1/auth/login", json={"email": who.email, "password": who.password})
        assert signing_in.status_code == 401
    await visitor.button(f"Actions for {who.email}").click()
    await visitor.page.get_by_role("menuitem", name="Let in again").click()
    await expect(row).to_contain_text("Active")


async def test_an_operator_withdraws_a_second_factor_that_somebody_lost(instance: Instance, entrance: Entrance):
    who = await instance.person()
    await run_sql(
        instance.dsn,
        "INSERT INTO totp_factors (user_id, secret, confirmed_at) "
        "SELECT user_id, '', now() FROM users WHERE email = $1",
        who.email,
    )
    visitor = await entrance.visitor()
    await visitor.sign_in(instance.operator)
    await visitor.go(f"/console/admin/users?q={who.email}")
    await visitor.button(f"Actions for {who.email}").click()
    await visitor.page.get_by_role("menuitem", name="Withdraw second factor").click()
    await visitor.looks_right("a second factor is to be withdrawn")
    await visitor.dialog.get_by_role("button", name="Withdraw").click()
    await visitor.hears(f"{who.email} has no second factor any more")
    await visitor.button(f"Actions for {who.email}").click()
    await expect(visitor.page.get_by_role("menuitem", name="Withdraw second factor")).to_have_count(0)
    back = await entrance.visitor()
    await back.sign_in(who)


async def test_an_operator_hands_over_a_link_to_choose_a_password(instance: Instance, entrance: Entrance):
    who = await instance.person()
    visitor = await entrance.visitor()
    await visitor.sign_in(instance.operator)
    await visitor.go(f"/console/admin/users?q={who.email}")
    await visitor.button(f"Actions for {who.email}").click()
    await visitor.page.get_by_role("menuitem", name="Link to choose a password").click()
    await visitor.looks_right("a link to choose a password is to be made")
    await visitor.dialog.get_by_role("button", name="Make the link").click()
    link = visitor.page.get_by_test_id("password-link")
    await expect(link).to_contain_text("/reset#")
    await visitor.looks_right("the link to choose a password")
    address = await link.inner_text()
    await visitor.dialog.get_by_role("button", name="Done").click()
    await expect(link).to_have_count(0)
    person = await entrance.visitor()
    await person.page.goto(address)
    await person.page.get_by_label("New password").first.fill("seven purple trams at noon")
    await person.page.get_by_role("button", name="Save and sign in").click()
    await expect(person.page).to_have_url(re.compile("/console"))


async def make_team(instance: Instance, visitor: Visitor, owner: Account, name: str) -> str:
    """Through the page; its id."""
    await visitor.visit("Team")
    await visitor.looks_right("no team yet")
    await visitor.button("New team").click()
    await visitor.dialog.get_by_label("Name").fill(name)
    await visitor.dialog.get_by_role("button", name="Make team").click()
    await expect(visitor.page.get_by_role("heading", name=name, level=1)).to_be_visible()
    await visitor.settled()
    async with instance.api(owner) as api:
        accounts = (await api.get("me")).json()["accounts"]
    team = next(account["id"] for account in accounts if account["name"] == name)
    await grant(instance.dsn, team, 10**9)
    return team


async def invite(visitor: Visitor, email: str) -> None:
    await visitor.button("Invite").click()
    await visitor.dialog.get_by_label("E-mail").fill(email)
    await visitor.looks_right("somebody is to be invited")
    await visitor.dialog.get_by_role("button", name="Send invitation").click()
    await expect(visitor.page.get_by_role("row", name=email)).to_be_visible()


async def letter_to(instance: Instance, email: str) -> str:
    """The token in the newest letter to somebody, which a demo's owner can read."""
    await run_sql(instance.dsn, "UPDATE users SET role = 'owner' WHERE email = $1", instance.operator.email)
    async with asyncio.timeout(PATIENCE_SECONDS), instance.api(instance.operator) as api:
        while True:
            mails = (await api.get("admin/mails")).json()["items"]
            if found := [mail for mail in mails if mail["to"] == email and mail["state"] == "sent"]:
                text = (await api.get(f"admin/mails/{found[0]['id']}")).json()["text"]
                token = re.search(r"/invitation#([A-Za-z0-9_-]{43})", text)
                assert token, text
                return token[1]
            await asyncio.sleep(0.1)


async def key_of(instance: Instance, who: Account, team: str, name: str) -> tuple[str, str]:
    """(the key, its id) of a member's new key in the team."""
    async with instance.api(who) as api:
        made = await api.post("keys", json={"name": name}, headers={"x-account-id": team})
        assert made.status_code == 201, made.text
        return made.json()["key"], made.json()["id"]


async def answers(instance: Instance, token: str, path: str) -> int:
    """What the management API says to a token."""
    async with httpx.AsyncClient(base_url=f"{instance.console_url}/api/v1/", timeout=PATIENCE_SECONDS) as client:
        return (await client.get(path, headers={"authorization": f"Bearer {token}"})).status_code


async def _is_refused(instance: Instance, token: str) -> bool:
    return await answers(instance, token, "wallet") == 401
