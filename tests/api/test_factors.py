"""Second factors: enrolling, being asked for them, replaying them, losing them, taking them away."""

import asyncio
import time
from collections import Counter
from itertools import count, islice
from typing import Any

import httpx
import pyotp
import pytest

from tests.api.conftest import client_of
from tests.builders import PASSWORD, Signed, cookie_of, run_sql, signed_in

LOGIN = "/api/v1/auth/login"
MFA = "/api/v1/auth/mfa"
TOTP = "/api/v1/me/factors/totp"
CONFIRM = "/api/v1/me/factors/totp/confirm"
RENEW = "/api/v1/me/factors/recovery-codes"
SECURITY = "/api/v1/me/security"
PROVE = "/api/v1/auth/reauthenticate"


async def enrol(who: Signed) -> tuple[pyotp.TOTP, list[str]]:
    """An authenticator app in use, and the recovery codes that came with it."""
    begun = await who.client.post(TOTP)
    assert begun.status_code == 201, begun.text
    app = pyotp.TOTP(begun.json()["secret"])
    confirmed = await who.client.post(CONFIRM, json={"code": app.now()})
    assert confirmed.status_code == 200, confirmed.text
    return app, confirmed.json()["recovery_codes"]


async def forget_steps(dsn: str) -> None:
    """As if the last code had been typed a while ago."""
    await run_sql(dsn, "UPDATE totp_factors SET last_step = 0")


async def first_step(client: httpx.AsyncClient, who: Signed) -> dict[str, Any]:
    answer = await client.post(LOGIN, json={"email": who.email, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "mfa_required"), answer.text
    assert "set-cookie" not in answer.headers
    return answer.json()


@pytest.mark.parametrize("path", [TOTP, CONFIRM, RENEW, PROVE])
async def test_strangers_have_no_factors(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path, json={})).status_code == 401
    assert (await client.get(SECURITY)).status_code == 401
    assert (await client.delete(TOTP)).status_code == 401


async def test_a_secret_counts_from_the_code_that_proves_it(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app) as browser:
        begun = (await ada.client.post(TOTP)).json()
        assert begun["uri"].startswith("otpauth://totp/")
        wrong = await ada.client.post(CONFIRM, json={"code": "000000"})
        assert (wrong.status_code, wrong.json()["field"]) == (422, "code")
        assert (await browser.post(LOGIN, json={"email": ada.email, "password": PASSWORD})).status_code == 200
        assert (await ada.client.post(TOTP)).json()["secret"] != begun["secret"]
        await enrol(ada)
        assert (await ada.client.post(TOTP)).status_code == 409
        await first_step(browser, ada)
    stored = await run_sql(database, "SELECT secret FROM totp_factors")
    assert begun["secret"].encode() not in stored[0]["secret"]


async def test_the_second_step_opens_the_session(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app) as browser:
        totp, codes = await enrol(ada)
        assert len(set(codes)) == 10
        assert (await ada.client.get(SECURITY)).json()["recovery_codes_left"] == 10
        await forget_steps(database)
        first = await first_step(browser, ada)
        assert first["methods"] == ["totp", "recovery_code"]
        answer = await browser.post(MFA, json={"mfa_token": first["mfa_token"], "method": "totp", "code": totp.now()})
        assert answer.status_code == 200, answer.text
        assert cookie_of(answer)
        browser.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        sessions = (await browser.get("/api/v1/me/sessions")).json()["items"]
        assert [(s["method"], s["second_method"]) for s in sessions if s["is_current"]] == [("password", "totp")]


async def test_a_code_is_taken_once_even_from_two_at_the_same_time(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app) as browser:
        totp, _ = await enrol(ada)
        await forget_steps(database)
        firsts = [await first_step(browser, ada) for _ in range(6)]
        code = totp.now()
        answers = await asyncio.gather(
            *(browser.post(MFA, json={"mfa_token": f["mfa_token"], "method": "totp", "code": code}) for f in firsts)
        )
    assert Counter(a.status_code for a in answers) == {200: 1, 401: 5}
    assert {a.json()["code"] for a in answers if a.status_code == 401} == {"code_wrong"}


async def test_a_first_step_is_worth_one_session(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app) as browser:
        _, codes = await enrol(ada)
        token = (await first_step(browser, ada))["mfa_token"]
        answers = await asyncio.gather(
            *(browser.post(MFA, json={"mfa_token": token, "method": "recovery_code", "code": c}) for c in codes[:4])
        )
        assert Counter(a.status_code for a in answers) == {200: 1, 401: 3}
        assert {a.json()["code"] for a in answers if a.status_code == 401} == {"sign_in_expired"}
        # Whoever lost the race lost nothing else: their codes were given back with the transaction.
        assert (await ada.client.get(SECURITY)).json()["recovery_codes_left"] == 9


