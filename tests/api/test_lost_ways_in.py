"""Somebody lost a way into their account: who may help, what that ends, and what is written down."""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from airouter.running.errors import CannotStart
from airouter.running.operators import withdraw_second_factor
from tests.api.conftest import client_of
from tests.api.test_factors import LOGIN, MFA, SECURITY, enrol, first_step
from tests.api.test_password_reset import NEW, ask, confirm, sign_in
from tests.api.test_sign_up import letters, token_in
from tests.builders import PASSWORD, Signed, run_sql, signed_in
from tests.settings import settings_for


async def withdraw(who: Signed, whom: Signed) -> httpx.Response:
    return await who.client.delete(f"/api/v1/admin/users/{whom.user_id}/second-factor")


async def make_link(who: Signed, whom: Signed) -> httpx.Response:
    return await who.client.post(f"/api/v1/admin/users/{whom.user_id}/password-link")


async def link_for(who: Signed, whom: Signed) -> str:
    """The token of a link that was made."""
    answer = await make_link(who, whom)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["link"].partition("/reset#")[2])


async def acts_about(dsn: str, whom: Signed) -> list[Any]:
    return await run_sql(
        dsn,
        "SELECT user_id, before, after FROM audit_log "
        "WHERE action = 'user.second_factor_withdrawn' AND subject_id = $1",
        str(whom.user_id),
    )


async def give_passkey(dsn: str, whom: Signed) -> None:
    await run_sql(
        dsn,
        "INSERT INTO passkeys "
        "(passkey_id, user_id, credential_id, public_key, sign_count, transports, is_backed_up, name) "
        "VALUES (gen_random_uuid(), $1, decode(md5(random()::text), 'hex'), '\\x00', 0, '{}', false, 'Phone')",
        whom.user_id,
    )


async def test_strangers_and_users_withdraw_nothing(app: Any, database: str, client: httpx.AsyncClient) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        await enrol(ada)
        path = f"/api/v1/admin/users/{ada.user_id}/second-factor"
        assert (await client.delete(path)).status_code == 401
        assert (await withdraw(bob, ada)).json()["code"] == "role_required"
        assert (await ada.client.get(SECURITY)).json()["has_totp"]


async def test_the_password_alone_lets_them_in_again_and_every_session_has_ended(app: Any, database: str) -> None:
    async with AsyncExitStack() as stack:
        owner, ops = [
            await stack.enter_async_context(signed_in(app, database, role=role)) for role in ("owner", "operator")
        ]
        ada = await stack.enter_async_context(signed_in(app, database))
        browser = await stack.enter_async_context(client_of(app))
        _, codes = await enrol(ada)
        await give_passkey(database, ada)
        await run_sql(database, "UPDATE users SET locale = 'zh-CN' WHERE user_id = $1", ada.user_id)
        begun = (await first_step(browser, ada))["mfa_token"]
        seen = await ops.client.get(f"/api/v1/admin/users/{ada.user_id}")
        assert seen.json()["has_second_factor"] is True
        answer = await withdraw(ops, ada)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await ada.client.get("/api/v1/me")).status_code == 401
        late = await browser.post(MFA, json={"mfa_token": begun, "method": "recovery_code", "code": codes[0]})
        assert late.status_code == 401
        opened = await browser.post(LOGIN, json={"email": ada.email, "password": PASSWORD})
        assert opened.status_code == 200, opened.text
        browser.headers["authorization"] = f"Bearer {opened.json()['access_token']}"
        security = (await browser.get(SECURITY)).json()
        assert (security["has_totp"], security["recovery_codes_left"]) == (False, 0)
        seen = await ops.client.get(f"/api/v1/admin/users/{ada.user_id}")
        assert seen.json()["has_second_factor"] is False
        (told,) = [text for letter, text in await letters(owner, ada.email) if letter == "second_factor_withdrawn"]
        assert "运营者" in told
    (act,) = await acts_about(database, ada)
    assert act["user_id"] == ops.user_id
    assert json.loads(act["before"]) == {"totp": True, "passkeys": 1, "codes_left": 10}
    assert json.loads(act["after"]) == {"totp": False, "passkeys": 0, "codes_left": 0}


