"""Redeeming codes over REST: every refusal of the contract."""

from typing import Any

import httpx
import pytest

from airouter.domain.ids import BatchId
from airouter.services.attempts import Attempts
from airouter.services.redemptions import BatchDraft, Redemptions
from airouter.services.vault import Vault
from airouter.storage.database import Database
from airouter.world import new_id
from tests.builders import run_sql, signed_in
from tests.settings import SECRET

REDEEM = "/api/v1/redemptions"
TWO_USES = "UPDATE redemption_batches SET uses_per_code = 2"
CLOSED = """INSERT INTO policies (topic, value) VALUES ('topup', '{"redemption_enabled": false}')"""


@pytest.mark.parametrize(("method", "path"), [("POST", REDEEM), ("GET", "/api/v1/topup"), ("GET", "/api/v1/referral")])
async def test_a_stranger_redeems_nothing(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path, json={"code": "x"} if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_code_is_credited_however_it_is_typed_and_only_once(app: Any, database: str) -> None:
    code = await _code(database)
    async with signed_in(app, database) as ada, signed_in(app, database) as eve:
        answer = await ada.client.post(REDEEM, json={"code": f" {code.lower().replace('-', ' ')} "})
        assert (answer.status_code, answer.json()) == (201, {"amount": 5000, "balance": 5000})
        assert (await ada.client.get("/api/v1/wallet")).json()["balance"] == 5000
        again = await ada.client.post(REDEEM, json={"code": code})
        assert (again.status_code, again.json()["code"], again.json()["by_you"]) == (409, "code_already_redeemed", True)
        late = await eve.client.post(REDEEM, json={"code": code})
        assert (late.status_code, late.json()["code"], late.json()["by_you"]) == (409, "code_already_redeemed", False)
        lines = (await ada.client.get("/api/v1/wallet/transfers")).json()["items"]
        assert [(line["kind"], line["amount"], line["balance_after"]) for line in lines] == [("redemption", 5000, 5000)]
    kept = await run_sql(database, "SELECT redemption_codes::text AS everything FROM redemption_codes")
    assert code.replace("-", "") not in kept[0]["everything"].upper()


@pytest.mark.parametrize(
    ("spoil", "status", "refusal"),
    [
        ("UPDATE redemption_batches SET expires_at = now() - interval '1 second'", 410, "code_expired"),
        ("UPDATE redemption_batches SET revoked_at = now()", 410, "code_revoked"),
        ("UPDATE redemption_codes SET revoked_at = now()", 410, "code_revoked"),
        ("UPDATE redemption_batches SET groups = '{vip}'", 403, "code_not_for_group"),
        (f"{TWO_USES}; UPDATE redemption_codes SET uses = 2", 409, "code_uses_exhausted"),
        (CLOSED, 403, "redemption_disabled"),
        ("UPDATE accounts SET status = 'paused'", 403, "account_paused"),
    ],
)  # fmt: skip
async def test_a_code_that_does_not_hold_says_why(
    app: Any, database: str, spoil: str, status: int, refusal: str
) -> None:
    code = await _code(database)
    async with signed_in(app, database) as ada:
        for statement in spoil.split("; "):
            await run_sql(database, statement)
        await run_sql(database, "UPDATE versions SET version = version + 1 WHERE name = 'accounts'")
        await run_sql(database, "SELECT pg_notify('airouter_changed', 'accounts')")
        answer = await ada.client.post(REDEEM, json={"code": code})
        assert answer.status_code == status, answer.text
        assert answer.json()["code"] == refusal


async def test_a_wallet_that_is_full_takes_no_code_and_the_code_is_not_used_up(app: Any, database: str) -> None:
    first, second = await _code(database, amount=2**53 - 1), await _code(database)
    async with signed_in(app, database) as ada:
        assert (await ada.client.post(REDEEM, json={"code": first})).status_code == 201
        full = await ada.client.post(REDEEM, json={"code": second})
        assert (full.status_code, full.json()["code"]) == (422, "amount_too_large")
    assert (await run_sql(database, "SELECT sum(uses)::int AS uses FROM redemption_codes"))[0]["uses"] == 1


async def test_guessing_codes_ends_after_ten(app: Any, database: str) -> None:
    code = await _code(database)
    async with signed_in(app, database) as eve, signed_in(app, database) as ada:
        for n in range(10):
            answer = await eve.client.post(REDEEM, json={"code": f"guess {n}"})
            assert (answer.status_code, answer.json()["code"]) == (404, "code_unknown")
        refused = await eve.client.post(REDEEM, json={"code": code})
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        assert int(refused.headers["retry-after"]) > 0
        assert (await ada.client.post(REDEEM, json={"code": code})).status_code == 201


async def test_a_typing_mistake_is_said_and_is_no_guess(app: Any, database: str) -> None:
    code = await _code(database)
    mistyped = code[:-1] + ("2" if code[-1] != "2" else "3")
    async with signed_in(app, database) as ada:
        for _ in range(15):
            answer = await ada.client.post(REDEEM, json={"code": mistyped})
            assert (answer.status_code, answer.json()["code"]) == (404, "code_unknown")
            assert answer.json()["is_mistyped"] is True
        assert (await ada.client.post(REDEEM, json={"code": code})).status_code == 201


async def test_a_double_click_with_one_key_is_answered_twice_and_credited_once(app: Any, database: str) -> None:
    code = await _code(database)
    async with signed_in(app, database) as ada:
        key = {"Idempotency-Key": "one-click"}
        answers = [await ada.client.post(REDEEM, json={"code": code}, headers=key) for _ in range(2)]
        assert [(one.status_code, one.json()) for one in answers] == [(201, {"amount": 5000, "balance": 5000})] * 2


async def test_nothing_that_was_not_configured_is_shown(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        top_up = (await ada.client.get("/api/v1/topup")).json()
        assert (top_up["is_enabled"], top_up["redemption_enabled"], top_up["methods"]) == (False, True, [])
        referral = (await ada.client.get("/api/v1/referral")).json()
        assert referral["is_enabled"] is False
        assert referral["code"] is None


async def _code(dsn: str, amount: int = 5000) -> str:
    opened, vault = await Database.open(dsn), Vault([SECRET])
    try:
        redemptions = Redemptions(opened, vault, Attempts(opened, vault))
        draft = BatchDraft(name="test", amount=amount, count=1)
        _, codes = await redemptions.create_batch(draft, BatchId(new_id()), None)
    finally:
        await opened.close()
    assert codes is not None
    return codes[0]
