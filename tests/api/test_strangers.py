"""Every route of the document, asked by those who should get nothing out of it, and sent what cannot be meant.

tests/api/test_document.py asks them all without a token and without the role; here come forged tokens, other people's
objects, and wrong types.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import jwt
import msgspec
import pytest

from airouter.api.openapi import management_document, operations
from tests.builders import Signed, api_key, grant, priced_model, signed_in, spend

DOCUMENT = management_document()
PROBLEM = {"type", "title", "status", "detail", "code", "request_id"}
UNHEARD_OF = "018f0000-0000-7000-8000-000000000000"


class Route(msgspec.Struct, frozen=True):
    """One operation of the document."""

    method: str
    path: str
    operation: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_open(self) -> bool:
        """Whether strangers are let in."""
        return not self.operation["security"]

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return self.operation.get("parameters", [])

    @property
    def body(self) -> dict[str, Any] | None:
        """The schema of what is sent."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return resolved(content["application/json"]["schema"]) if content else None

    def at(self, **objects: str) -> str:
        """The address, with those objects in their places and unknown ones in the others."""
        return self.path.format_map(Places(objects))

    def at_home(self, who: Signed) -> str:
        """The same in one's own account, where the address names an account that one has to belong to."""
        at_home = {"account_id": str(who.account_id)} if self.path.startswith("/api/v1/accounts/") else {}
        return self.at(**at_home)


