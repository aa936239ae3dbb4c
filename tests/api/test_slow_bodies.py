"""Whoever may do something when their request begins and not any more when it is whole, does not do it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.api.teams import ACCOUNTS, put_in, team_of, within
from tests.builders import Signed, run_sql, signed_in

Ending = Callable[[], Awaitable[httpx.Response]]
JSON = {"content-type": "application/json"}


def slowly(begins: bytes, ending: Ending, ends: bytes) -> AsyncIterator[bytes]:
    """A body of which the end comes after something else has happened. It is read once the caller is recognised."""

    async def parts() -> AsyncIterator[bytes]:
        yield begins
        answer = await ending()
        assert answer.status_code < 300, answer.text
        yield ends

    return parts()


async def test_an_operator_who_is_dismissed_while_their_request_comes_in_moves_nothing(app: Any, database: str) -> None:
    async with signed_in(app, database, role="owner") as lord, signed_in(app, database, role="operator") as ops:
        path = f"/api/v1/admin/users/{ops.user_id}"
        body = slowly(b'{"mode":', lambda: lord.client.patch(path, json={"role": "user"}), b' "open"}')
        answer = await ops.client.put("/api/v1/admin/policies/signup", content=body, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_required"), answer.text
    assert not await run_sql(database, "SELECT FROM policies WHERE topic = 'signup'")


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "k"}])
async def test_somebody_who_is_banned_while_their_request_comes_in_makes_no_key(
    app: Any, database: str, headers: dict[str, str]
) -> None:
    async with signed_in(app, database, role="owner") as lord, signed_in(app, database) as ada:
        path = f"/api/v1/admin/users/{ada.user_id}"
        body = slowly(b'{"name":', lambda: lord.client.patch(path, json={"status": "banned"}), b' "k"}')
        answer = await ada.client.post("/api/v1/keys", content=body, headers=JSON | headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "session_expired"), answer.text
    assert not await run_sql(database, "SELECT FROM keys")


async def test_a_member_who_is_removed_while_their_request_comes_in_changes_nothing_of_the_team(
    app: Any, database: str
) -> None:
    async with signed_in(app, database) as owner, signed_in(app, database) as ada:
        team = await team_of(owner)
        await put_in(database, team, ada, "admin")
        removed = f"{ACCOUNTS}/{team}/members/{ada.user_id}"
        draft = b'{"kind": "low_balance", "threshold": 5, "to_mail":'
        body = slowly(draft, lambda: owner.client.delete(removed), b" true}")
        answer = await ada.client.post("/api/v1/alerts", content=body, headers=JSON | within(team))
        assert answer.status_code == 404, answer.text
    assert not await run_sql(database, "SELECT FROM alerts")


async def test_a_token_that_is_revoked_while_its_request_comes_in_does_nothing(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        made = (await ada.client.post("/api/v1/tokens", json={"name": "t", "scopes": ["keys.write"]})).json()
        body = slowly(b'{"name":', lambda: _revoke(ada, made["id"]), b' "k"}')
        bearer = {"authorization": f"Bearer {made['token']}"}
        answer = await ada.client.post("/api/v1/keys", content=body, headers=JSON | bearer)
        assert answer.status_code == 401, answer.text
    assert not await run_sql(database, "SELECT FROM keys")


async def _revoke(who: Signed, token_id: str) -> httpx.Response:
    return await who.client.delete(f"/api/v1/tokens/{token_id}")
