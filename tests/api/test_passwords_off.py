"""Where passwords are off they let nobody in: neither somebody new, nor whoever was on the way in when that changed."""

from typing import Any

import httpx

from tests.api.conftest import client_of
from tests.api.test_factors import MFA, enrol, first_step
from tests.api.test_lost_ways_in import give_passkey, link_for
from tests.api.test_password_reset import NEW, ask, confirm
from tests.api.test_sign_up import EMAIL, letters, policy, register, token_in, verify
from tests.builders import Signed, run_sql, signed_in


async def switch(database: str, owner: Signed, *, is_on: bool) -> None:
    await give_passkey(database, owner)
    answer = await owner.client.put("/api/v1/admin/policies/sign_in", json={"password_enabled": is_on})
    assert answer.status_code == 200, answer.text


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


OFF = (403, "password_disabled")


async def test_a_link_to_choose_a_password_waits_until_passwords_are_used_again(
    app: Any, database: str, client: httpx.AsyncClient
) -> None:
    async with signed_in(app, database, role="owner") as owner, signed_in(app, database) as ada:
        assert (await ask(client, ada.email)).status_code == 202
        ((_, text),) = await letters(owner, ada.email)
        handed = await link_for(owner, ada)
        await switch(database, owner, is_on=False)
        for token in (token_in(text), handed):
            assert refusal(await confirm(client, token)) == OFF
        assert (await ada.client.get("/api/v1/me")).status_code == 200, "nothing has changed for them"
        await switch(database, owner, is_on=True)
        assert (await confirm(client, handed, NEW)).status_code == 200


async def test_a_first_step_with_a_password_ends_when_passwords_are_switched_off(app: Any, database: str) -> None:
    async with (
        signed_in(app, database, role="owner") as owner,
        signed_in(app, database) as ada,
        client_of(app) as browser,
    ):
        _, codes = await enrol(ada)
        begun = (await first_step(browser, ada))["mfa_token"]
        await switch(database, owner, is_on=False)
        answer = await browser.post(MFA, json={"mfa_token": begun, "method": "recovery_code", "code": codes[0]})
        assert refusal(answer) == OFF


async def test_a_stranger_with_a_password_does_not_join(app: Any, database: str, client: httpx.AsyncClient) -> None:
    async with signed_in(app, database, role="owner") as owner:
        await policy(owner, verify_email=True)
        assert (await register(client)).status_code == 202
        ((_, text),) = await letters(owner)
        await switch(database, owner, is_on=False)
        assert refusal(await verify(client, token_in(text))) == OFF
        await policy(owner)
        assert refusal(await register(client, "another@example.com")) == OFF
        assert not await run_sql(database, "SELECT FROM users WHERE email IN ($1, 'another@example.com')", EMAIL)
        await switch(database, owner, is_on=True)
        assert (await verify(client, token_in(text))).status_code == 200
