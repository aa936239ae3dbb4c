"""Console and API at two addresses of one site, as two processes of their own: `airouter serve`, `airouter console`."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.journeys.instance import Instance, served_apart, started
from tests.journeys.visitor import Entrance, Visitor
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.asyncio(loop_scope="package")


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """Where the two are."""

    api_url: str
    console_url: str


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def instance() -> AsyncIterator[Instance]:
    """As somebody gets it who configures nothing, with the Postgres that it brings."""
    async with started() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def apart(instance: Instance) -> AsyncIterator[Apart]:
    """To be asked for before the entrance: it outlives the visitors, whose pages go on asking."""
    async with served_apart(instance, "127.0.0.1") as (api_url, console_url):
        yield Apart(api_url=api_url, console_url=console_url)


async def test_console_and_api_on_two_ports(instance: Instance, apart: Apart, entrance: Entrance):
    visitor = await entrance.visitor()
    visitor.home = apart.console_url
    await visitor.sign_in(await instance.person(quota=3 * 10**9))
    await visitor.page.reload()
    await visitor.settled()
    await expect(visitor.page).to_have_url(f"{apart.console_url}/console")
    await visitor.has_balance(3 * 10**9)
    key = await make_key(visitor)
    await call_from_the_page(visitor, apart, key)
    await check_cors(apart, key)
    await both_nodes_follow(visitor, instance, apart, key)


async def make_key(visitor: Visitor) -> str:
    await visitor.visit("API keys")
    await visitor.button("New key").first.click()
    await visitor.dialog.get_by_label("Name").fill("Two ports")
    await visitor.dialog.get_by_role("button", name="Create key").click()
    key = await visitor.page.get_by_test_id("new-key").inner_text()
    await visitor.dialog.get_by_role("group", name="Copy as").get_by_role("button", name="curl").click()
    await expect(visitor.dialog.get_by_role("figure", name="curl")).to_contain_text("/v1/chat/completions")
    await visitor.dialog.get_by_label("I have stored this key").check()
    await visitor.dialog.get_by_role("button", name="Done").click()
    await expect(visitor.page.get_by_role("row", name="Two ports")).to_be_visible()
    return key


async def call_from_the_page(visitor: Visitor, apart: Apart, key: str) -> None:
    """A script of the console's page reaches the doors at the other address, and reads the request id."""
    said = await visitor.page.evaluate(
        """async ([url, key]) => {
          const answer = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
          return { status: answer.status, id: answer.headers.get("x-request-id") }
        }""",
        [apart.api_url, key],
    )
    assert said["status"] == 200
    assert said["id"]


async def check_cors(apart: Apart, key: str) -> None:
    """Who may read what: the console the management API, with its cookie; everybody the doors, without."""
    async with httpx.AsyncClient(base_url=apart.api_url, timeout=PATIENCE_SECONDS) as client:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        ours = await client.options("/api/v1/keys", headers={**asked, "origin": apart.console_url})
        assert ours.headers["access-control-allow-origin"] == apart.console_url
        assert ours.headers["access-control-allow-credentials"] == "true"
        for origin in ("https://evil.example", apart.console_url.replace("127.0.0.1", "localhost"), "null"):
            theirs = await client.options("/api/v1/keys", headers={**asked, "origin": origin})
            assert "access-control-allow-origin" not in theirs.headers, origin
            refresh = await client.post("/api/v1/auth/refresh", headers={"origin": origin})
            assert (refresh.status_code, refresh.json()["code"]) == (403, "origin_not_allowed"), origin
        door = await client.get(
            "/v1/models", headers={"origin": "https://any.example", "authorization": f"Bearer {key}"}
        )
        assert door.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in door.headers
        assert (await client.get("/console")).status_code == 404
        elsewhere = await client.get(f"{apart.console_url}/api/v1/status")
        assert elsewhere.status_code == 421


async def both_nodes_follow(visitor: Visitor, instance: Instance, apart: Apart, key: str) -> None:
    """What is turned off at one node is refused by the other."""
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS) as client:
        for url in (apart.api_url, instance.console_url):
            assert (await client.get(f"{url}/v1/models")).status_code == 200
        await visitor.page.get_by_role("row", name="Two ports").get_by_role("button", name="Actions for").click()
        await visitor.page.get_by_role("menuitem", name="Turn off").click()
        await visitor.hears("Two ports is off")

        async def is_refused_everywhere() -> bool:
            answers = [await client.get(f"{url}/v1/models") for url in (apart.api_url, instance.console_url)]
            return all(answer.status_code == 401 for answer in answers)

        await until(is_refused_everywhere)
