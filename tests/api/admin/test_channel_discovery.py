"""The provider's models: asked in its own way, page by page, told in words when it refuses."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from airouter.providers.listing import UNLISTED, NoList, listing_of
from airouter.providers.registry import PROVIDERS
from tests.builders import priced_model
from tests.patience import until
from tests.upstream.server import Line, running

CHANNELS = "/api/v1/admin/channels"
GEMINI_PAGE = b"""{"models": [
  {"name": "models/a", "supportedGenerationMethods": ["embedContent"]},
  {"name": "models/b", "supportedGenerationMethods": ["bidiGenerateContent"]},
  {"name": "models/c"}
], "nextPageToken": "t"}"""
SECRET = "sk-very-secret-provider-key-1234"


def answering(body: Callable[[str], Any], status: int = 200) -> Callable[[Line], Any]:
    """Answers with what `body` makes of the path."""

    async def script(line: Line) -> None:
        path = line.received.line.split(" ")[1]
        said = msgspec.json.encode(body(path))
        await line.raw(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(said), said))

    return script


async def discovered(operator: httpx.AsyncClient, address: str, draft: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer, once the process has heard that private addresses are allowed."""
    put = await operator.put("/api/v1/admin/policies/network", json={"allow_private": True})
    assert put.status_code == 200, put.text
    found: dict[str, Any] = {}

    async def was_asked() -> bool:
        answer = await operator.post(address, json=draft)
        assert answer.status_code == 200, answer.text
        found.update(answer.json())
        return "forbid" not in (found["error"] or "") and "address" not in (found["error"] or "")

    await until(was_asked)
    return found


async def test_a_channels_models_are_told_with_what_is_known_of_each(
    operator: httpx.AsyncClient, database: str
) -> None:
    await priced_model(database, "gpt-b")
    await operator.post("/api/v1/admin/models", json={"model": "gpt-c"})
    models = {"data": [{"id": name} for name in ("gpt-a", "gpt-b", "gpt-c", "gpt-b")]}
    async with running(answering(lambda _: models)) as upstream:
        channel = {
            "name": "c", "provider": "openai-compatible", "base_url": f"http://127.0.0.1:{upstream.port}/v1",
            "credentials": [SECRET], "models": {"mine": "gpt-a", "also": "gpt-a"},
        }  # fmt: skip
        await operator.put("/api/v1/admin/policies/network", json={"allow_private": True})
        made = (await operator.post(CHANNELS, json=channel)).json()
        found = await discovered(operator, f"{CHANNELS}/{made['id']}/discover")
        asked = upstream.received[-1]
    assert asked.line.startswith("GET /v1/models ")
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert (found["error"], found["is_complete"]) == (None, True)
    assert found["models"] == [
        {"name": "gpt-a", "served_as": ["also", "mine"], "is_model": False, "is_priced": False},
        {"name": "gpt-b", "served_as": [], "is_model": True, "is_priced": True},
        {"name": "gpt-c", "served_as": [], "is_model": True, "is_priced": False},
    ]


async def test_a_draft_is_asked_in_the_vendors_way_until_the_last_page(operator: httpx.AsyncClient) -> None:
    def page(path: str) -> Any:
        if "after_id" in path:
            return {"data": [{"id": "claude-2"}], "has_more": False, "last_id": "claude-2"}
        return {"data": [{"id": "claude-1"}], "has_more": True, "last_id": "claude-1"}

    async with running(answering(page)) as upstream:
        draft = {
            "provider": "anthropic",
            "base_url": f"http://127.0.0.1:{upstream.port}",
            "credential": SECRET,
        }
        await operator.put("/api/v1/admin/policies/network", json={"allow_private": True})
        found = await discovered(operator, f"{CHANNELS}/discover", draft)
        asked = upstream.received
    assert [one["name"] for one in found["models"]] == ["claude-1", "claude-2"]
    assert asked[-1].line.startswith("GET /v1/models?limit=1000&after_id=claude-1 ")
    assert asked[-1].headers["x-api-key"] == SECRET


