"""Every page, on a phone and on a desk: nothing sticks out, and nothing is hard to use for anybody."""

import asyncio

import openai
import pytest
from playwright.async_api import Route, expect

from tests.journeys.instance import Instance
from tests.journeys.visitor import PHONE, Entrance

pytestmark = pytest.mark.asyncio(loop_scope="package")

OPERATORS = [
    "Channels", "Models and rates", "Import prices", "Margins", "Groups", "Accounts", "People", "Orders",
    "Payment methods", "Codes", "Referrals", "Policies", "Identity providers", "Mail", "Audit log",
]  # fmt: skip
PLACES = ["Dashboard", "API keys", "Usage", "Top up", "Pricing", "Team", "Activity", "Settings", *OPERATORS]


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
async def test_a_visitor_sees_every_public_page_on_a_phone(entrance: Entrance, language: str):
    visitor = await entrance.visitor(**PHONE, locale=language)
    for path in ("/", "/pricing", "/pricing?group=default&per=1k", "/sign-in", "/register", "/nothing/here"):
        await visitor.go(path)
        await visitor.looks_right(f"{path} on a phone in {language}")


async def test_every_place_is_reached_through_the_drawer_of_a_phone(instance: Instance, entrance: Entrance):
    async with openai.AsyncOpenAI(api_key=await key_of(instance), base_url=instance.base_url) as client:
        for model in ("demo-small", "demo-large"):
            await client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello"}])
    visitor = await entrance.visitor(**PHONE)
    page = visitor.page
    await visitor.sign_in(instance.operator)
    await expect(page.get_by_role("complementary", name="Balance and places")).to_be_hidden()
    await visitor.button("Open menu").click()
    await visitor.looks_right("the drawer")
    links = visitor.dialog.get_by_role("navigation").get_by_role("link")
    await expect(links).to_have_text(PLACES)  # a new place is to be looked at here, too
    await page.keyboard.press("Escape")
    await visitor.looks_right("Dashboard on a phone")
    for name in PLACES[1:]:
        await visitor.button("Open menu").click()
        async with visitor.leaving():
            await links.get_by_text(name, exact=True).click()
        await expect(visitor.dialog).to_have_count(0)
        await visitor.looks_right(f"{name} on a phone")


async def test_every_place_of_operators_on_a_desk(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    await visitor.sign_in(instance.operator)
    for name in ("Dashboard", *OPERATORS):
        if name != "Dashboard":
            await visitor.visit(name)
        await visitor.looks_right(f"{name} of an operator")


async def test_pages_that_have_nothing_to_show_yet_fit_a_phone(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor(**PHONE)
    await visitor.sign_in(await instance.person())
    for path in ("", "/keys", "/usage", "/topup", "/team", "/audit-log", "/settings?section=tokens"):
        await visitor.go(f"/console{path}")
        await visitor.looks_right(f"/console{path} of a newcomer on a phone")
        await visitor.keeps_its_text(f"/console{path} of a newcomer on a phone")


async def test_the_balance_stays_in_sight_where_the_places_are_scrolled(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor(viewport={"width": 1440, "height": 600})
    await visitor.sign_in(instance.operator)
    side = visitor.page.get_by_role("complementary", name="Balance and places")
    await expect(visitor.place(PLACES[-1])).not_to_be_in_viewport()
    await visitor.place(PLACES[-1]).scroll_into_view_if_needed()
    await expect(visitor.place(PLACES[-1])).to_be_in_viewport(ratio=1)
    await expect(side.get_by_text("Balance", exact=True)).to_be_in_viewport(ratio=1)
    await expect(side.locator("[title$=' quota']").first).to_be_in_viewport(ratio=1)


async def test_an_ordinary_person_finds_no_operators_pages(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    await visitor.sign_in(await instance.person())
    for name in OPERATORS:
        await expect(visitor.place(name)).to_have_count(0)
    await visitor.go("/console/admin/channels")
    await expect(visitor.page.get_by_role("heading", name="There is no page at this address")).to_be_visible()
    await expect(visitor.page).to_have_title("There is no page at this address · AI Router")


async def test_an_address_that_is_no_page_keeps_the_frame_that_somebody_is_in(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    await visitor.go("/nothing/here")
    await expect(visitor.page.get_by_role("banner").get_by_role("link", name="Sign in")).to_be_visible()
    async with visitor.leaving():
        await visitor.page.get_by_role("main").get_by_role("link", name="To the first page").click()
    await visitor.sign_in(await instance.person())
    await visitor.go("/console/nothing")
    await visitor.looks_right("no page in the console")
    await expect(visitor.place("Usage")).to_be_visible()
    async with visitor.leaving():
        await visitor.page.get_by_role("link", name="To the dashboard").click()
    await expect(visitor.page).to_have_title("Dashboard · AI Router")


async def test_the_mark_stands_there_until_a_gateway_that_takes_its_time_has_answered(entrance: Entrance):
    visitor = await entrance.visitor()
    may_answer = asyncio.Event()

    async def take_time(route: Route) -> None:
        await may_answer.wait()
        await route.continue_()

    await visitor.page.route("**/api/v1/status", take_time)
    await visitor.page.goto(f"{visitor.home}/pricing")
    await expect(visitor.page.locator(".opening")).to_be_visible()
    may_answer.set()
    await visitor.settled()
    await expect(visitor.page.locator(".opening")).to_be_hidden()


async def test_an_invitation_that_could_not_be_asked_for_is_not_said_to_be_over(entrance: Entrance):
    visitor = await entrance.visitor()
    problem = {"title": "Service Unavailable", "status": 503, "code": "database_busy", "detail": "Try again."}
    await visitor.page.route("**/api/v1/invitations?*", lambda route: route.fulfill(status=503, json=problem))
    with visitor.refused("GET /api/v1/invitations", 503):
        await visitor.go("/invitation#some-token")
        await expect(visitor.button("Try again")).to_be_visible()
    await expect(visitor.page.get_by_text("opens nothing")).to_have_count(0)
    await visitor.page.unroute("**/api/v1/invitations?*")
    with visitor.refused("GET /api/v1/invitations", 401):
        await visitor.button("Try again").click()
        await expect(visitor.page.get_by_role("heading", name="This invitation opens nothing")).to_be_visible()


async def test_online_payment_that_is_not_configured_is_said(instance: Instance, entrance: Entrance):
    async with instance.api(instance.operator) as operator:
        assert (await operator.patch("admin/payment-methods/demo", json={"enabled": False})).status_code == 200
        try:
            visitor = await entrance.visitor()
            await visitor.sign_in(await instance.person(), at="/console/topup", then="**/console/topup")
            heading = visitor.page.get_by_role("heading", name="Online payment is not configured")
            await expect(heading).to_be_visible()
            await instance.set_policy("topup", {"redemption_enabled": False})
            await visitor.page.reload()
            await visitor.settled()
            await expect(visitor.page.get_by_text("Redemption codes are switched off here.")).to_be_visible()
            await visitor.looks_right("top up, all off")
        finally:
            await instance.set_policy("topup", {"redemption_enabled": True})
            await operator.patch("admin/payment-methods/demo", json={"enabled": True})


async def key_of(instance: Instance) -> str:
    async with instance.api(instance.operator) as operator:
        return (await operator.post("keys", json={"name": "pages"})).json()["key"]
