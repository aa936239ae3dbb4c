"""Staying signed in, and not staying signed in."""

import asyncio
import re

import pytest
from playwright.async_api import Route, expect

from tests.journeys.instance import Instance
from tests.journeys.visitor import Entrance

pytestmark = pytest.mark.asyncio(loop_scope="package")

ASKED = "GET /api/v1/.*|POST /api/v1/auth/refresh"
"""What a page asks for by itself, now and then: refused, once its session is over."""


async def test_a_reload_keeps_the_session_and_no_script_can_read_it(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    await visitor.sign_in(await instance.person(quota=7 * 10**9), at="/console/usage?span=7d", then="**/usage?span=7d")
    await visitor.page.reload()
    await visitor.settled()
    await expect(visitor.page).to_have_url(re.compile(r"/console/usage\?span=7d$"))
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
    with visitor.refused(ASKED, 401), other.refused(ASKED, 401):
        await visitor.page.get_by_role("menuitem", name="Sign out").click()
        await visitor.page.wait_for_url("**/sign-in")
        await other.page.wait_for_url("**/sign-in")
    await other.go("/console/keys")
    await expect(other.page).to_have_url(re.compile("/sign-in"))


async def test_a_session_ended_elsewhere_is_over_at_its_next_step(instance: Instance, entrance: Entrance):
    who = await instance.person()
    stranger = await entrance.visitor(user_agent="Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Firefox/128.0")
    await stranger.sign_in(who)
    takes_a_step = asyncio.Event()

    async def wait_for_it(route: Route) -> None:
        await takes_a_step.wait()
        await route.continue_()

    await stranger.page.route("**/api/v1/**", wait_for_it)
    visitor = await entrance.visitor()
    await visitor.sign_in(who, at="/console/settings?section=security", then="**/console/settings?section=security")
    await visitor.looks_right("security")
    await visitor.page.get_by_role("button", name="Sign out: Firefox").click()
    asked = visitor.dialog.or_(visitor.page.get_by_role("alertdialog"))
    await expect(asked).to_contain_text("Firefox")
    await asked.get_by_role("button", name="Sign out").click()
    await expect(visitor.page.get_by_role("button", name="Sign out: Firefox")).to_have_count(0)
    with stranger.refused(ASKED, 401):
        await stranger.place("API keys").click()
        takes_a_step.set()
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