async def test_a_refusal_and_a_page_of_text_are_told_in_words_without_the_secret(operator: httpx.AsyncClient) -> None:
    refusal = {"error": {"message": f"Wrong key {SECRET}."}}
    async with running(answering(lambda _: refusal, status=401)) as upstream:
        draft = {
            "provider": "openai-compatible",
            "base_url": f"http://127.0.0.1:{upstream.port}/v1",
            "credential": SECRET,
        }
        await operator.put("/api/v1/admin/policies/network", json={"allow_private": True})
        found = await discovered(operator, f"{CHANNELS}/discover", draft)
        assert found == {
            "models": [], "is_complete": False, "error": "The upstream answered with status 401: Wrong key ….",
        }  # fmt: skip
        upstream.script = answering(lambda _: "hello")
        found = (await operator.post(f"{CHANNELS}/discover", json=draft)).json()
        assert found["error"].startswith("What the provider answered is no list of models.")


async def test_a_draft_is_asked_through_the_proxy_that_it_names(operator: httpx.AsyncClient) -> None:
    async with running(answering(lambda _: {"data": [{"id": "far"}]})) as proxy:
        draft = {
            "provider": "openai-compatible",
            "base_url": "http://8.8.8.8:81/v1",
            "proxy": f"http://router:hush-hush@127.0.0.1:{proxy.port}",
        }
        await operator.put("/api/v1/admin/policies/network", json={"allow_private": True})
        found = await discovered(operator, f"{CHANNELS}/discover", draft)
        asked = proxy.received[0]
    assert [one["name"] for one in found["models"]] == ["far"]
    assert asked.line.startswith("GET http://8.8.8.8:81/v1/models ")
    assert asked.headers["proxy-authorization"].startswith("Basic ")


async def test_a_draft_that_cannot_be_a_channel_is_refused_by_field(operator: httpx.AsyncClient) -> None:
    for draft, field in [
        ({"provider": "skynet", "base_url": "https://api.example.com/v1"}, "provider"),
        ({"provider": "openai", "base_url": "http://169.254.169.254/"}, "base_url"),
        ({"provider": "openai", "base_url": ""}, "base_url"),
        ({"provider": "openai", "base_url": "https://api.example.com/v1", "proxy": "http://169.254.169.254"}, "proxy"),
    ]:
        answer = await operator.post(f"{CHANNELS}/discover", json=draft)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


async def test_a_provider_without_a_list_says_so(operator: httpx.AsyncClient) -> None:
    found = (await operator.post(f"{CHANNELS}/discover", json={"provider": "scripted"})).json()
    assert found == {"models": [], "is_complete": False, "error": UNLISTED["scripted"]}


@pytest.mark.parametrize(
    ("provider", "body", "names", "after"),
    [
        ("openai", b'{"data":[{"id":"a"},{"id":"a"},{"id":""},{"object":"x"},"b"]}', ("a", "b"), None),
        ("together", b'[{"id":"a"},{"id":"b"}]', ("a", "b"), None),
        ("anthropic", b'{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}', ("a",), "a"),
        (
            "gemini",
            GEMINI_PAGE,
            ("a", "c"),
            "t",
        ),
    ],
)
def test_each_vendors_list_reads_as_names(
    provider: str, body: bytes, names: tuple[str, ...], after: str | None
) -> None:
    listing = listing_of(provider)
    assert listing is not None
    listed = listing.read(body)
    assert (listed.names, listed.after) == (names, after)
    for text in (b"<html>", b"{}", b'{"data": 1}', b"[" * 100_000):
        with pytest.raises(NoList):
            listing.read(text)


def test_every_provider_has_a_list_or_says_why_it_has_none() -> None:
    for provider in PROVIDERS:
        assert (listing_of(provider) is None) == (provider in UNLISTED), provider