async def test_a_recovery_code_is_good_once_and_forgives_how_it_is_typed(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app) as browser:
        _, codes = await enrol(ada)
        typed = f" {codes[0].lower().replace('-', ' ')} "
        for expected in (200, 401):
            token = (await first_step(browser, ada))["mfa_token"]
            answer = await browser.post(MFA, json={"mfa_token": token, "method": "recovery_code", "code": typed})
            assert answer.status_code == expected
        fresh = (await ada.client.post(RENEW)).json()["recovery_codes"]
        assert not set(fresh) & set(codes)
        token = (await first_step(browser, ada))["mfa_token"]
        answer = await browser.post(MFA, json={"mfa_token": token, "method": "recovery_code", "code": codes[1]})
        assert (answer.status_code, answer.json()["code"]) == (401, "code_wrong")


async def test_guessing_the_second_step_ends_after_ten_and_is_written_down(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app) as browser:
        totp, _ = await enrol(ada)
        await forget_steps(database)
        token = (await first_step(browser, ada))["mfa_token"]
        near = {totp.at(time.time(), counter_offset=away) for away in range(-1, 20)}
        wrong = islice((code for n in count() if (code := f"{n:06}") not in near), 13)
        guesses = [browser.post(MFA, json={"mfa_token": token, "method": "totp", "code": code}) for code in wrong]
        statuses = Counter(answer.status_code for answer in await asyncio.gather(*guesses))
        assert statuses == {401: 10, 429: 3}
        right = await browser.post(MFA, json={"mfa_token": token, "method": "totp", "code": totp.now()})
        assert right.status_code == 429
    acts = await run_sql(database, "SELECT subject_id FROM audit_log WHERE action = 'sign_in.budget_exhausted'")
    assert [act["subject_id"] for act in acts] == [str(ada.user_id)]


