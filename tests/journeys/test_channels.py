"""An operator sets a channel up from what its provider says, sees a credential fail, and reads why a call did."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
from playwright.async_api import expect

from tests.journeys.instance import Instance, receipt
from tests.journeys.visitor import Entrance, Visitor
from tests.patience import PATIENCE_SECONDS
from tests.upstream.server import Line, Upstream, running

pytestmark = pytest.mark.asyncio(loop_scope="package")

CHANNELS = "/console/admin/channels"
GOOD, BAD = "sk-journey-good-key-1111", "sk-journey-bad-key-2222"
NAME = "from the journey"
MODEL = "journey-model"
LIST = {"data": [{"id": MODEL}, {"id": "other-model"}]}
ANSWER = {
    "id": "x", "object": "chat.completion", "created": 1, "model": MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}  # fmt: skip


async def provider(line: Line) -> None:
    """It has a list for everybody, and answers for one of two keys."""
    if line.received.line.startswith("GET"):
        await line.json(msgspec.json.encode(LIST))
    elif GOOD in line.received.headers["authorization"]:
        await line.json(msgspec.json.encode(ANSWER))
    else:
        said = b'{"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}}'
        await line.raw(b"HTTP/1.1 401 X\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said))


@asynccontextmanager
async def a_provider(instance: Instance) -> AsyncIterator[Upstream]:
    """On this machine, which the instance may call meanwhile; a model to sell is there."""
    network = await instance.policy("network")
    async with running(provider) as upstream, instance.api(instance.operator) as operator:
        await instance.set_policy("network", {"allow_private": True})
        assert (await operator.post("admin/models", json={"model": MODEL})).status_code in {200, 201}
        rates = {"model": MODEL, "rates": {"input": 1_000_000_000, "output": 1_000_000_000}}
        assert (await operator.post("admin/rate-cards", json=rates)).status_code == 201
        try:
            yield upstream
        finally:
            for channel in (await operator.get("admin/channels")).json()["items"]:
                if MODEL in channel["models"]:
                    await operator.delete(f"admin/channels/{channel['id']}")
            await instance.set_policy("network", network)


async def call(instance: Instance, key: str) -> httpx.Response:
    """Once what was set up is in force."""
    await instance.in_force()
    async with httpx.AsyncClient(base_url=instance.console_url, timeout=PATIENCE_SECONDS) as client:
        question = {"model": MODEL, "messages": [{"role": "user", "content": "Hello?"}]}
        headers = {"authorization": f"Bearer {key}"}
        return await client.post("/v1/chat/completions", json=question, headers=headers)


async def set_up(visitor: Visitor, upstream: Upstream) -> None:
    """Forgetting the name first, which loses nothing."""
    page = visitor.page
    await page.get_by_label("Provider", exact=True).select_option("openai-compatible")
    await page.get_by_label("Base URL").fill(f"http://127.0.0.1:{upstream.port}/v1")
    await page.get_by_role("textbox", name="Credentials").fill(f"{GOOD}\n{BAD}")
    await visitor.button("Ask the provider").click()
    await visitor.dialog.get_by_label(MODEL).check()
    await expect(visitor.dialog).to_contain_text("priced")
    await visitor.button("Add 1 model").click()
    await visitor.button("Add channel").click()
    await expect(page.get_by_text("Give it a name.")).to_be_visible()
    await expect(page.get_by_label("Public name, Line 1")).to_have_value(MODEL)
    await visitor.looks_right("a new channel")
    await page.get_by_label("Name", exact=True).fill(NAME)
    await visitor.button("Add channel").click()
    await expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    await expect(page.get_by_label("Public name, Line 1")).to_have_value(MODEL)
    await visitor.looks_right("a channel")


async def try_it(visitor: Visitor) -> None:
    """One key works and one does not; the one that works is taken out of use."""
    await visitor.button("Test now").click()
    await expect(visitor.dialog.get_by_role("listitem").filter(has_text="…1111")).to_contain_text("Works")
    failed = visitor.dialog.get_by_role("listitem").filter(has_text="…2222")
    await expect(failed).to_contain_text("Incorrect API key provided.")
    await visitor.looks_right("the test of a channel")
    await visitor.button("Close").click()
    await visitor.page.get_by_role("switch", name="Use …1111").click()
    await visitor.hears("…1111 is not used any more")
    await expect(visitor.page.get_by_role("listitem").filter(has_text="…1111")).to_contain_text("Disabled")


async def find_it(visitor: Visitor) -> None:
    """In the list, wide and narrow."""
    page = visitor.page
    await visitor.go(CHANNELS)
    row = page.get_by_role("row").filter(has_text=NAME)
    await expect(row).to_contain_text("last test failed")
    await page.get_by_role("searchbox").fill("no such channel")
    await expect(page.get_by_text("No channel fits")).to_be_visible()
    await page.get_by_role("link", name="Clear filters").click()
    await expect(row).to_be_visible()
    await visitor.looks_right("channels")
    await page.set_viewport_size({"width": 375, "height": 812})
    await visitor.stays_within("channels on a phone")
    async with visitor.leaving():
        await row.get_by_role("link", name=NAME).click()
    await visitor.stays_within("a channel on a phone")


async def test_a_channel_is_set_up_tested_and_its_failure_explained(instance: Instance, entrance: Entrance):
    who = await instance.person(role="operator", quota=10**12)
    visitor = await entrance.visitor()
    async with a_provider(instance) as upstream, instance.api(who) as api:
        await visitor.sign_in(who, at=f"{CHANNELS}/new", then=f"**{CHANNELS}/new")
        await set_up(visitor, upstream)
        await try_it(visitor)
        key = (await api.post("keys", json={"name": "journey"})).json()["key"]
        answer = await call(instance, key)
        assert answer.status_code == 502, answer.text
        request_id = (await receipt(api, answer.headers["x-request-id"]))["request_id"]
        await visitor.go(f"/console/usage?receipt={request_id}")
        route = visitor.page.get_by_role("region", name=re.compile("route", re.IGNORECASE))
        await expect(route.get_by_role("link", name=NAME)).to_be_visible()
        await expect(route).to_contain_text("credential refused")
        await expect(route).to_contain_text("…2222")
        await find_it(visitor)
        await visitor.page.get_by_role("switch", name="Use …1111").click()
        await visitor.hears("…1111 is used again")
        assert (await call(instance, key)).status_code == 200


async def test_what_a_vendor_wants_is_told_in_the_readers_language_with_its_code_as_code(
    instance: Instance, entrance: Entrance
):
    who = await instance.person(role="operator")
    for locale, provider_field, words in (
        ("en", "Provider", "stand in the answer"),
        ("zh-CN", "供应商", "思考内容位于"),
    ):
        visitor = await entrance.visitor(locale=locale)
        page = visitor.page
        await visitor.sign_in(who, at=f"{CHANNELS}/new", then=f"**{CHANNELS}/new")
        await page.get_by_label(provider_field, exact=True).select_option("minimax")
        note = page.locator("p").filter(has_text=words)
        await expect(note.locator("code").filter(has_text="<think>")).to_have_text("<think>")
        await expect(note).not_to_contain_text("`")
        await visitor.looks_right(f"a vendor's notes in {locale}")
        await page.set_viewport_size({"width": 375, "height": 812})
        await visitor.stays_within(f"a vendor's notes on a phone in {locale}")
