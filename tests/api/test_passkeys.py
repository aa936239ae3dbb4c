"""Passkeys: made for one page and one person, answered once."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from airouter.services.passkeys import relying_party
from tests.api.conftest import CONSOLE, client_of
from tests.authenticator import Authenticator, b64
from tests.builders import PASSWORD, Signed, cookie_of, run_sql, signed_in

OPTIONS = "/api/v1/auth/passkey/options"
SIGN_IN = "/api/v1/auth/passkey"
MINE = "/api/v1/me/passkeys"
PROVE = "/api/v1/auth/reauthenticate"


async def add(who: Signed, name: str = "Laptop") -> tuple[Authenticator, dict[str, Any]]:
    device = Authenticator(CONSOLE, "console.example.com")
    options = (await who.client.post(f"{MINE}/options")).json()["public_key"]
    answer = await who.client.post(MINE, json={"name": name, "credential": device.make(options)})
    assert answer.status_code == 201, answer.text
    return device, answer.json()


async def ask(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post(OPTIONS, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["public_key"]


def test_browsers_offer_passkeys_only_to_names_with_tls_and_to_localhost() -> None:
    assert relying_party("http://127.0.0.1:8080", ()) is None
    assert relying_party("http://console.example.com", ()) is None
    found = relying_party("http://localhost:8080", ("http://localhost:5173", "https://elsewhere.example"))
    assert found is not None
    assert (found.id, found.origins) == ("localhost", ("http://localhost:8080", "http://localhost:5173"))


async def test_where_no_browser_would_do_it_nothing_is_offered(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, client_of(app) as browser:
        assert "passkey" not in (await browser.get("/api/v1/status")).json()["sign_in"]
        for client, path in ((browser, OPTIONS), (ada.client, f"{MINE}/options")):
            answer = await client.post(path, json={})
            assert (answer.status_code, answer.json()["code"]) == (422, "not_supported_yet")


async def test_strangers_have_no_passkeys(named: Any) -> None:
    async with client_of(named) as stranger:
        for method, path in (("POST", f"{MINE}/options"), ("POST", MINE), ("DELETE", f"{MINE}/{'0' * 32}")):
            assert (await stranger.request(method, path, json={})).status_code in {401, 404}


async def test_a_passkey_signs_in_without_an_address_and_counts_as_both_factors(named: Any, database: str) -> None:
    async with signed_in(named, database) as ada, client_of(named) as browser:
        device, added = await add(ada)
        assert len(added["recovery_codes"]) == 10
        options = await ask(browser)
        assert options["userVerification"] == "required"
        assert not options.get("allowCredentials")
        answer = await browser.post(SIGN_IN, json={"credential": device.answer(options)})
        assert answer.status_code == 200, answer.text
        assert cookie_of(answer)
        me = await browser.get("/api/v1/me", headers={"authorization": f"Bearer {answer.json()['access_token']}"})
        assert me.json()["user"]["id"] == str(ada.user_id)


async def test_an_answer_is_good_once_even_from_many_at_the_same_time(named: Any, database: str) -> None:
    async with signed_in(named, database) as ada, client_of(named) as browser:
        device, _ = await add(ada)
        credential = device.answer(await ask(browser), counts=False)  # an authenticator that does not count
        answers = await asyncio.gather(*(browser.post(SIGN_IN, json={"credential": credential}) for _ in range(6)))
        assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 5}
        assert (await browser.post(SIGN_IN, json={"credential": credential})).json()["code"] == "passkey_refused"


@pytest.mark.parametrize(
    "bent",
    [
        {"origin": "https://console.example.com.evil.example"},
        {"origin": "http://console.example.com"},
        {"rp_id": "evil.example"},
        {"challenge": b64(bytes(56))},
        {"verified": False},
    ],
)
async def test_an_answer_to_another_page_or_question_or_without_its_person_is_refused(
    named: Any, database: str, bent: dict[str, Any]
) -> None:
    async with signed_in(named, database) as ada, client_of(named) as browser:
        device, _ = await add(ada)
        answer = await browser.post(SIGN_IN, json={"credential": device.answer(await ask(browser), **bent)})
        assert (answer.status_code, answer.json()["code"]) == (401, "passkey_refused")


async def test_a_counter_that_goes_back_is_a_copy(named: Any, database: str) -> None:
    async with signed_in(named, database) as ada, client_of(named) as browser:
        device, _ = await add(ada)
        device.sign_count = 7
        assert (await browser.post(SIGN_IN, json={"credential": device.answer(await ask(browser))})).status_code == 200
        device.sign_count = 3
        answer = await browser.post(SIGN_IN, json={"credential": device.answer(await ask(browser))})
        assert (answer.status_code, answer.json()["code"]) == (401, "passkey_refused")


@pytest.mark.parametrize(
    "credential",
    [{}, {"rawId": 1, "response": "x"}, {"id": "A", "rawId": "A", "type": "public-key", "response": {}}],
)
async def test_nonsense_is_refused(named: Any, credential: dict[str, Any]) -> None:
    async with client_of(named) as browser:
        answer = await browser.post(SIGN_IN, json={"credential": credential})
        assert (answer.status_code, answer.json()["code"]) == (401, "passkey_refused")


async def test_after_a_password_the_persons_own_passkey_is_the_second_step(named: Any, database: str) -> None:
    async with (
        signed_in(named, database) as ada,
        signed_in(named, database) as bob,
        client_of(named) as browser,
    ):
        device, _ = await add(ada)
        other, _ = await add(bob)

        async def begin() -> tuple[str, dict[str, Any]]:
            first = (await browser.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})).json()
            assert first["methods"] == ["passkey", "recovery_code"]
            return first["mfa_token"], await ask(browser, is_second_step=True, mfa_token=first["mfa_token"])

        async def finish(token: str, credential: dict[str, Any]) -> httpx.Response:
            body = {"mfa_token": token, "method": "passkey", "credential": credential}
            return await browser.post("/api/v1/auth/mfa", json=body)

        token, options = await begin()
        assert [c["id"] for c in options["allowCredentials"]] == [b64(device.credential_id)]
        assert (await finish(token, other.answer(options))).json()["code"] == "passkey_refused"
        another, _ = await begin()
        assert (await finish(another, device.answer(options))).json()["code"] == "passkey_refused"
        assert (await finish(token, device.answer(await ask(browser)))).json()["code"] == "passkey_refused"
        assert (await finish(token, device.answer(options))).status_code == 200


async def test_a_challenge_made_for_somebody_else_makes_no_passkey(named: Any, database: str) -> None:
    async with signed_in(named, database) as ada, signed_in(named, database) as bob:
        options = (await ada.client.post(f"{MINE}/options")).json()["public_key"]
        device = Authenticator(CONSOLE, "console.example.com")
        made = device.make(options)
        refused = await bob.client.post(MINE, json={"name": "x", "credential": made})
        assert (refused.status_code, refused.json()["code"]) == (401, "passkey_refused")
        unverified = device.make(options, verified=False)
        assert (await ada.client.post(MINE, json={"name": "x", "credential": unverified})).status_code == 401
        elsewhere = device.make(options, origin="https://evil.example")
        assert (await ada.client.post(MINE, json={"name": "x", "credential": elsewhere})).status_code == 401
        assert (await ada.client.post(MINE, json={"name": "x", "credential": made})).status_code == 201
        again = await ada.client.post(MINE, json={"name": "x", "credential": made})
        assert (again.status_code, again.json()["code"]) == (401, "passkey_refused")


async def test_a_passkey_proves_who_it_is_within_a_session_and_is_renamed_and_removed(
    named: Any, database: str
) -> None:
    async with signed_in(named, database) as ada, signed_in(named, database) as bob:
        device, added = await add(ada)
        mine = f"{MINE}/{added['passkey']['id']}"
        assert (await bob.client.delete(mine)).status_code == 404
        assert (await bob.client.patch(mine, json={"name": "Bob's"})).status_code == 404
        assert (await ada.client.patch(mine, json={"name": "Old laptop"})).status_code == 204
        await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")
        refused = await ada.client.delete(mine)
        assert refused.json()["methods"] == ["passkey", "recovery_code"]
        options = (await ada.client.post(f"{PROVE}/options")).json()["public_key"]
        proof = {"method": "passkey", "credential": device.answer(options)}
        assert (await bob.client.post(PROVE, json=proof)).status_code == 422
        assert (await ada.client.post(PROVE, json=proof)).status_code == 204
        assert (await ada.client.post(PROVE, json=proof)).status_code == 422
        assert (await ada.client.delete(mine)).status_code == 204
        security = (await ada.client.get("/api/v1/me/security")).json()
        assert (security["passkeys"], security["recovery_codes_left"]) == ([], 0)


async def test_the_last_way_in_stays(named: Any, database: str) -> None:
    async with signed_in(named, database) as ada:
        _, first = await add(ada, "One")
        _, second = await add(ada, "Two")
        await run_sql(database, "UPDATE users SET password_hash = NULL WHERE user_id = $1", ada.user_id)
        gone = await asyncio.gather(*(ada.client.delete(f"{MINE}/{one['passkey']['id']}") for one in (first, second)))
        assert Counter(answer.status_code for answer in gone) == {204: 1, 409: 1}
        assert {answer.json()["code"] for answer in gone if answer.status_code == 409} == {"last_way_in"}
