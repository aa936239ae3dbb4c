"""Roles x addresses: every route of the document, called by everybody there is, is answered as the table says."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgspec
import pytest

from airouter.api.openapi import management_document, operations
from airouter.domain.permission import OWN_ONLY, PERMISSIONS, SCOPES, Permission, Role, TeamRole
from tests.api.conftest import client_of
from tests.api.teams import put_in, team_of, within
from tests.builders import Signed, grant, signed_in

UNHEARD_OF = "018f0000-0000-7000-8000-000000000000"
REFUSALS = {"role_required", "token_not_allowed", "scope_required"}
LEAVES = ("delete", "/api/v1/accounts/{account_id}/members/me")
"""Whoever may, does: it is tested with teams."""
GUARDED = [
    (method, path, operation, PERMISSIONS[operation["x-permission"]])
    for path, method, operation in operations(management_document())
    if operation["security"] and (method, path) != LEAVES
]


class Somebody(msgspec.Struct, frozen=True):
    """Who calls for the team. `scopes`: with a management token that was given these."""

    name: str
    client: httpx.AsyncClient
    role: Role
    team_role: TeamRole | None
    scopes: frozenset[str] | None = None

    def expected(self, permission: Permission, path: str) -> str:
        """`allowed`, `stranger` (not to be told from an account that does not exist), or the code of the refusal."""
        if self.scopes is not None and permission.is_session_only:
            return "token_not_allowed"
        if self.scopes is not None and permission.name not in self.scopes:
            return "scope_required"
        names_account = permission.kind == "account" or path.startswith("/api/v1/accounts/{account_id}")
        if names_account and self.team_role is None:
            return "stranger"
        return "allowed" if permission.allows(self.role, self.team_role) else "role_required"


@pytest.fixture
async def everybody(app: Any, database: str) -> AsyncIterator[tuple[str, list[Somebody]]]:
    """(team, everybody there is)"""
    async with AsyncExitStack() as stack:

        async def comes(**who: Any) -> Signed:
            return await stack.enter_async_context(signed_in(app, database, **who))

        owner = await comes()
        team = await team_of(owner)
        await grant(database, msgspec.convert(team, type(owner.account_id), strict=False), 10**9)  # so that it stays
        second = await comes()
        await put_in(database, team, second, "owner")
        found = [Somebody("owner of the team", owner.client, "user", "owner")]
        for team_role in ("admin", "billing", "member"):
            one = await comes()
            await put_in(database, team, one, team_role)
            found.append(Somebody(f"{team_role} of the team", one.client, "user", team_role))
        found.append(Somebody("user", (await comes()).client, "user", None))
        operator = await comes(role="operator")
        found.append(Somebody("operator", operator.client, "operator", None))
        lord = await comes(role="owner")
        await put_in(database, team, lord, "owner")
        found.append(Somebody("owner", lord.client, "owner", "owner"))
        for name, scopes in (
            ("a token that reads", [scope for scope in SCOPES if scope.endswith(".read")]),
            ("a token that does everything", list(SCOPES)),
        ):
            made = await lord.client.post("/api/v1/tokens", json={"name": name, "scopes": scopes}, headers=within(team))
            assert made.status_code == 201, made.text
            client = await stack.enter_async_context(client_of(app))
            client.headers["authorization"] = f"Bearer {made.json()['token']}"
            found.append(Somebody(name, client, "owner", "owner", frozenset(scopes)))
        yield team, found


async def test_everybody_is_answered_as_the_table_says(everybody: tuple[str, list[Somebody]]) -> None:
    """A body that is none at all tells the guard from the handler: it refuses first, and then nothing is done."""
    team, people = everybody
    wrong = []
    for method, path, operation, permission in GUARDED:
        for who in people:
            at = path.replace("{account_id}", team).replace("{topic}", "limits")
            while "{" in at:
                at = at[: at.index("{")] + UNHEARD_OF + at[at.index("}") + 1 :]
            content = b"no json" if "requestBody" in operation else None
            headers = {"content-type": "application/json", **(within(team) if permission.kind == "account" else {})}
            answer = await who.client.request(method, at, headers=headers, content=content)
            found = _outcome(answer)
            if found != who.expected(permission, path):
                wrong.append(f"{method} {path} ({permission.name}) by {who.name}: {found}, {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


def _outcome(answer: httpx.Response) -> str:
    said = answer.json() if answer.headers.get("content-type", "").startswith("application/") else {}
    if answer.status_code == 403 and said["code"] in REFUSALS:
        return said["code"]
    if answer.status_code == 404 and said["detail"] == "You are not a member of an account with this id.":
        return "stranger"
    if answer.status_code == 401:
        return "unauthenticated"
    return "allowed"


def test_who_sees_only_their_own_may_see_nothing_that_is_the_accounts() -> None:
    """What a member may do is confined in the services, so the table gives them nothing else."""
    confined = {"keys.read", "keys.write", "usage.read"}
    common = {"wallet.read", "account.leave"}
    for role in OWN_ONLY:
        had = {name for name, row in PERMISSIONS.items() if row.kind == "account" and role in row.team_roles}
        assert had == confined | common


def test_an_owner_may_do_whatever_others_may() -> None:
    for row in PERMISSIONS.values():
        assert row.kind != "account" or "owner" in row.team_roles, row.name
        assert row.kind != "instance" or "owner" in row.roles, row.name
        assert "user" not in row.roles, row.name
