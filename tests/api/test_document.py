"""The OpenAPI documents say what is served, no more and no less."""

import asyncio
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import msgspec
import pytest

from airouter.api.callers import PROVIDERS as CALLERS
from airouter.api.callers import STRANGERS
from airouter.api.management import management
from airouter.api.openapi import management_document, operations
from airouter.api.public.documents import Documents
from airouter.app import openapi_documents
from airouter.domain.permission import PERMISSIONS
from tests.builders import signed_in
from tests.patience import PATIENCE_SECONDS

COMMITTED = Path(__file__).parents[2] / "openapi"
OPTIONAL_IN_THE_CONTRACT = {"ListedModel": {"tiers"}}
AT_HOME = {
    "key_id": "018f0000-0000-7000-8000-000000000000",
    "topic": "limits",
}
DOCUMENT = management_document()
OPERATIONS = operations(DOCUMENT)
NAMES = [f"{method} {path}" for path, method, _ in OPERATIONS]


@pytest.mark.parametrize("name", ["management.json", "gateway.json"])
def test_the_committed_document_is_the_generated_one(name: str) -> None:
    assert (COMMITTED / name).read_bytes() == openapi_documents()[name], "run `make openapi`"


async def test_the_served_documents_are_the_committed_ones(client: httpx.AsyncClient) -> None:
    for address, name in (("/openapi.json", "management.json"), ("/openapi/gateway.json", "gateway.json")):
        answer = await client.get(address)
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.content == (COMMITTED / name).read_bytes()


async def test_a_document_in_the_making_holds_up_nobody(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, others_answered = Event(), Event()

    def make(_documents: Documents, _name: str) -> bytes:
        begun.set()
        return b"made" if others_answered.wait(PATIENCE_SECONDS) else b"everybody waited"

    monkeypatch.setattr(Documents, "get", make)
    asked = asyncio.create_task(client.get("/openapi.json"))
    await asyncio.to_thread(begun.wait)
    assert (await client.get("/healthz")).status_code == 200
    others_answered.set()
    assert (await asked).content == b"made"


def test_the_routes_of_the_server_are_those_of_the_document() -> None:
    app = management(lambda: None)  # type: ignore[arg-type, return-value]
    served = {
        f"{method.lower()} {route.path_format}"
        for route in app.routes
        for method in route.methods  # type: ignore[union-attr]
        if method != "OPTIONS"
    }
    assert served == set(NAMES)


def test_every_handler_says_who_may_call() -> None:
    app = management(lambda: None)  # type: ignore[arg-type, return-value]
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            if "OPTIONS" not in handler.http_methods:
                callers = CALLERS.keys() & handler.parsed_fn_signature.parameters.keys()
                assert len(callers) == 1, handler


def test_every_handler_needs_a_permission_of_its_kind_or_is_for_everybody() -> None:
    """One that is misspelt, or of another kind than who calls, guards nothing."""
    app = management(lambda: None)  # type: ignore[arg-type, return-value]
    kinds = {"person": {"person"}, "holder": {"person", "account"}, "operator": {"instance"}, "owner": {"instance"}}
    wrong = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            if "OPTIONS" in handler.http_methods:
                continue
            [caller] = CALLERS.keys() & handler.parsed_fn_signature.parameters.keys()
            name = handler.opt.get("permission")
            if caller in STRANGERS:
                fits = name is None
            else:
                fits = name in PERMISSIONS and PERMISSIONS[name].kind in kinds[caller]
            if not fits:
                wrong.append(f"{route.path_format} {sorted(handler.http_methods)}: {caller} with {name}")
    assert not wrong, "\n".join(wrong)


def test_the_document_says_what_every_operation_needs() -> None:
    for name, (_, _, operation) in zip(NAMES, OPERATIONS, strict=True):
        if operation["security"]:
            assert f"`{operation['x-permission']}`" in operation["responses"]["403"]["description"], name


def test_operation_ids_are_unique_and_every_operation_is_described() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
    for name, (_, _, operation) in zip(NAMES, OPERATIONS, strict=True):
        assert operation["summary"], name
        assert operation["tags"], name
        assert set(operation["tags"]) <= {tag["name"] for tag in DOCUMENT["tags"]}, name


def test_fields_of_answers_are_never_optional() -> None:
    """A default would turn the TypeScript field optional. What is also sent, such as a policy, has defaults."""
    asked = {_ref(o["requestBody"]) for _, _, o in OPERATIONS if "requestBody" in o}
    answered = {_ref(response) for _, _, o in OPERATIONS for response in o["responses"].values()}
    for name in _reachable(answered) - _reachable(asked):
        schema = DOCUMENT["components"]["schemas"][name]
        optional = set(schema.get("properties", {})) - set(schema.get("required", []))
        assert optional == OPTIONAL_IN_THE_CONTRACT.get(name, set()), name


async def test_a_stranger_is_refused_everywhere_but_where_the_document_says(client: httpx.AsyncClient) -> None:
    tokens = ({}, {"authorization": "Bearer nonsense"}, {"idempotency-key": "k", "authorization": "Bearer x"})
    for name in [n for n, (_, _, o) in zip(NAMES, OPERATIONS, strict=True) if o["security"]]:
        method, path = _filled(name)
        for headers in tokens:
            for body in (None, b"{}", b"not json"):
                sent = {"content-type": "application/json", **headers}
                answer = await client.request(method, path, headers=sent, content=body)
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), (name, body)
                assert answer.headers["content-type"] == "application/problem+json", name
                assert answer.json()["request_id"] == answer.headers["x-request-id"], name


async def test_somebody_without_the_role_is_refused_at_every_address_of_operators(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        for name in [n for n, (_, _, o) in zip(NAMES, OPERATIONS, strict=True) if "/admin/" in n and o["security"]]:
            method, path = _filled(name)
            for body in (None, b"{}", b"not json"):
                answer = await ada.client.request(
                    method, path, headers={"content-type": "application/json"}, content=body
                )
                assert (answer.status_code, answer.json()["code"]) == (403, "role_required"), (name, body)


async def test_a_wrong_method_is_refused_in_the_shape_of_its_address(client: httpx.AsyncClient) -> None:
    for name in NAMES:
        _, path = _filled(name)
        answer = await client.request("TRACE", path)
        assert answer.status_code == 405, name
        assert answer.headers["content-type"] == "application/problem+json", name
        assert answer.json()["code"] == "method_not_allowed", name
        assert name.partition(" ")[0].upper() in answer.headers["allow"], name


def _filled(name: str) -> tuple[str, str]:
    method, _, path = name.partition(" ")
    while "{" in path:
        before, _, rest = path.partition("{")
        parameter, _, after = rest.partition("}")
        path = before + AT_HOME.get(parameter, AT_HOME["key_id"]) + after
    return method.upper(), path


def _ref(body: Any) -> str:
    found = [content.get("schema", {}).get("$ref", "") for content in body.get("content", {}).values()]
    return found[0].rpartition("/")[2] if found else ""


def _reachable(names: set[str]) -> set[str]:
    """Those schemas, and all that they are made of."""
    found: set[str] = set()
    waiting = names - {""}
    while waiting:
        name = waiting.pop()
        found.add(name)
        text = msgspec.json.encode(DOCUMENT["components"]["schemas"][name]).decode()
        refs = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
        waiting |= refs - found
    return found
