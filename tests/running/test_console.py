"""The console's files: one page for every address that is not the API's, cached as their names allow."""

import gzip
import json
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from airouter.running.console import API_SEGMENTS, ConsoleFiles, api_base

PAGE = "<!doctype html><title>console</title>" + "x" * 2000


async def api(_scope: object, _receive: object, send: Callable[[MutableMapping[str, Any]], Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"the API"})


@pytest.fixture
def build(tmp_path: Path) -> Path:
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dist" / "index.html").write_text(PAGE)
    (tmp_path / "dist" / "assets" / "index-abc123.js").write_text("console.log(1)")
    (tmp_path / "dist" / ".made-from.json").write_text("{}")
    (tmp_path / "secret.txt").write_text("outside")
    return tmp_path / "dist"


def client(build: Path, *, base: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(ConsoleFiles(api, build, base=base))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://console")


@pytest.mark.parametrize("path", ["/", "/pricing", "/console/usage?model=a%2Fb", "/docs", "/apiary", "/v1x", "/models"])
async def test_every_other_address_is_the_page_and_never_cached(build: Path, path: str) -> None:
    answer = await client(build).get(path)
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["cache-control"] == "no-cache"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("segment", sorted(API_SEGMENTS))
async def test_the_apis_addresses_are_passed_on(build: Path, segment: str) -> None:
    assert (await client(build).get(f"/{segment}")).status_code == 418
    assert (await client(build).get(f"/{segment}/x")).status_code == 418


async def test_anything_but_reading_is_for_the_api(build: Path) -> None:
    assert (await client(build).post("/chat/completions")).status_code == 418


@pytest.mark.parametrize(
    "headers", [{"authorization": "Bearer sk-air-x"}, {"x-api-key": "sk-air-x"}, {"x-goog-api-key": "sk-air-x"}]
)
async def test_whoever_brings_a_key_asks_the_api_and_not_for_a_page(build: Path, headers: dict[str, str]) -> None:
    for path in ("/models", "/responses/resp_1", "/dashboard/billing/usage"):
        assert (await client(build).get(path, headers=headers)).status_code == 418
    behind_a_password = {"authorization": "Basic dXNlcjpwYXNz"}
    assert (await client(build).get("/models", headers=behind_a_password)).text == PAGE


async def test_files_with_a_hash_in_their_name_are_kept_for_ever(build: Path) -> None:
    answer = await client(build).get("/assets/index-abc123.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("application/javascript")


async def test_a_missing_asset_is_missing_and_not_the_page(build: Path) -> None:
    assert (await client(build).get("/assets/old.js")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/.made-from.json"]
)
async def test_no_file_outside_the_build_and_no_hidden_one_is_served(build: Path, path: str) -> None:
    answer = await client(build).get(path)
    assert "outside" not in answer.text
    assert answer.text == PAGE


async def test_a_page_already_known_is_not_sent_again(build: Path) -> None:
    first = await client(build).get("/")
    again = await client(build).get("/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_page_is_compressed_for_who_can_read_that(build: Path) -> None:
    async with client(build).stream("GET", "/", headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert gzip.decompress(raw).decode() == PAGE
    plain = await client(build).get("/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


async def test_head_has_the_headers_and_no_body(build: Path) -> None:
    answer = await client(build).head("/")
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


async def test_config_and_policy_name_the_same_api(build: Path) -> None:
    base = api_base("http://127.0.0.1:8080", "http://127.0.0.1:5173")
    async with client(build, base=base) as opened:
        assert (await opened.get("/config.json")).json() == {"api_base": "http://127.0.0.1:8080"}
        assert "connect-src 'self' http://127.0.0.1:8080;" in (await opened.get("/")).headers["content-security-policy"]


async def test_on_one_origin_the_console_needs_no_address(build: Path) -> None:
    base = api_base("https://ai.example.com", "https://ai.example.com")
    answer = await client(build, base=base).get("/config.json")
    assert json.loads(answer.content) == {"api_base": ""}


async def test_a_console_that_was_not_built_says_how(tmp_path: Path) -> None:
    assert "npm" in (await client(tmp_path / "nothing").get("/")).text