async def test_operators_and_owners_are_an_owners_business_and_nobody_does_it_to_themselves(
    app: Any, database: str
) -> None:
    async with AsyncExitStack() as stack:
        lord, second, ops, other = [
            await stack.enter_async_context(signed_in(app, database, role=role))
            for role in ("owner", "owner", "operator", "operator")
        ]
        for who in (lord, second, ops, other):
            await enrol(who)
        for whom in (lord, other):
            refused = await withdraw(ops, whom)
            assert (refused.status_code, refused.json()["code"]) == (403, "role_required")
        assert (await withdraw(lord, lord)).json()["field"] == "user_id"
        for whom in (other, second):
            assert (await withdraw(lord, whom)).status_code == 204
        assert (await lord.client.get(SECURITY)).json()["has_totp"]


async def test_it_asks_who_the_operator_is_and_takes_no_token(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as ops, signed_in(app, database) as ada:
        await enrol(ada)
        made = await ops.client.post("/api/v1/tokens", json={"name": "t", "scopes": ["users.write"]})
        async with client_of(app) as script:
            script.headers["authorization"] = f"Bearer {made.json()['token']}"
            by_token = await script.delete(f"/api/v1/admin/users/{ada.user_id}/second-factor")
        assert by_token.json()["code"] == "reauthentication_required"
        await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")
        refused = await withdraw(ops, ada)
        assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
        assert (await ada.client.get(SECURITY)).json()["has_totp"]


async def test_of_many_who_withdraw_at_once_one_does(app: Any, database: str) -> None:
    async with AsyncExitStack() as stack:
        owner, ops = [
            await stack.enter_async_context(signed_in(app, database, role=role)) for role in ("owner", "operator")
        ]
        ada = await stack.enter_async_context(signed_in(app, database))
        await enrol(ada)
        answers = await asyncio.gather(*(withdraw(who, ada) for who in (owner, ops, owner, ops)))
        assert Counter(answer.status_code for answer in answers) == {204: 4}
        told = [letter for letter, _ in await letters(owner, ada.email) if letter == "second_factor_withdrawn"]
        assert len(told) == 1
        assert len(await acts_about(database, ada)) == 1
        again = await owner.client.post(LOGIN, json={"email": ada.email, "password": PASSWORD})
        assert again.status_code == 200
        assert (await withdraw(owner, ada)).status_code == 204  # nothing to take: the new session goes on
        headers = {"authorization": f"Bearer {again.json()['access_token']}"}
        assert (await ada.client.get("/api/v1/me", headers=headers)).status_code == 200


async def test_passkeys_stay_where_they_are_all_that_somebody_signs_in_with(app: Any, database: str) -> None:
    async with signed_in(app, database, role="owner") as lord, signed_in(app, database) as ada:
        await give_passkey(database, lord)
        await give_passkey(database, ada)
        off = await lord.client.put("/api/v1/admin/policies/sign_in", json={"password_enabled": False})
        assert off.status_code == 200, off.text
        refused = await withdraw(lord, ada)
        assert (refused.status_code, refused.json()["code"]) == (409, "last_way_in")
        assert (await ada.client.get("/api/v1/me")).status_code == 200
    assert len(await run_sql(database, "SELECT 1 FROM passkeys")) == 2


async def test_whoever_runs_the_machine_helps_the_only_owner(app: Any, database: str, tmp_path: Path) -> None:
    settings = settings_for(database, tmp_path)
    async with signed_in(app, database, role="owner") as lord, client_of(app) as browser:
        await enrol(lord)
        assert await withdraw_second_factor(settings, lord.email.upper()) is True
        assert await withdraw_second_factor(settings, lord.email) is False
        assert (await browser.post(LOGIN, json={"email": lord.email, "password": PASSWORD})).status_code == 200
        with pytest.raises(CannotStart, match="no user"):
            await withdraw_second_factor(settings, "nobody@example.com")
    (act,) = await acts_about(database, lord)
    assert act["user_id"] is None


async def test_a_link_that_was_handed_over_chooses_a_password_once(
    app: Any, database: str, client: httpx.AsyncClient
) -> None:
    async with AsyncExitStack() as stack:
        owner, ops = [
            await stack.enter_async_context(signed_in(app, database, role=role)) for role in ("owner", "operator")
        ]
        ada = await stack.enter_async_context(signed_in(app, database))
        await run_sql(
            database, "UPDATE users SET password_hash = NULL, email_verified_at = NULL WHERE user_id = $1", ada.user_id
        )
        first = await link_for(ops, ada)
        token = await link_for(ops, ada)
        assert (await ada.client.get("/api/v1/me")).status_code == 200, "until it is followed, all stays"
        assert (await confirm(client, first)).json()["code"] == "invalid_token", "the newest replaces the others"
        answers = await asyncio.gather(*(confirm(client, token) for _ in range(4)))
        assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 3}
        assert (await ada.client.get("/api/v1/me")).status_code == 401
        assert await sign_in(client, ada.email, NEW) == 200
        told = [letter for letter, _ in await letters(owner, ada.email)]
        assert told == ["password_link_made", "password_link_made", "password_changed"]
    (person,) = await run_sql(database, "SELECT email_verified_at FROM users WHERE user_id = $1", ada.user_id)
    assert person["email_verified_at"] is None, "nobody has read the mail of this address"
    acts = await run_sql(
        database, "SELECT user_id, after::text FROM audit_log WHERE action = 'user.password_link_made'"
    )
    assert [act["user_id"] for act in acts] == [ops.user_id] * 2
    assert token not in repr(acts)


