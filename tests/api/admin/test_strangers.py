"""Nobody but operators gets anything out of /api/v1/admin, whatever they send."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx

from airouter.api.openapi import management_document, operations
from tests.builders import Signed, run_sql

ADMIN = "/api/v1/admin/"


def admin_operations() -> Iterator[tuple[str, str]]:
    """(method, path with something in the place of each parameter) of everything below /admin."""
    for path, method, _ in operations(management_document()):
        if path.startswith(ADMIN):
            yield (
                method,
                re.sub(r"\{\w*id\}", str(uuid4()), path)
                .replace("{model}", "m")
                .replace("{name}", "g")
                .replace("{topic}", "display"),
            )


async def outcomes(client: httpx.AsyncClient) -> dict[tuple[str, str], tuple[int, str]]:
    found = {}
    for method, path in admin_operations():
        for body in (None, {}, {"nonsense": 1}):
            arguments: dict[str, Any] = {} if body is None else {"json": body}
            answer = await client.request(method.upper(), path, **arguments)
            found[method, path, str(body)] = (answer.status_code, answer.json()["code"])
    return found


async def test_there_are_routes_to_try() -> None:
    assert len(list(admin_operations())) >= 25


async def test_a_stranger_is_asked_to_sign_in_at_every_admin_address(client: httpx.AsyncClient) -> None:
    assert set((await outcomes(client)).values()) == {(401, "unauthenticated")}


async def test_an_account_holder_is_refused_at_every_admin_address(holder: Signed) -> None:
    assert set((await outcomes(holder.client)).values()) == {(403, "role_required")}


async def test_a_dismissed_operator_is_refused_at_the_next_call(
    operator: httpx.AsyncClient, owner: Signed, database: str
) -> None:
    assert (await operator.get("/api/v1/admin/groups")).status_code == 200
    [row] = await run_sql(database, "SELECT user_id FROM users WHERE role = 'operator'")
    answer = await owner.client.patch(f"/api/v1/admin/users/{row['user_id']}", json={"role": "user"})
    assert answer.status_code == 200, answer.text
    assert (await operator.get("/api/v1/admin/groups")).status_code == 403


async def test_an_operator_may_not_appoint_or_ban(operator: httpx.AsyncClient, holder: Signed) -> None:
    answer = await operator.patch(f"/api/v1/admin/users/{holder.user_id}", json={"role": "operator"})
    assert (answer.status_code, answer.json()["code"]) == (403, "role_required")
