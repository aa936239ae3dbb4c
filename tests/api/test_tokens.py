"""Management tokens: what scripts use in place of a session."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from airouter.app import create_app
from tests.api.conftest import client_of, running
from tests.api.teams import put_in, team_of, within
from tests.builders import PASSWORD, Signed, run_sql, signed_in
from tests.patience import until
from tests.settings import settings_for

TOKENS = "/api/v1/tokens"


async def make(who: Signed, *scopes: str, team: str | None = None, **more: Any) -> httpx.Response:
    return await who.client.post(
        TOKENS,
        json={"name": "script", "scopes": list(scopes), **more},
        headers={} if team is None else within(team),
    )


@asynccontextmanager
async def script(app: Any, made: httpx.Response) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who has nothing but the token."""
    assert made.status_code == 201, made.text
    async with client_of(app) as client:
        client.headers["authorization"] = f"Bearer {made.json()['token']}"
        yield client


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_token_does_what_it_was_given_and_nothing_else(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        made = await make(ada, "keys.read", "usage.read")
        assert made.json()["token"].startswith(made.json()["prefix"])
        async with script(app, made) as client:
            assert (await client.get("/api/v1/keys")).status_code == 200
            assert (await client.get("/api/v1/usage")).status_code == 200
            answer = await client.post("/api/v1/keys", json={"name": "x"})
            assert (*refusal(answer), answer.json()["scope"]) == (403, "scope_required", "keys.write")
            assert refusal(await client.get("/api/v1/me/sessions")) == (403, "token_not_allowed")
            assert refusal(await client.post(TOKENS, json={"name": "x", "scopes": ["keys.read"]})) == (
                403,
                "token_not_allowed",
            )
            assert refusal(await client.get("/api/v1/me")) == (403, "scope_required")


async def test_a_session_that_lies_open_makes_no_token(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")
        body = {"name": "forever", "scopes": ["usage.read"]}
        refused = await ada.client.post("/api/v1/tokens", json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
        proof = {"method": "password", "value": PASSWORD}
        assert (await ada.client.post("/api/v1/auth/reauthenticate", json=proof)).status_code == 204
        assert (await ada.client.post("/api/v1/tokens", json=body)).status_code == 201


async def test_what_is_kept_of_a_token_does_not_open_anything(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        headers = {"idempotency-key": "one token"}
        body = {"name": "script", "scopes": ["me.read"]}
        first, again = [await ada.client.post(TOKENS, json=body, headers=headers) for _ in range(2)]
        assert (first.json()["id"], again.json()["token"]) == (again.json()["id"], None)
        secret = first.json()["token"]
        for table in ("management_tokens", "idempotency_keys", "audit_log"):
            for row in await run_sql(database, f"SELECT t::text AS row FROM {table} t"):
                assert secret not in row["row"]
                assert secret.encode().hex() not in row["row"]
        [listed] = (await ada.client.get(TOKENS)).json()["items"]
        assert "token" not in listed
        assert (listed["scopes"], listed["last_used_at"]) == (["me.read"], None)


async def test_nobody_gives_what_they_do_not_have(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        team = await team_of(ada)
        await put_in(database, team, bob, "member")
        for scope in ("operator.read", "money.write", "nonsense", "me.write", "account.leave"):
            answer = await make(ada, "me.read", scope)
            assert (answer.status_code, answer.json()["field"]) == (422, "scopes[1]"), scope
        answer = await make(bob, "members.write", team=team)
        assert (answer.status_code, answer.json()["field"]) == (422, "scopes[0]")
        offered = (await bob.client.get(f"{TOKENS}/scopes", headers=within(team))).json()["items"]
        assert {scope["name"] for scope in offered} == {
            "me.read",
            "wallet.read",
            "keys.read",
            "keys.write",
            "usage.read",
        }


async def test_a_token_is_bound_to_its_account(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        team = await team_of(ada)
        made = await make(ada, "me.read", "wallet.read", team=team)
        assert made.json()["account_id"] == team
        async with script(app, made) as client:
            me = (await client.get("/api/v1/me")).json()
            assert (me["account"]["id"], [account["id"] for account in me["accounts"]]) == (team, [team])
            assert me["account"]["permissions"] == ["me.read", "wallet.read"]
            assert (await client.get("/api/v1/wallet", headers=within(team))).status_code == 200
            at_home = await client.get("/api/v1/wallet", headers=within(str(ada.account_id)))
            assert at_home.status_code == 404


async def test_a_token_ends_when_it_expires_or_is_revoked(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        assert (await make(ada, "me.read", expires_at="2020-01-01T00:00:00Z")).status_code == 422
        assert (await make(ada, "me.read", expires_at="2099-01-01T00:00:00")).status_code == 422
        made = await make(ada, "me.read", expires_at="2099-01-01T00:00:00Z")
        async with script(app, made) as client:
            assert (await client.get("/api/v1/me")).status_code == 200
            assert (await ada.client.delete(f"{TOKENS}/{made.json()['id']}")).status_code == 204
            assert refusal(await client.get("/api/v1/me")) == (401, "unauthenticated")
        assert (await ada.client.delete(f"{TOKENS}/{made.json()['id']}")).status_code == 404
        assert (await ada.client.get(TOKENS)).json()["items"] == []
        late = await make(ada, "me.read", expires_at="2099-01-01T00:00:00Z")
        await run_sql(database, "UPDATE management_tokens SET expires_at = now()")
        async with script(app, late) as client:
            assert refusal(await client.get("/api/v1/me")) == (401, "unauthenticated")


async def test_a_token_never_exceeds_what_its_maker_may_do_now(app: Any, database: str, tmp_path: Path) -> None:
    """In another process, within a second: a demotion in a team, a demotion from operator, a ban, a revocation."""
    other = create_app(settings_for(database, tmp_path / "other"))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(other))
        lord = await stack.enter_async_context(signed_in(app, database, role="owner"))
        ada = await stack.enter_async_context(signed_in(app, database, role="operator"))
        team = await team_of(lord)
        await put_in(database, team, ada, "admin")
        of_team = await stack.enter_async_context(script(other, await make(ada, "members.read", team=team)))
        of_house = await stack.enter_async_context(script(other, await make(ada, "operator.read", "me.read")))
        revoked = await make(ada, "me.read")
        of_none = await stack.enter_async_context(script(other, revoked))
        members = f"/api/v1/accounts/{team}/members"
        for client, path in ((of_team, members), (of_house, "/api/v1/admin/users"), (of_none, "/api/v1/me")):
            assert (await client.get(path)).status_code == 200, path
        await lord.client.patch(f"{members}/{ada.user_id}", json={"team_role": "billing"})
        await soon(of_team, members, (403, "role_required"))
        await ada.client.delete(f"{TOKENS}/{revoked.json()['id']}")
        await soon(of_none, "/api/v1/me", (401, "unauthenticated"))
        await lord.client.patch(f"/api/v1/admin/users/{ada.user_id}", json={"role": "user"})
        await soon(of_house, "/api/v1/admin/users", (403, "role_required"))
        await lord.client.patch(f"/api/v1/admin/users/{ada.user_id}", json={"status": "banned"})
        await soon(of_house, "/api/v1/me", (401, "unauthenticated"))


async def soon(client: httpx.AsyncClient, path: str, wanted: tuple[int, str]) -> None:
    async def is_refused() -> bool:
        answer = await client.get(path)
        assert answer.status_code == 200 or refusal(answer) == wanted
        return answer.status_code != 200

    await until(is_refused)


async def test_guessing_tokens_costs_the_network_a_budget(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app, address="203.0.113.77") as guesser:
        for number in range(101):
            guesser.headers["authorization"] = f"Bearer air-mt-{number:040}"
            answer = await guesser.get("/api/v1/me")
        assert refusal(answer) == (429, "too_many_attempts")
        async with script(app, await make(ada, "me.read")) as client:  # from elsewhere it works
            assert (await client.get("/api/v1/me")).status_code == 200


async def test_a_use_is_noted_once_a_minute(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        made = await make(ada, "me.read")
        async with script(app, made) as client:
            await client.get("/api/v1/me")
            [first] = (await ada.client.get(TOKENS)).json()["items"]
            assert first["last_used_at"] is not None
            await client.get("/api/v1/me")
            assert (await ada.client.get(TOKENS)).json()["items"] == [first]


async def test_a_token_has_its_requests_done_once_in_its_own_account(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        team = await team_of(ada)
        async with script(app, await make(ada, "keys.write", team=team)) as client:
            headers = {"idempotency-key": "k"}
            made, again = [await client.post("/api/v1/keys", json={"name": "k"}, headers=headers) for _ in range(2)]
        assert (made.status_code, again.headers["idempotency-replayed"]) == (201, "true")
        assert again.json()["id"] == made.json()["id"]
        keys = (await ada.client.get("/api/v1/keys", headers=within(team))).json()["items"]
        assert [key["id"] for key in keys] == [made.json()["id"]]


async def test_what_is_ones_own_is_not_replayed_to_somebody_else_of_the_team(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        team = await team_of(ada)
        await put_in(database, team, bob, "member")
        headers = {**within(team), "idempotency-key": "the same"}
        for path, body in ((TOKENS, {"name": "t", "scopes": ["me.read"]}), ("/api/v1/keys", {"name": "k"})):
            made = [await who.client.post(path, json=body, headers=headers) for who in (ada, bob)]
            assert [answer.status_code for answer in made] == [201, 201]
            assert made[0].json()["id"] != made[1].json()["id"]


async def test_acts_of_a_token_name_it_in_the_audit_log(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        team = await team_of(ada)
        made = await make(ada, "account.write", team=team)
        async with script(app, made) as client:
            answer = await client.patch(f"/api/v1/accounts/{team}", json={"name": "Renamed"})
            assert answer.status_code == 200, answer.text
        [row] = await run_sql(database, "SELECT user_id, token_id FROM audit_log WHERE action = 'account.renamed'")
        assert (row["user_id"], str(row["token_id"])) == (ada.user_id, made.json()["id"])
