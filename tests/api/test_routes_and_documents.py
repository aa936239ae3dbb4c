"""A running server and the two documents name the same routes: none is missing on either side.

tests/api/test_document.py holds what the management document says about its own routes; here the whole application is
asked, with its doors, over a socket.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from airouter.api.doors.kept import KEPT
from airouter.api.openapi import operations
from airouter.api.public.reference import PAGE as REFERENCE_PAGE
from airouter.gateway.door import BY_PATH, DOORS, spellings
from airouter.payments.demo import PAGE as DEMO_PAGE
from tests.live import Live, serving

ROOT = Path(__file__).parents[2]
GATEWAY = json.loads((ROOT / "openapi" / "gateway.json").read_text())
MANAGEMENT = json.loads((ROOT / "openapi" / "management.json").read_text())
PARAMETER = {"{model}": "no/such:model", "{topic}": "limits"}
PLAIN_MODEL = {**PARAMETER, "{model}": "no/such-model"}
"""What follows a colon may be a verb of Google's, and a POST to an unknown one is 404."""
OLDER = ("/dashboard/billing/", "/api/usage/token", "/api/status", "/api/pricing", "/api/user/self", "/api/token")
"""What tools made for older gateways ask for."""
GEMINI = "/v1beta/models"
PREVIEW_GEMINI = "/v1alpha/models"
NEWER_GEMINI = {f"{path}/{{model}}" for path in spellings("/v1/models")}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(params=["hot", "asgi"])
async def live(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Live]:
    async with serving(database, tmp_path, hot=request.param == "hot") as running:
        yield running


def routes_of(live: Live) -> set[tuple[str, str]]:
    """(method, path) of everything the application's router knows; doors say their methods themselves."""
    layer: Any = live.app._layers
    while not hasattr(layer, "routes"):
        layer = layer._app
    found = set()
    for route in layer.routes:
        methods = set(getattr(route, "methods", ())) - {"OPTIONS"}
        if route.path == "/" and methods == {"HEAD"}:  # is anybody there?
            continue
        if route.path == PREVIEW_GEMINI or route.path.startswith(REFERENCE_PAGE):  # the same doors; a page, no API
            continue
        known = BY_PATH.get(route.path.encode())
        if route.path == GEMINI:  # one way in for a list, a model and the doors; a second one for newer clients
            found |= {("POST", door.path) for door in DOORS if door.dialect == "gemini"}
            found |= {("GET", GEMINI), ("GET", GEMINI + "/{model}")}
        elif route.path_format in NEWER_GEMINI:
            found |= {(method, route.path_format) for method in methods - {"POST"}}
        else:
            found |= {(method, route.path_format) for method in methods or {known.door.method if known else "?"}}
    return found


def documented() -> set[tuple[str, str]]:
    return {(m.upper(), path) for document in (GATEWAY, MANAGEMENT) for path, m, _ in operations(document)}


def to_ask(request: pytest.FixtureRequest) -> list[tuple[str, str]]:
    """What to ask over a socket: the way of the hot route differs at the doors only."""
    is_hot = request.node.callspec.params["live"] == "hot"
    return sorted((method, path) for method, path in documented() if not is_hot or path in GATEWAY["paths"])


def filled(path: str, values: dict[str, str] = PARAMETER) -> str:
    for name, value in values.items():
        path = path.replace(name, value)
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + "018f0000-0000-7000-8000-000000000000" + rest.partition("}")[2]
    return path


async def test_every_route_of_the_server_is_in_a_document(live: Live):
    """Other spellings of a door are the same door: `/chat/completions`, `/v1/v1/…`."""
    aliases = {spelling for _, path in documented() if path.startswith("/v1/") for spelling in spellings(path)}
    undocumented = {(method, path) for method, path in routes_of(live) - documented() if path not in aliases}
    # The page of the demo's pretended payment company is none of our API, and in demo mode only; the addresses of
    # older tools are theirs, and the operator's guide lists them.
    told = (ROOT / "docs" / "operate" / "compatibility.md").read_text()
    elsewhere = {path for _, path in undocumented if path.startswith(DEMO_PAGE) or any(old in path for old in OLDER)}
    assert all(old in told for old in OLDER)
    assert {(method, path) for method, path in undocumented if path not in elsewhere} == set()


async def test_every_operation_of_the_documents_is_answered(live: Live, request: pytest.FixtureRequest):
    """Whoever comes without a key or a token is refused, or served where anybody is; but there is something there."""
    assert documented() - routes_of(live) == set()
    async with httpx.AsyncClient(base_url=live.url) as client:
        for method, path in to_ask(request):
            answer = await client.request(method, filled(path))
            assert answer.status_code != 405, (method, path)
            assert answer.status_code < 500, (method, path, answer.text)
            if answer.status_code == 404:  # for strangers there may be nothing, where nothing is asked of them
                operation = MANAGEMENT["paths"][path][method.lower()]
                assert "x-permission" not in operation, (method, path, answer.text)
                assert "404" in operation["responses"], (method, path, answer.text)


async def test_other_methods_are_refused_and_told_which_are_right(live: Live, request: pytest.FixtureRequest):
    by_path: dict[str, set[str]] = {}
    for method, path in to_ask(request):
        by_path.setdefault(path, set()).add(method)
    async with httpx.AsyncClient(base_url=live.url) as client:
        for path, methods in sorted(by_path.items()):
            for method in sorted(METHODS - methods):
                answer = await client.request(method, filled(path, PLAIN_MODEL))
                assert answer.status_code == 405, (method, path, answer.status_code)
                assert methods <= {name.strip() for name in answer.headers["allow"].split(",")}, (method, path)
                shape = "application/json" if path.startswith("/v1") else "application/problem+json"
                assert answer.headers["content-type"] == shape, (method, path)


async def test_doors_ask_for_a_key_as_the_document_says(live: Live):
    assert GATEWAY["security"] == [{"key": []}]
    async with httpx.AsyncClient(base_url=live.url) as client:
        for path, method, operation in operations(GATEWAY):
            answer = await client.request(method.upper(), filled(path), json={} if method == "post" else None)
            assert answer.status_code == 401, path
            code = 401 if path.startswith("/v1beta") else None if path.startswith("/v1/messages") else "invalid_api_key"
            assert answer.json()["error"].get("code") == code, path
            assert "401" in operation["responses"], path


async def test_the_documents_are_served_to_browsers_of_any_origin(live: Live):
    async with httpx.AsyncClient(base_url=live.url, headers={"origin": "https://docs.example.com"}) as client:
        for address, document in (("/openapi.json", MANAGEMENT), ("/openapi/gateway.json", GATEWAY)):
            answer = await client.get(address)
            assert answer.json() == document
            assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("document", [GATEWAY, MANAGEMENT], ids=["gateway", "management"])
def test_references_lead_somewhere_and_every_schema_is_used(document: dict[str, Any]):
    text = json.dumps(document)
    for kind, names in document["components"].items():
        for name in names if kind == "schemas" else ():
            assert f'"#/components/schemas/{name}"' in text, f"{name} is not used"
    for part in text.split('"$ref": "')[1:]:
        at: Any = document
        for step in part.partition('"')[0].removeprefix("#/").split("/"):
            at = at[step]


def test_the_doors_of_the_document_are_those_of_the_table():
    paths = {path for method, path in documented() if path.startswith("/v1") and method == "POST"}
    assert paths == {door.path for door in DOORS} | {address.path for address in KEPT if address.method == "POST"}
