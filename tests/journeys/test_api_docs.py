"""A programmer opens the API reference, finds an operation in either document, and nothing leaves the place."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.journeys.instance import Instance
from tests.journeys.visitor import Entrance

pytestmark = pytest.mark.asyncio(loop_scope="package")

PATIENCE_MS = 90_000
"""The reader is large, and machines that run tests are busy."""


async def test_a_programmer_finds_an_operation_and_nothing_leaves_the_origin(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    page = visitor.page
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    await page.goto(f"{instance.console_url}/api/docs", wait_until="commit")
    heading = page.get_by_role("heading", name="AI Router: gateway")
    await expect(heading).to_be_visible(timeout=PATIENCE_MS)
    operation = page.get_by_text("Answer a conversation, whole or as a stream of events.").first
    await expect(operation).to_be_visible(timeout=PATIENCE_MS)
    await page.goto(f"{instance.console_url}/api/docs?api=management", wait_until="commit")
    await expect(page.get_by_role("heading", name="AI Router: management")).to_be_visible(timeout=PATIENCE_MS)
    assert asked - {""} == {urlsplit(instance.console_url).netloc}


async def test_the_console_leads_to_the_reference_and_never_loads_it(instance: Instance, entrance: Entrance):
    visitor = await entrance.visitor()
    asked: set[str] = set()
    visitor.page.on("request", lambda request: asked.add(urlsplit(request.url).path))
    await visitor.sign_in(await instance.person())
    await visitor.go("/console/keys")
    links = visitor.page.get_by_role("main").get_by_role("link", name="API reference")
    await expect(links).to_have_count(2)
    for number in range(2):
        await expect(links.nth(number)).to_have_attribute("href", f"{instance.console_url}/api/docs")
    assert not [path for path in asked if path.startswith("/api/docs")]
