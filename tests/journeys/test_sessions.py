"""Staying signed in, and not staying signed in."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.journeys.instance import Instance
from tests.journeys.visitor import Entrance

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_reload_keeps_the_session_and_no_script_can_read_it(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    await visitor.sign_in(await instance.person(quota=7 * 10**9), at="/console/usage?span=7d", then="**/usage?span=7d")
    await visitor.page.reload()
    await visitor.settled()
    assert visitor.page.url.endswith("/console/usage?span=7d")
    await visitor.has_balance(7 * 10**9)
    [cookie] = await visitor.page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/api/v1/auth")
    stored = await visitor.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert cookie["value"] not in stored
    assert "eyJ" not in stored, "an access token outlives the page"


async def test_two_tabs_that_refresh_at_once_stay_signed_in(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    await visitor.sign_in(await instance.person())
    other = await entrance.tab(visitor.page.context)
    for _ in range(3):
        await asyncio.gather(visitor.go("/console/keys"), other.go("/console/keys"))
    for tab in (visitor, other):
        await expect(tab.page.get_by_role("heading", name="API keys")).to_be_visible()


async def test_signing_out_here_signs_the_other_tab_out(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    who = await instance.person()
    await visitor.sign_in(who)
    other = await entrance.tab(visitor.page.context)
    await other.go("/console/keys")
    await visitor.button(f"Account menu of {who.email}").click()
    await visitor.looks_right("the account menu")
    await visitor.page.get_by_role("menuitem", name="Sign out").click()
    for tab in (visitor, other):
        await tab.page.wait_for_url("**/sign-in")
    await other.go("/console/keys")
    assert "/sign-in" in other.page.url


async def test_a_session_ended_elsewhere_is_over_at_its_next_step(instance: Instance, entrance: Entrance):
    who = await instance.person()
    stranger = await entrance.visitor(user_agent="Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Firefox/128.0")
    await stranger.sign_in(who)
    visitor = await entrance.visitor()
    await visitor.sign_in(who, at="/console/settings?section=security", then="**/console/settings?section=security")
    await visitor.looks_right("security")
    await visitor.page.get_by_role("button", name="Sign out: Firefox").click()
    asked = visitor.dialog.or_(visitor.page.get_by_role("alertdialog"))
    await expect(asked).to_contain_text("Firefox")
    await asked.get_by_role("button", name="Sign out").click()
    await expect(visitor.page.get_by_role("button", name="Sign out: Firefox")).to_have_count(0)
    with stranger.refused("GET /api/v1/.*", 401), stranger.refused("POST /api/v1/auth/refresh", 401):
        await stranger.place("API keys").click()
        await stranger.page.wait_for_url("**/sign-in**")
    await visitor.page.reload()
    await visitor.settled()
    await expect(visitor.page.get_by_role("heading", name="Sessions")).to_be_visible()


async def test_a_wrong_password_is_said_beside_the_form(instance: Instance, entrance: Entrance):
    who = await instance.person()
    visitor = await entrance.visitor()
    await visitor.go("/sign-in")
    await visitor.looks_right("sign in")
    await visitor.page.get_by_label("E-mail").fill(who.email)
    await visitor.page.get_by_label("Password").fill("wrong")
    with visitor.refused("POST /api/v1/auth/login", 401):
        await visitor.button("Sign in").click()
        await expect(visitor.page.get_by_text("The e-mail or the password is wrong.")).to_be_visible()
    await visitor.looks_right("a wrong password")