@pytest.mark.parametrize("token", ["x", "a.b.c", ""])
async def test_a_first_step_of_somebody_elses_making_is_refused(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.post(MFA, json={"mfa_token": token, "method": "totp", "code": "123456"})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_expired")


async def test_an_access_token_is_no_first_step_and_the_other_way_round(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app) as browser:
        totp, _ = await enrol(ada)
        await forget_steps(database)
        body = {"mfa_token": ada.access_token, "method": "totp", "code": totp.now()}
        assert (await browser.post(MFA, json=body)).json()["code"] == "sign_in_expired"
        first = (await first_step(browser, ada))["mfa_token"]
        asked = await browser.get("/api/v1/me", headers={"authorization": f"Bearer {first}"})
        assert (asked.status_code, asked.json()["code"]) == (401, "unauthenticated")


async def test_a_first_step_with_the_old_password_ends_when_the_password_changes(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app) as browser:
        _, codes = await enrol(ada)
        token = (await first_step(browser, ada))["mfa_token"]
        await run_sql(database, "UPDATE users SET password_hash = 'another' WHERE user_id = $1", ada.user_id)
        answer = await browser.post(MFA, json={"mfa_token": token, "method": "recovery_code", "code": codes[0]})
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_expired")


async def test_a_banned_person_gets_no_further_with_the_second_step(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app) as browser:
        _, codes = await enrol(ada)
        token = (await first_step(browser, ada))["mfa_token"]
        await run_sql(database, "UPDATE users SET status = 'banned' WHERE user_id = $1", ada.user_id)
        answer = await browser.post(MFA, json={"mfa_token": token, "method": "recovery_code", "code": codes[0]})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


async def test_a_code_of_somebody_else_proves_nothing(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob, client_of(app) as browser:
        await enrol(ada)
        totp, codes = await enrol(bob)
        await forget_steps(database)
        token = (await first_step(browser, ada))["mfa_token"]
        for method, code in (("totp", totp.now()), ("recovery_code", codes[0])):
            answer = await browser.post(MFA, json={"mfa_token": token, "method": method, "code": code})
            assert (answer.status_code, answer.json()["code"]) == (401, "code_wrong")


async def test_removing_a_factor_asks_who_it_is_when_that_was_long_ago(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        totp, codes = await enrol(ada)
        await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '16 minutes'")
        refused = await ada.client.delete(TOTP)
        assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
        assert refused.json()["methods"] == ["totp", "recovery_code"]
        assert (await ada.client.post(RENEW)).status_code == 403
        # The password alone is less than what they have.
        weak = await ada.client.post(PROVE, json={"method": "password", "value": PASSWORD})
        assert (weak.status_code, weak.json()["field"]) == (422, "method")
        wrong = await ada.client.post(PROVE, json={"method": "totp", "value": "000000"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_proof")
        await forget_steps(database)
        assert (await ada.client.post(PROVE, json={"method": "totp", "value": totp.now()})).status_code == 204
        assert (await ada.client.delete(TOTP)).status_code == 204
        security = (await ada.client.get(SECURITY)).json()
        assert (security["has_totp"], security["recovery_codes_left"]) == (False, 0)
        assert (await ada.client.delete(TOTP)).status_code == 404
    acts = await run_sql(
        database, "SELECT action FROM audit_log WHERE subject_id = $1 ORDER BY act_id", str(ada.user_id)
    )
    assert {"factor.added", "factor.removed"} <= {act["action"] for act in acts}
    said = await run_sql(
        database, "SELECT coalesce(before::text, '') || coalesce(after::text, '') AS said FROM audit_log"
    )
    assert not [row for row in said if totp.secret in row["said"] or codes[0] in row["said"]]


async def test_without_a_second_factor_the_password_proves_who_it_is(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")
        refused = await ada.client.post(TOTP)
        assert refused.json()["methods"] == ["password"]
        wrong = await ada.client.post(PROVE, json={"method": "password", "value": "not it, not at all"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_proof")
        assert (await ada.client.post(PROVE, json={"method": "password", "value": PASSWORD})).status_code == 204
        assert (await ada.client.post(TOTP)).status_code == 201


async def test_money_above_the_policy_asks_who_it_is_and_the_same_request_then_passes(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as ops, signed_in(app, database) as ada:
        put = await ops.client.put("/api/v1/admin/policies/sign_in", json={"reauthenticate_above": 1000})
        assert put.status_code == 200, put.text
        await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")

        async def give(amount: int, key: str) -> httpx.Response:
            return await ops.client.post(
                f"/api/v1/admin/accounts/{ada.account_id}/adjustments",
                json={"amount": amount, "reason": "test"},
                headers={"idempotency-key": key},
            )

        history = (await ops.client.get("/api/v1/admin/policies/sign_in/history")).json()["items"]
        off = await ops.client.put("/api/v1/admin/policies/sign_in", json={})  # nor is the question switched off
        back = await ops.client.post("/api/v1/admin/policies/sign_in/restore", json={"version": history[-1]["version"]})
        assert {one.json()["code"] for one in (off, back)} == {"reauthentication_required"}
        assert (await give(1000, "one")).status_code == 201
        refused = await give(1001, "two")
        assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
        batch = {"name": "b", "amount": 501, "count": 2}
        assert (await ops.client.post("/api/v1/admin/redemption-batches", json=batch)).status_code == 403
        assert (await ops.client.post(PROVE, json={"method": "password", "value": PASSWORD})).status_code == 204
        assert (await give(1001, "two")).status_code == 201
        assert (await ops.client.post("/api/v1/admin/redemption-batches", json=batch)).status_code == 201
    balance = await run_sql(
        database, "SELECT balance FROM wallets WHERE account_id = $1 AND kind = 'main'", ada.account_id
    )
    assert balance[0]["balance"] == 2001


async def test_operators_without_a_factor_act_for_themselves_only_where_the_policy_says_so(
    app: Any, database: str
) -> None:
    async with signed_in(app, database, role="owner") as owner, signed_in(app, database, role="operator") as ops:
        await enrol(owner)
        put = await owner.client.put("/api/v1/admin/policies/sign_in", json={"require_second_factor_for": "operators"})
        assert put.status_code == 200, put.text
        refused = await ops.client.get("/api/v1/admin/accounts")
        assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
        assert (await ops.client.get("/api/v1/me")).status_code == 200
        assert (await owner.client.get("/api/v1/admin/accounts")).status_code == 200
        await enrol(ops)
        assert (await ops.client.get("/api/v1/admin/accounts")).status_code == 200


async def test_passwords_are_switched_off_only_while_every_owner_has_another_way_in(app: Any, database: str) -> None:
    async with signed_in(app, database, role="owner") as owner, client_of(app) as browser:
        body = {"password_enabled": False}
        refused = await owner.client.put("/api/v1/admin/policies/sign_in", json=body)
        assert (refused.status_code, refused.json()["field"]) == (422, "password_enabled")
        await run_sql(
            database,
            "INSERT INTO passkeys (passkey_id, user_id, credential_id, public_key, name) "
            "VALUES (gen_random_uuid(), $1, 'c', 'k', 'Laptop')",
            owner.user_id,
        )
        assert (await owner.client.put("/api/v1/admin/policies/sign_in", json=body)).status_code == 200
        answer = await browser.post(LOGIN, json={"email": owner.email, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (403, "password_disabled")
        assert "password" not in (await browser.get("/api/v1/status")).json()["sign_in"]


async def test_a_password_is_changed_with_the_second_factor_and_first_chosen_with_a_fresh_proof(
    app: Any, database: str
) -> None:
    change = {"current_password": PASSWORD, "new_password": "quite another horse, with a battery"}
    async with signed_in(app, database) as ada:
        totp, _ = await enrol(ada)
        await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")
        refused = await ada.client.post("/api/v1/me/password", json=change)
        assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
        await run_sql(database, "UPDATE users SET password_hash = NULL WHERE user_id = $1", ada.user_id)
        await forget_steps(database)
        assert (await ada.client.post(PROVE, json={"method": "totp", "value": totp.now()})).status_code == 204
        first = {**change, "current_password": ""}
        assert (await ada.client.post("/api/v1/me/password", json=first)).status_code == 204
        again = await ada.client.post("/api/v1/me/password", json=first)
        assert (again.status_code, again.json()["field"]) == (422, "current_password")
