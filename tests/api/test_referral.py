"""Referrals over REST, for account holders and operators."""

from typing import Any

import pytest

from tests.api.conftest import client_of
from tests.builders import Signed, run_sql, signed_in
from tests.services.referred import scene

REFERRAL = "/api/v1/referral"
POLICY = "/api/v1/admin/policies/referral"
ON = {"is_enabled": True, "reward": 500, "invitee_reward": 300, "condition": "registration", "minimum_transfer": 100}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", REFERRAL),
        ("GET", f"{REFERRAL}/rewards"),
        ("POST", f"{REFERRAL}/transfers"),
        ("GET", "/api/v1/admin/referrals"),
        ("POST", f"/api/v1/admin/rewards/{'0' * 8}-0000-7000-8000-{'0' * 12}/release"),
        ("GET", "/api/v1/admin/redemptions"),
        ("POST", "/api/v1/admin/redemption-codes/find"),
    ],
)
async def test_a_stranger_and_a_user_are_kept_out(app: Any, database: str, method: str, path: str) -> None:
    async with client_of(app) as stranger, signed_in(app, database) as ada:
        answer = await stranger.request(method, path, json={} if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        if "/admin/" in path:
            answer = await ada.client.request(method, path, json={} if method == "POST" else None)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_required")


async def test_referrals_are_off_and_empty_until_an_operator_says_what_is_given(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database, role="operator") as boss:
        off = (await ada.client.get(REFERRAL)).json()
        assert (off["is_enabled"], off["code"], off["reward"], off["condition"]) == (False, None, None, None)
        refused = await boss.client.put(POLICY, json={"is_enabled": True})
        assert (refused.status_code, refused.json()["field"]) == (422, "is_enabled")
        assert (await boss.client.put(POLICY, json=ON)).status_code == 200
        on = (await ada.client.get(REFERRAL)).json()
        assert (on["is_enabled"], on["reward"], on["invitee_reward"], on["condition"], on["minimum_transfer"]) == (
            True, 500, 300, "registration", 100,
        )  # fmt: skip
        assert on["link"].endswith(f"/register?ref={on['code']}")
        assert (await ada.client.get(REFERRAL)).json()["code"] == on["code"]


async def test_a_reward_is_listed_transferred_and_counted(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database, role="operator") as boss:
        await _bring(database, boss, ada, "grace@example.com")
        [reward] = (await ada.client.get(f"{REFERRAL}/rewards")).json()["items"]
        assert (reward["side"], reward["state"], reward["other"], reward["posted"]) == (
            "referrer", "released", "gr…@example.com", 500,
        )  # fmt: skip
        small = await ada.client.post(f"{REFERRAL}/transfers", json={"amount": 99})
        assert (small.status_code, small.json()["code"], small.json()["minimum"]) == (422, "transfer_too_small", 100)
        large = await ada.client.post(f"{REFERRAL}/transfers", json={"amount": 501})
        assert (large.status_code, large.json()["code"], large.json()["balance"]) == (409, "balance_insufficient", 500)
        key = {"Idempotency-Key": "click"}
        for _ in range(2):
            moved = await ada.client.post(f"{REFERRAL}/transfers", json={"amount": 200}, headers=key)
            assert (moved.status_code, moved.json()) == (201, {"reward_balance": 300, "balance": 200})
        wallet = (await ada.client.get("/api/v1/wallet")).json()
        assert (wallet["balance"], wallet["reward_balance"]) == (200, 300)
        seen = (await ada.client.get(REFERRAL)).json()
        assert (seen["reward_balance"], seen["rewarded_total"], seen["referred_count"]) == (300, "500", 1)


@pytest.mark.parametrize("amount", [0, -1, 2**53, 1.5, "200", None])
async def test_amounts_that_are_none_are_refused(app: Any, database: str, amount: Any) -> None:
    async with signed_in(app, database) as ada:
        answer = await ada.client.post(f"{REFERRAL}/transfers", json={"amount": amount})
        assert answer.status_code == 422, answer.text


async def test_a_paused_account_transfers_nothing(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database, role="operator") as boss:
        paused = await boss.client.patch(f"/api/v1/admin/accounts/{ada.account_id}", json={"status": "paused"})
        assert paused.status_code == 200
        answer = await ada.client.post(f"{REFERRAL}/transfers", json={"amount": 200})
        assert (answer.status_code, answer.json()["code"]) == (403, "account_paused")


async def test_an_operator_finds_withholds_and_releases(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database, role="operator") as boss:
        await _bring(database, boss, ada, "grace@example.com")
        for query, count in [
            ({}, 1), ({"account_id": str(ada.account_id)}, 1), ({"state": "released"}, 1), ({"state": "withheld"}, 0),
            ({"q": "GRACE"}, 1), ({"q": "nobody"}, 0), ({"network": "203.0.113.5"}, 1), ({"network": "203.0.113.6"}, 0),
        ]:  # fmt: skip
            items = (await boss.client.get("/api/v1/admin/referrals", params=query)).json()["items"]
            assert len(items) == count, query
        [view] = (await boss.client.get("/api/v1/admin/referrals")).json()["items"]
        reward = next(one for one in view["rewards"] if one["side"] == "referrer")
        act = f"/api/v1/admin/rewards/{reward['id']}"
        assert (await boss.client.post(f"{act}/withhold", json={"reason": ""})).status_code == 422
        put = await boss.client.put(
            "/api/v1/admin/policies/sign_in", json={"reauthenticate_above": reward["amount"] - 1}
        )
        assert put.status_code == 200, put.text
        await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")
        for verb in ("withhold", "release"):  # a reward is money
            asked = await boss.client.post(f"{act}/{verb}", json={"reason": "one household"})
            assert (asked.status_code, asked.json()["code"]) == (403, "reauthentication_required")
        await run_sql(database, "UPDATE sessions SET authenticated_at = now()")
        held = await boss.client.post(f"{act}/withhold", json={"reason": "one household"})
        assert (held.status_code, held.json()["state"], held.json()["note"]) == (200, "withheld", "one household")
        await _work(database)
        assert (await ada.client.get(REFERRAL)).json()["reward_balance"] == 0
        freed = await boss.client.post(f"{act}/release", json={"reason": "two after all"})
        assert (freed.status_code, freed.json()["state"]) == (200, "pending")
        await _work(database)
        assert (await ada.client.get(REFERRAL)).json()["reward_balance"] == 500
        log = (await boss.client.get("/api/v1/admin/audit-log", params={"subject": "reward"})).json()["items"]
        assert [one["action"] for one in log] == ["reward.released", "reward.withheld"]
        unknown = await boss.client.post(f"/api/v1/admin/rewards/{view['id']}/release", json={"reason": "x"})
        assert unknown.status_code == 404


async def _bring(dsn: str, boss: Signed, who: Signed, email: str) -> None:
    assert (await boss.client.put(POLICY, json=ON)).status_code == 200
    code = (await who.client.get(REFERRAL)).json()["code"]
    async with scene(dsn) as here:
        await here.person(email, code=code)
        await here.rewards.work()


async def _work(dsn: str) -> None:
    async with scene(dsn) as here:
        await here.rewards.work()
