"""The whole document of `/api/v1`, asked by four kinds of callers with what its schemas allow, and what they do not.

Every answer must be one that the document describes: status, media type, headers and body. None may be a fault of ours.
The cases are derived from the document and the same in each run; `AIROUTER_TEST_EFFORT` says how many there are.
"""

import random
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any, Final

import httpx
import hypothesis
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from airouter.api.openapi import management_document
from airouter.domain.permission import PERMISSIONS, SCOPES
from tests.api.conftest import app, client
from tests.api.teams import stored_team
from tests.builders import Signed, api_key, grant, person, priced_model, signed_in, spend
from tests.effort import EFFORT

__all__ = ["app", "client"]

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CASES: Final = max(2, EFFORT.examples // 250)
"""Of each kind (fitting and not), operation and caller."""
DOCUMENT: Final = management_document()
OPERATIONS: Final = {
    operation["operationId"]: (path, method)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if "operationId" in operation
}
LAST: Final = {"get": 0, "post": 1, "patch": 2, "put": 3, "delete": 4}
FORBIDDEN: Final = 403
CALLERS: Final = ("user", "member", "operator", "reader")


class Someone(msgspec.Struct, kw_only=True):
    """A caller and what they could name."""

    name: str
    client: httpx.AsyncClient
    known: dict[str, str]
    answers: Counter[int] = msgspec.field(default_factory=Counter)
    refusals: int = 0


async def team_of(database: str, member: Signed) -> str:
    """A team that somebody else owns."""
    other = (await person(database))[1]
    return str(await stored_team(database, owner=other.user_id, member=member.user_id))


@pytest.fixture
async def known(app: Any, database: str) -> AsyncIterator[dict[str, str]]:
    """One object of most kinds, by the name of its parameter."""
    async with signed_in(app, database, role="owner") as owner:
        await grant(database, owner.account_id, 10**12)
        card = await priced_model(database, "m")
        key = await api_key(database, owner.account_id)
        request_id = await spend(database, key, card)

        async def made(path: str, body: dict[str, Any]) -> dict[str, Any]:
            answer = await owner.client.post(f"/api/v1/admin/{path}", json=body)
            assert answer.status_code in {200, 201}, answer.text
            return answer.json()

        channel = await made("channels", {"name": "c", "provider": "scripted", "models": ["m"]})
        credential = await made(f"channels/{channel['id']}/credentials", {"secret": "sk-conformance-0001"})
        batch = await made("redemption-batches", {"name": "b", "amount": 5, "count": 2})
        codes = (await owner.client.get(f"/api/v1/admin/redemption-batches/{batch['id']}/codes")).json()["items"]
        acts = (await owner.client.get("/api/v1/admin/audit-log")).json()["items"]
        yield {
            "channel_id": channel["id"],
            "credential_id": credential["id"],
            "batch_id": batch["id"],
            "code_id": codes[0]["id"],
            "act_id": acts[0]["id"],
            "model": "m",
            "name": "default",
            "rate_card_id": str(card),
            "key_id": str(key),
            "request_id": str(request_id),
            "account_id": str(owner.account_id),
            "user_id": str(owner.user_id),
        }


async def enter(stack: AsyncExitStack, app: Any, database: str, name: str, known: dict[str, str]) -> Someone:
    """The caller of that name, new."""
    role = "owner" if name == "operator" else "user"
    signed = await stack.enter_async_context(signed_in(app, database, role=role))
    await grant(database, signed.account_id, 10**12)
    if name == "operator":
        return Someone(name=name, client=signed.client, known=known)
    own = {**known, "account_id": str(signed.account_id), "user_id": str(signed.user_id)}
    if name == "member":
        team = await team_of(database, signed)
        signed.client.headers["x-account-id"] = team
        own["account_id"] = team
    made = await signed.client.post("/api/v1/keys", json={"name": "own"})
    if made.status_code == 201:
        own["key_id"] = made.json()["id"]
    if name == "reader":
        readable = [scope for scope in SCOPES if scope.endswith(".read") and PERMISSIONS[scope].kind != "instance"]
        made = await signed.client.post("/api/v1/tokens", json={"name": "reader", "scopes": readable})
        assert made.status_code == 201, made.text
        signed.client.headers["authorization"] = f"Bearer {made.json()['token']}"
    return Someone(name=name, client=signed.client, known=own)


def cases_of(operation: Any, mode: GenerationMode) -> Iterator[Any]:
    """As many as the effort allows, always the same."""
    found: list[Any] = []

    @settings(
        max_examples=CASES, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        found.append(case)

    try:
        collect()
    except hypothesis.errors.Unsatisfiable:  # nothing about it can be wrong
        return
    except Exception as error:
        if type(error).__name__ not in {"Unsatisfiable", "SkipTest", "Skipped"}:
            raise
        return
    yield from found


async def ask(someone: Someone, case: Any, draw: random.Random) -> str | None:
    """What is wrong with the answer."""
    for name, value in someone.known.items():  # half of them are about something that exists
        if name in case.path_parameters and draw.random() < 0.5:
            case.path_parameters[name] = value
    sent = case.as_transport_kwargs(base_url="http://127.0.0.1:8080")
    sent.pop("cookies", None)
    headers = {name: value for name, value in (sent.pop("headers", None) or {}).items() if is_sendable(name, value)}
    answer = await someone.client.request(
        sent["method"],
        sent["url"],
        params=sent.get("params"),
        headers=headers,
        content=sent.get("data"),
        json=sent.get("json"),
    )
    someone.answers[answer.status_code // 100] += 1
    someone.refusals += answer.status_code == FORBIDDEN
    try:
        case.validate_response(answer, checks=CHECKS)
    except (FailureGroup, Failure) as failure:
        return f"{someone.name}: {case.as_curl_command()}\n{answer.status_code} {answer.text[:600]}\n{said(failure)}"
    return None


def is_sendable(name: str, value: Any) -> bool:
    """Credentials stay those of the caller, and a header is what a client library would send."""
    text = str(value)
    return name.lower() not in {"authorization", "x-account-id"} and text.isascii() and text.isprintable()


def said(failure: Any) -> str:
    inner = getattr(failure, "exceptions", [failure])
    return "\n".join(f"{type(one).__name__}: {one}" for one in inner)


async def is_in(someone: Someone) -> bool:
    """Whether the caller is still somebody: some operations sign out."""
    return (await someone.client.get("/api/v1/me")).status_code == 200


@pytest.mark.timeout(1800)  # as long as the effort says
@pytest.mark.books_spoiled  # operators may set prices and limits at will here
@pytest.mark.parametrize("caller", CALLERS)
async def test_every_answer_is_one_that_the_document_describes(
    app: Any, database: str, known: dict[str, str], caller: str
) -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    draw, wrong, answers = random.Random(2026), [], Counter[int]()
    operations = sorted((one.ok() for one in schema.get_all_operations()), key=lambda one: (LAST[one.method], one.path))
    async with AsyncExitStack() as stack:
        someone = await enter(stack, app, database, caller, known)
        for operation in operations:
            before = someone.refusals
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                if mode is GenerationMode.NEGATIVE and someone.refusals - before == CASES:
                    break  # refused before anything of a request is read: what does not fit makes no difference
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of the generator, about what it cannot generate
                    cases = list(cases_of(operation, mode))
                for case in cases:
                    found = await ask(someone, case, draw)
                    if found is not None:
                        wrong.append(found)
            if not await is_in(someone):
                answers.update(someone.answers)
                someone = await enter(stack, app, database, caller, known)
    answers.update(someone.answers)
    assert sum(answers.values()) > CASES * len(OPERATIONS), answers
    assert answers[2] > len(OPERATIONS) // 10, f"hardly anything was allowed: {answers}"
    assert not wrong, f"{len(wrong)} answers are not in the document:\n\n" + "\n\n".join(wrong[:40])


def test_the_document_is_not_empty() -> None:
    assert len(OPERATIONS) > 60