async def test_links_for_operators_are_an_owners_business_and_nobody_makes_their_own(app: Any, database: str) -> None:
    async with AsyncExitStack() as stack:
        lord, ops, other = [
            await stack.enter_async_context(signed_in(app, database, role=role))
            for role in ("owner", "operator", "operator")
        ]
        ada = await stack.enter_async_context(signed_in(app, database))
        assert (await make_link(ada, ops)).json()["code"] == "role_required"
        for whom in (lord, other):
            assert (await make_link(ops, whom)).json()["code"] == "role_required"
        assert (await make_link(ops, ops)).json()["field"] == "user_id"
        assert (await make_link(lord, other)).status_code == 201
        await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")
        assert (await make_link(ops, ada)).json()["code"] == "reauthentication_required"


async def test_a_link_ends_with_what_it_was_made_for(app: Any, database: str, client: httpx.AsyncClient) -> None:
    async with signed_in(app, database, role="owner") as lord, signed_in(app, database) as ada:
        path = f"/api/v1/admin/users/{ada.user_id}"
        for change in ({"role": "operator"}, {"role": "user"}, {"status": "banned"}):
            token = await link_for(lord, ada)
            assert (await lord.client.patch(path, json=change)).status_code == 200
            assert (await confirm(client, token)).status_code == 401, change
        assert (await make_link(lord, ada)).status_code == 409, "they are banned"
        assert (await lord.client.patch(path, json={"status": "active"})).status_code == 200
        token = await link_for(lord, ada)
        assert (await ask(client, ada.email)).status_code == 202
        mailed = token_in(next(text for letter, text in await letters(lord, ada.email) if letter == "reset_password"))
        assert (await confirm(client, mailed)).status_code == 200
        assert (await confirm(client, token)).status_code == 401, "a new password ends every link"
        token = await link_for(lord, ada)
        await run_sql(database, "UPDATE mailed_links SET expires_at = now()")
        assert (await confirm(client, token)).status_code == 401
        await give_passkey(database, lord)
        off = await lord.client.put("/api/v1/admin/policies/sign_in", json={"password_enabled": False})
        assert off.status_code == 200, off.text
        assert (await make_link(lord, ada)).json()["code"] == "password_disabled"
