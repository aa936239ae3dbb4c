"""Roles of the instance: who appoints, who bans, and what that ends."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from airouter.app import create_app
from tests.api.conftest import client_of, running
from tests.builders import PASSWORD, Signed, run_sql, signed_in
from tests.patience import until
from tests.settings import settings_for

USERS = "/api/v1/admin/users"


async def change(who: Signed, whom: Signed, **changes: str) -> httpx.Response:
    return await who.client.patch(f"{USERS}/{whom.user_id}", json=changes)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_operators_ban_people_and_only_owners_touch_roles_and_operators(app: Any, database: str) -> None:
    async with AsyncExitStack() as stack:
        lord, second, operator, other, ada = [
            await stack.enter_async_context(signed_in(app, database, role=role))
            for role in ("owner", "owner", "operator", "operator", "user")
        ]
        assert (await change(operator, ada, status="banned")).json()["status"] == "banned"
        assert (await change(operator, ada, status="active")).json()["status"] == "active"
        for whom, changes in (
            (ada, {"role": "operator"}),
            (ada, {"role": "owner"}),
            (other, {"status": "banned"}),
            (other, {"role": "user"}),
            (lord, {"status": "banned"}),
            (lord, {"role": "operator"}),
        ):
            assert refusal(await change(operator, whom, **changes)) == (403, "role_required"), changes
        assert (await change(lord, other, role="user")).json()["role"] == "user"
        assert (await change(lord, second, role="operator")).json()["role"] == "operator"
        assert refusal(await change(lord, lord, role="user")) == (422, "invalid_request")


async def test_a_token_without_the_scope_touches_no_operator(app: Any, database: str) -> None:
    async with AsyncExitStack() as stack:
        lord, other = [
            await stack.enter_async_context(signed_in(app, database, role=role)) for role in ("owner", "operator")
        ]
        made = await lord.client.post("/api/v1/tokens", json={"name": "t", "scopes": ["users.write"]})
        script = await stack.enter_async_context(client_of(app))
        script.headers["authorization"] = f"Bearer {made.json()['token']}"
        answer = await script.patch(f"{USERS}/{other.user_id}", json={"status": "banned"})
        assert refusal(answer) == (403, "role_required")


async def test_of_two_owners_who_dismiss_each_other_one_remains(app: Any, database: str) -> None:
    async with signed_in(app, database, role="owner") as ada, signed_in(app, database, role="owner") as bob:
        for changes, back in (({"role": "user"}, "role = 'owner'"), ({"status": "banned"}, "status = 'active'")):
            answers = await asyncio.gather(change(ada, bob, **changes), change(bob, ada, **changes))
            assert 200 in [answer.status_code for answer in answers], [answer.text for answer in answers]
            rows = await run_sql(database, "SELECT 1 FROM users WHERE role = 'owner' AND status = 'active'")
            assert len(rows) == 1
            await run_sql(database, f"UPDATE users SET {back}")
            await run_sql(database, "UPDATE sessions SET revoked_at = NULL")
            for who in (ada, bob):
                answer = await who.client.post("/api/v1/auth/login", json={"email": who.email, "password": PASSWORD})
                who.client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


async def test_a_ban_ends_sessions_and_keys_in_another_process(app: Any, database: str, tmp_path: Path) -> None:
    other = create_app(settings_for(database, tmp_path / "other"))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(other))
        lord = await stack.enter_async_context(signed_in(app, database, role="owner"))
        ada = await stack.enter_async_context(signed_in(app, database, role="operator"))
        elsewhere = await stack.enter_async_context(client_of(other))
        session = {"authorization": f"Bearer {ada.access_token}"}
        key = (await ada.client.post("/api/v1/keys", json={"name": "k"})).json()["key"]
        door = {"authorization": f"Bearer {key}"}
        assert (await elsewhere.get(USERS, headers=session)).status_code == 200
        assert (await elsewhere.get("/v1/models", headers=door)).status_code == 200
        await change(lord, ada, role="user")
        await until(lambda: is_answered(elsewhere, USERS, session, 403))
        await change(lord, ada, status="banned")
        await until(lambda: is_answered(elsewhere, "/api/v1/me", session, 401))
        await until(lambda: is_answered(elsewhere, "/v1/models", door, 401))
        await change(lord, ada, status="active")
        await until(lambda: is_answered(elsewhere, "/v1/models", door, 200))


async def is_answered(client: httpx.AsyncClient, path: str, headers: dict[str, str], status: int) -> bool:
    return (await client.get(path, headers=headers)).status_code == status


async def test_appointments_and_bans_stand_in_the_audit_log(app: Any, database: str) -> None:
    async with signed_in(app, database, role="owner") as lord, signed_in(app, database) as ada:
        await change(lord, ada, role="operator")
        await change(lord, ada, role="operator")
        [row] = await run_sql(database, "SELECT user_id, before, after FROM audit_log WHERE action = 'user.changed'")
        assert row["user_id"] == lord.user_id
        assert '"user"' in row["before"]
        assert '"operator"' in row["after"]