class Places(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return {"topic": "limits", "model": "no/such:model", "name": "nobody"}.get(name, UNHEARD_OF)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


ROUTES = [
    Route(method.upper(), path, operation)
    for path, method, operation in operations(DOCUMENT)
    if path.startswith("/api/v1/")
]
GUARDED = [route for route in ROUTES if not route.is_open]


def check_problem(answer: httpx.Response, status: int, code: str | None = None) -> None:
    told = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    assert answer.status_code == status, told
    assert answer.headers["content-type"] == "application/problem+json", told
    body = answer.json()
    assert body.keys() >= PROBLEM, told
    assert body["status"] == status, told
    assert body["request_id"] == answer.headers["x-request-id"], told
    assert code is None or body["code"] == code, told


# -- forged tokens -----------------------------------------------------------------------------------------------------


def forged(real: str) -> Iterator[tuple[str, str]]:
    """(what it is, the Authorization header) of everything that is not the token of a session."""
    head, claims, signature = real.split(".")
    said = jwt.decode(real, options={"verify_signature": False})
    header = jwt.get_unverified_header(real)
    unsigned = base64.urlsafe_b64encode(json.dumps({**header, "alg": "none"}).encode()).rstrip(b"=").decode()
    yield "no token", "Bearer"
    yield "nothing", ""
    yield "another scheme", f"Basic {base64.b64encode(b'operator:password').decode()}"
    yield "an API key", "Bearer sk-air-0123456789abcdefghijklmnopqrstuvwxyz"
    yield "no signature", f"Bearer {head}.{claims}."
    yield "another's signature", f"Bearer {head}.{claims}.{signature[:-4]}AAAA"
    yield "the algorithm none", f"Bearer {unsigned}.{claims}."
    yield "a key of one's own", f"Bearer {jwt.encode(said, 'x' * 32, algorithm=header['alg'], headers=header)}"
    yield "a key id that leads elsewhere", f"Bearer {jwt.encode(said, 'x' * 32, 'HS256', headers={'kid': '../../x'})}"
    yield "a token in a token", f"Bearer {real} {real}"
    yield "bytes", "Bearer \xff\xfe"


async def test_a_forged_token_opens_nothing(app: Any, database: str, client: httpx.AsyncClient):
    async with signed_in(app, database, role="owner") as owner:
        for _, header in forged(owner.access_token):
            for route in GUARDED:
                headers = {"authorization": header.encode("latin-1"), "content-type": "application/json"}
                answer = await client.request(route.method, route.at(), headers=headers, content=b"{}")
                check_problem(answer, 401, "unauthenticated")


async def test_an_ended_session_opens_nothing(app: Any, database: str, client: httpx.AsyncClient):
    async with signed_in(app, database, role="owner") as owner:
        assert (await owner.client.post("/api/v1/auth/logout")).status_code == 204
        for route in GUARDED:
            answer = await owner.client.request(route.method, route.at(), json={})
            check_problem(answer, 401)
            assert answer.json()["code"] in {"unauthenticated", "session_expired"}


async def test_a_bad_token_is_refused_even_where_none_is_needed(client: httpx.AsyncClient):
    """Somebody who sends one means to be somebody; the public answer would be a wrong one."""
    for path in ("/api/v1/pricing", "/api/v1/pricing?group=vip"):
        answer = await client.get(path, headers={"authorization": "Bearer nonsense"})
        check_problem(answer, 401, "unauthenticated")


# -- other people's objects --------------------------------------------------------------------------------------------


class Belongings(msgspec.Struct, frozen=True):
    """What somebody has."""

    who: Signed
    objects: dict[str, str]


async def settle_in(who: Signed, database: str) -> Belongings:
    """A key, a call with its cost, and a session."""
    await who.client.post("/api/v1/keys", json={"name": "mine"})
    key_id = await api_key(database, who.account_id)
    card = await priced_model(database, f"model-of-{who.user_id}")
    await grant(database, who.account_id, 10**10)
    request_id = await spend(database, key_id, card, model=f"model-of-{who.user_id}")
    [session] = (await who.client.get("/api/v1/me/sessions")).json()["items"]
    return Belongings(who, {"key_id": str(key_id), "request_id": str(request_id), "session_id": session["id"]})


async def test_what_belongs_to_another_account_is_not_there(app: Any, database: str):
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        his = await settle_in(bob, database)
        tried = [r for r in GUARDED if "{" in r.path and "/admin/" not in r.path]
        assert {name for r in tried for name in his.objects if f"{{{name}}}" in r.path} == set(his.objects)
        for route in tried:
            answer = await ada.client.request(route.method, route.at(**his.objects), json=sensible(route))
            check_problem(answer, 404, "not_found")
        assert (await bob.client.get(f"/api/v1/keys/{his.objects['key_id']}")).json()["name"] == "test"
        assert (await bob.client.get("/api/v1/me")).status_code == 200


async def test_nobody_works_in_an_account_that_is_not_theirs(app: Any, database: str):
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        his = await settle_in(bob, database)
        routes = [r for r in GUARDED if any(p["name"] == "X-Account-Id" for p in r.parameters)]
        assert len(routes) > 12
        for route in routes:
            for account in (str(bob.account_id), str(uuid4())):
                answer = await ada.client.request(
                    route.method,
                    route.at(**his.objects),
                    headers={"x-account-id": account},
                    json=sensible(route),
                )
                check_problem(answer, 404, "not_found")


async def test_an_operator_has_no_seat_in_other_accounts_either(app: Any, database: str):
    """They read everybody's usage below /admin; the holder's own addresses stay the holder's."""
    async with signed_in(app, database, role="operator") as operator, signed_in(app, database) as bob:
        his = await settle_in(bob, database)
        for path in (f"/api/v1/usage/{his.objects['request_id']}", f"/api/v1/keys/{his.objects['key_id']}"):
            check_problem(await operator.client.get(path), 404, "not_found")
            answer = await operator.client.get(path, headers={"x-account-id": str(bob.account_id)})
            check_problem(answer, 404, "not_found")


async def test_lists_sums_and_exports_hold_only_ones_own(app: Any, database: str):
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        his = await settle_in(bob, database)
        narrowed = {"key_id": his.objects["key_id"], "model": f"model-of-{bob.user_id}"}
        for params in ({}, narrowed, {"model": narrowed["model"]}, {"key_id": narrowed["key_id"]}):
            assert (await ada.client.get("/api/v1/usage", params=params)).json()["items"] == []
            for group_by in ("day", "hour", "model", "key"):
                summary = await ada.client.get("/api/v1/usage/summary", params={**params, "group_by": group_by})
                assert summary.json()["items"] == []
            made = await ada.client.post("/api/v1/usage/exports", json=params)
            assert made.status_code == 201, made.text
            rows = (await ada.client.get(made.json()["url"])).text.strip().splitlines()
            assert len(rows) == 1, "an export of nothing is its head"
        assert (await ada.client.get("/api/v1/keys")).json()["items"] == []
        assert (await ada.client.get("/api/v1/wallet")).json()["balance"] == 0
        assert (await ada.client.get("/api/v1/wallet/transfers")).json()["items"] == []
        assert (await ada.client.get("/api/v1/wallet/transfers?kind=usage")).json()["items"] == []
        for text in (str(bob.user_id), bob.email, his.objects["session_id"]):
            assert text not in (await ada.client.get("/api/v1/me/sessions")).text
        [theirs] = (await bob.client.get("/api/v1/usage")).json()["items"]
        assert theirs["request_id"] == his.objects["request_id"]


async def test_another_accounts_cursor_leads_nowhere_new(app: Any, database: str):
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        await settle_in(bob, database)
        await bob.client.post("/api/v1/keys", json={"name": "second"})
        cursor = (await bob.client.get("/api/v1/keys?limit=1")).json()["next_cursor"]
        assert cursor
        answer = await ada.client.get("/api/v1/keys", params={"cursor": cursor})
        assert answer.status_code in {200, 422}
        assert answer.json().get("items", []) == []


# -- what cannot be meant ----------------------------------------------------------------------------------------------


def sensible(route: Route) -> dict[str, Any] | None:
    """The smallest body that the schema takes; None where there is none to send."""
    return None if route.body is None else smallest(route.body)


FITTING = {"^[A-Z]{3}$": "XXX"}
"""What fits a pattern that nothing shorter fits."""


def smallest(schema: dict[str, Any]) -> Any:
    schema = resolved(schema)
    kind = kinds_of(schema)[0]
    if kind == "object":
        return {name: smallest(schema["properties"][name]) for name in schema.get("required", [])}
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("pattern") in FITTING:
        return FITTING[schema["pattern"]]
    if schema.get("format") == "uuid":
        return UNHEARD_OF
    return {
        "string": "x" * max(1, schema.get("minLength", 1)),
        "integer": int(schema.get("minimum", 0)),
        "number": schema.get("minimum", 0),
        "boolean": False,
        "array": [smallest(schema["items"]) for _ in range(schema.get("minItems", 0))],
        "null": None,
    }[kind]


def kinds_of(schema: dict[str, Any]) -> list[str]:
    """The JSON types that a schema takes."""
    schema = resolved(schema)
    if "oneOf" in schema or "anyOf" in schema:
        return [kind for option in schema.get("oneOf", schema.get("anyOf")) for kind in kinds_of(option)]
    if "type" not in schema:
        return sorted({kind for kind in JSON if any(isinstance(v, JSON[kind]) for v in schema.get("enum", []))})
    return schema["type"] if isinstance(schema["type"], list) else [schema["type"]]


JSON: dict[str, type] = {"string": str, "boolean": bool, "object": dict, "array": list}
SAMPLES: dict[str, list[Any]] = {
    "string": ["text", ""],
    "integer": [7, -1, 10**30],
    "number": [1.5],
    "boolean": [True],
    "array": [[], [[]]],
    "object": [{}, {"nonsense": {}}],
    "null": [None],
}


def wrong_values(schema: dict[str, Any]) -> Iterator[Any]:
    """Values of every type that the schema does not take."""
    taken = kinds_of(schema)
    for kind, samples in SAMPLES.items():
        if kind not in taken and not (kind == "integer" and "number" in taken):
            yield from samples


BODIES = [route for route in ROUTES if route.body is not None and resolved(route.body).get("properties")]


def test_there_are_bodies_to_try():
    assert len(BODIES) > 25


@pytest.fixture
async def owner(app: Any, database: str):
    async with signed_in(app, database, role="owner") as signed:
        yield signed


async def test_a_field_of_the_wrong_type_is_named(owner: Signed):
    wrong = []
    for route in BODIES:
        for name, schema in resolved(route.body or {})["properties"].items():
            for value in wrong_values(schema):
                answer = await owner.client.request(route.method, route.at_home(owner), json={name: value})
                said = answer.json()
                field = str(said.get("field", ""))
                is_named = field == name or field.startswith((f"{name}.", f"{name}["))
                if answer.status_code != 422 or not is_named or not said.keys() >= PROBLEM:
                    wrong.append(f"{route} {name}={value!r}: {answer.status_code} {said.get('code')} field={field!r}")
    assert not wrong, "\n".join(wrong)


async def test_a_missing_field_is_named(owner: Signed):
    wrong = []
    for route in BODIES:
        schema = resolved(route.body or {})
        for name in schema.get("required", []):
            body = {key: value for key, value in smallest(schema).items() if key != name}
            answer = await owner.client.request(route.method, route.at_home(owner), json=body)
            if (answer.status_code, answer.json().get("field")) != (422, name):
                wrong.append(f"{route} without {name}: {answer.status_code} {answer.text}")
    assert not wrong, "\n".join(wrong)


async def test_a_field_that_nobody_knows_is_named_and_nothing_is_done(owner: Signed):
    wrong = []
    for route in BODIES:
        body = {**smallest(resolved(route.body or {})), "nonsense": 1}
        answer = await owner.client.request(route.method, route.at_home(owner), json=body)
        if (answer.status_code, answer.json().get("field")) != (422, "nonsense"):
            wrong.append(f"{route}: {answer.status_code} {answer.text}")
    assert not wrong, "\n".join(wrong)


async def test_a_body_that_is_no_object_is_refused(owner: Signed):
    contents = (b"", b"[]", b'"text"', b"5", b"true", b"{", b'{"a":1}{"b":2}', b"\xff\xfe", b"[" * 100_000, b"NaN")
    for route in BODIES:
        needs_some = bool(resolved(route.body or {}).get("required"))
        for content in contents:
            if content == b"" and not needs_some:
                continue
            answer = await owner.client.request(
                route.method, route.at_home(owner), content=content, headers={"content-type": "application/json"}
            )
            assert answer.status_code in {404, 422} if not needs_some else answer.status_code == 422, (
                str(route),
                content[:20],
                answer.text,
            )
            check_problem(answer, answer.status_code)


async def test_a_body_that_is_not_declared_as_json_is_refused(owner: Signed):
    for route in BODIES:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            answer = await owner.client.request(
                route.method, route.at_home(owner), content=b"name=x", headers={"content-type": kind}
            )
            assert answer.status_code in {415, 422}, (str(route), kind, answer.text)
            check_problem(answer, answer.status_code)


async def test_a_parameter_that_cannot_be_meant_is_named(owner: Signed):
    wrong = []
    for route in ROUTES:
        for parameter in route.parameters:
            for value in bad_parameters(parameter["schema"]) if parameter["in"] == "query" else ():
                answer = await owner.client.request(
                    route.method, route.at_home(owner), params={parameter["name"]: value}, json=sensible(route)
                )
                if (answer.status_code, answer.json().get("field")) != (422, parameter["name"]):
                    wrong.append(f"{route}?{parameter['name']}={value[:40]}: {answer.status_code} {answer.text[:300]}")
    assert not wrong, "\n".join(wrong)


def bad_parameters(schema: dict[str, Any]) -> Iterator[str]:
    """Text in an address that a schema does not take."""
    options = [resolved(option) for option in schema.get("oneOf", [schema])]
    kinds, formats = kinds_of(schema), {option.get("format") for option in options}
    if "integer" in kinds:
        yield from ("x", "1.5", "-1", "0", "9" * 40)
        if schema.get("maximum") == 200:
            yield "201"
    if "enum" in schema or formats & {"uuid", "date-time"}:
        yield from ("x", "2026-13-45", "%00")
    longest = schema.get("maxLength")
    if longest is not None:
        yield "a" * (longest + 1)


async def test_a_cursor_that_nobody_gave_out_leads_nowhere(owner: Signed):
    """One of the right shape is a place in the list like any other; the rest is refused."""
    for route in [r for r in ROUTES if any(p["name"] == "cursor" for p in r.parameters)]:
        for cursor in ("x", "%%%", "a" * 5000, base64.urlsafe_b64encode(b'["x","y"]').decode(), "\0"):
            answer = await owner.client.request(route.method, route.at_home(owner), params={"cursor": cursor})
            if answer.status_code == 200:
                assert cursor.startswith("WyJ4"), (str(route), cursor[:30])
                continue
            assert answer.status_code in {404, 422}, (str(route), cursor[:30], answer.text)
            check_problem(answer, answer.status_code)


async def test_an_idempotency_key_that_is_none_is_refused(owner: Signed):
    for route in [r for r in ROUTES if any(p["name"] == "Idempotency-Key" for p in r.parameters)]:
        for key in (b"a" * 256, b"\xff", b"a\tb"):
            answer = await owner.client.request(
                route.method, route.at_home(owner), json=sensible(route), headers={"idempotency-key": key}
            )
            check_problem(answer, 422)


async def test_an_object_that_is_not_there_is_not_found(owner: Signed):
    for route in [r for r in GUARDED if "{" in r.path and "{topic}" not in r.path]:
        answer = await owner.client.request(route.method, route.at(), json=sensible(route))
        assert answer.status_code in {404, 422}, (str(route), answer.text)
        check_problem(answer, answer.status_code)


async def test_no_refusal_is_missing_from_the_document(owner: Signed, client: httpx.AsyncClient):
    """What these tests get is what the document says one may get."""
    for route in ROUTES:
        for who in (owner.client, client):
            for body in ({}, {"nonsense": 1}):
                answer = await who.request(route.method, route.at(), json=body)
                assert str(answer.status_code) in route.operation["responses"], (str(route), body, answer.text)
