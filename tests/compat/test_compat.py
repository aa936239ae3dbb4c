"""Requests as tools made for older gateways send them: chat programs, balance widgets, key managers."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from airouter.api.compat.billing import decimal
from airouter.services.compat import meant, shown
from tests.builders import Signed, grant, priced_model, run_sql, signed_in, spend

UNIT = 1_000_000_000
ADDRESSES = [
    ("GET", "/v1/dashboard/billing/subscription"),
    ("GET", "/dashboard/billing/usage"),
    ("GET", "/api/usage/token"),
    ("GET", "/api/status"),
    ("GET", "/api/pricing"),
    ("GET", "/api/user/self"),
    ("GET", "/api/token/"),
    ("POST", "/api/token/"),
    ("PUT", "/api/token/"),
    ("GET", "/api/token/search"),
    ("GET", "/api/token/1"),
    ("DELETE", "/api/token/1"),
]


def exact(answer: httpx.Response) -> Any:
    """Its JSON with numbers as they stand there."""
    return json.loads(answer.text, parse_float=Decimal)


async def made_key(holder: Signed, **body: Any) -> dict[str, Any]:
    answer = await holder.client.post("/api/v1/keys", json={"name": "k", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def with_key(key: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {key['key']}"}


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_nothing_is_there_unless_the_operator_says_so(
    holder: Signed, client: httpx.AsyncClient, method: str, path: str
) -> None:
    assert (await client.request(method, path)).status_code == 404
    assert (await holder.client.request(method, path)).status_code == 404


async def test_switched_off_again_it_is_gone(switched_on: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/status")).status_code == 200
    await switched_on.put("/api/v1/admin/policies/compat", json={"enabled": False})
    assert (await client.get("/api/status")).status_code == 404


@pytest.mark.usefixtures("switched_on")
async def test_a_chat_program_reads_what_is_left(database: str, holder: Signed, client: httpx.AsyncClient) -> None:
    key = await made_key(holder)
    await grant(database, holder.account_id, 10 * UNIT)
    await spend(database, key["id"], await priced_model(database), quantities={"input": 1_234_567})
    for prefix in ("/v1", ""):
        limit = exact(await client.get(f"{prefix}/dashboard/billing/subscription", headers=with_key(key)))
        usage = exact(
            await client.get(
                f"{prefix}/dashboard/billing/usage",
                params={"start_date": "2024-01-01", "end_date": "2024-03-31"},
                headers=with_key(key),
            )
        )
        assert limit["object"] == "billing_subscription"
        assert usage["total_usage"] == Decimal("123.4567"), "in hundredths, to the last place"
        assert limit["hard_limit_usd"] - usage["total_usage"] / 100 == Decimal("8.765433")


@pytest.mark.usefixtures("switched_on")
async def test_a_limited_key_does_not_tell_what_the_account_has(
    database: str, holder: Signed, client: httpx.AsyncClient
) -> None:
    await grant(database, holder.account_id, 10 * UNIT)
    key = await made_key(holder, spend_limit=2 * UNIT, models=["a", "b"], expires_at="2100-01-01T00:00:00Z")
    subscription = exact(await client.get("/v1/dashboard/billing/subscription", headers=with_key(key)))
    assert (subscription["hard_limit_usd"], subscription["access_until"]) == (2, 4102444800)
    usage = exact(await client.get("/api/usage/token/", headers=with_key(key)))
    assert usage == {
        "code": True,
        "message": "ok",
        "data": {
            "object": "token_usage", "name": "k", "total_granted": 1_000_000, "total_used": 0,
            "total_available": 1_000_000, "unlimited_quota": False, "model_limits": {"a": True, "b": True},
            "model_limits_enabled": True, "expires_at": 4102444800,
        },
    }  # fmt: skip


@pytest.mark.usefixtures("switched_on")
async def test_what_is_left_is_never_below_zero_as_no_limit_goes_below_what_is_spent(
    database: str, holder: Signed, client: httpx.AsyncClient
) -> None:
    key = await made_key(holder, spend_limit=4 * UNIT)
    await grant(database, holder.account_id, 10 * UNIT)
    await spend(database, key["id"], await priced_model(database), quantities={"input": 2_000_000})
    for limit, answered, left in ((UNIT, 422, 1_000_000), (2 * UNIT, 200, 0)):
        changed = await holder.client.patch(f"/api/v1/keys/{key['id']}", json={"spend_limit": limit})
        assert changed.status_code == answered, changed.text
        token = exact(await client.get("/api/usage/token", headers=with_key(key)))["data"]
        assert (token["total_used"], token["total_available"]) == (1_000_000, left)


@pytest.mark.usefixtures("switched_on")
async def test_billing_needs_a_key_that_may_call(holder: Signed, client: httpx.AsyncClient) -> None:
    key = await made_key(holder)
    assert (await client.get("/v1/dashboard/billing/usage")).status_code == 401
    answer = await client.get("/v1/dashboard/billing/usage", headers={"authorization": "Bearer sk-air-nothing"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    await holder.client.patch(f"/api/v1/keys/{key['id']}", json={"status": "disabled"})
    assert (await client.get("/api/usage/token", headers=with_key(key))).status_code == 401


@pytest.mark.usefixtures("switched_on")
async def test_the_installation_says_what_it_is(client: httpx.AsyncClient) -> None:
    answer = exact(await client.get("/api/status"))
    assert (answer["success"], answer["message"]) == (True, "")
    assert answer["data"]["quota_per_unit"] == 500_000
    assert answer["data"]["register_enabled"] is False


async def test_prices_are_the_ratios_they_know(
    switched_on: httpx.AsyncClient, database: str, client: httpx.AsyncClient
) -> None:
    await priced_model(database, "m", {"input": 3 * UNIT, "output": 15 * UNIT, "cached_input": 300_000_000})
    await priced_model(database, "per-call", {"request": UNIT // 20})
    await switched_on.patch("/api/v1/admin/groups/default", json={"multiplier_micros": 1_250_000})
    channel = {"name": "c", "provider": "openai", "base_url": "https://api.example.com/v1", "models": ["m", "per-call"]}
    assert (await switched_on.post("/api/v1/admin/channels", json=channel)).status_code == 201
    answer = exact(await client.get("/api/pricing"))
    assert answer["success"] is True
    assert answer["group_ratio"] == {"default": Decimal("1.25")}
    priced = {one["model_name"]: one for one in answer["data"]}
    assert (priced["m"]["quota_type"], priced["m"]["model_ratio"]) == (0, Decimal("1.5"))
    assert (priced["m"]["completion_ratio"], priced["m"]["cache_ratio"]) == (5, Decimal("0.1"))
    assert (priced["per-call"]["quota_type"], priced["per-call"]["model_price"]) == (1, Decimal("0.05"))
    assert priced["m"]["enable_groups"] == ["default"]


async def number_of(database: str, holder: Signed) -> int:
    rows = await run_sql(database, "SELECT number FROM users WHERE user_id = $1", holder.user_id)
    return rows[0]["number"]


@pytest.mark.usefixtures("switched_on")
async def test_a_balance_widget_says_who_it_is(database: str, holder: Signed, client: httpx.AsyncClient) -> None:
    await grant(database, holder.account_id, 3 * UNIT + 1999)
    number = await number_of(database, holder)
    for authorization in (f"Bearer {holder.access_token}", holder.access_token):
        headers = {"authorization": authorization, "new-api-user": str(number)}
        answer = exact(await client.get("/api/user/self", headers=headers))
        assert answer["success"] is True
        assert (answer["data"]["id"], answer["data"]["email"]) == (number, holder.email)
        assert (answer["data"]["quota"], answer["data"]["used_quota"]) == (1_500_000, 0), "rounded down"
        assert (answer["data"]["role"], answer["data"]["group"]) == (1, "default")


@pytest.mark.usefixtures("switched_on")
async def test_another_users_number_is_refused_and_so_is_a_stranger(holder: Signed, client: httpx.AsyncClient) -> None:
    answer = await holder.client.get("/api/user/self", headers={"new-api-user": "999999"})
    assert (answer.status_code, answer.json()["success"]) == (401, False)
    answer = await client.get("/api/user/self")
    assert (answer.status_code, answer.json()["success"]) == (401, False)
    answer = await client.get("/api/token/", headers={"authorization": "nonsense"})
    assert (answer.status_code, answer.json()["success"]) == (401, False)


@pytest.mark.usefixtures("switched_on")
async def test_a_key_manager_makes_lists_changes_and_deletes(
    database: str, holder: Signed, client: httpx.AsyncClient
) -> None:
    draft = {
        "name": "from a tool", "remain_quota": 500_000, "expired_time": -1, "unlimited_quota": False,
        "model_limits_enabled": True, "model_limits": "m,n", "allow_ips": "203.0.113.7\n", "group": "",
        "cross_group_retry": False,
    }  # fmt: skip
    made = (await holder.client.post("/api/token/", json=draft)).json()
    assert made["success"], made
    token = made["data"]
    assert token["key"].startswith("sk-air-")
    assert (token["remain_quota"], token["model_limits"], token["status"]) == (500_000, "m,n", 1)
    key = (await holder.client.get("/api/v1/keys")).json()["items"][0]
    assert (key["spend_limit"], key["models"], key["allowed_ips"]) == (UNIT, ["m", "n"], ["203.0.113.7/32"])

    page = (await holder.client.get("/api/token/", params={"p": 1, "size": 10})).json()["data"]
    assert (page["total"], page["page"], page["page_size"]) == (1, 1, 10)
    assert page["items"][0]["key"].endswith("**********")
    found = (await holder.client.get("/api/token/search", params={"keyword": "TOOL"})).json()["data"]
    assert [one["id"] for one in found["items"]] == [token["id"]]
    assert (await holder.client.get("/api/token/search", params={"keyword": "x"})).json()["data"]["total"] == 0
    assert (await holder.client.get(f"/api/token/{token['id']}")).json()["data"] == page["items"][0]

    await spend_directly(database, key["id"], 100)
    change = {**draft, "id": token["id"], "name": "renamed", "remain_quota": 7, "allow_ips": "", "status": 1}
    changed = (await holder.client.put("/api/token/", json=change)).json()
    assert changed["success"], changed
    key = (await holder.client.get("/api/v1/keys")).json()["items"][0]
    assert (key["name"], key["spend_limit"], key["allowed_ips"]) == ("renamed", 100 + 14_000, None)
    await spend_directly(database, key["id"], 0)

    disabled = {"id": token["id"], "status": 2}
    assert (await holder.client.put("/api/token/?status_only=true", json=disabled)).json()["data"]["status"] == 2
    assert (await holder.client.get("/api/v1/keys")).json()["items"][0]["name"] == "renamed"
    unlimited = {**change, "unlimited_quota": True, "model_limits_enabled": False, "expired_time": 4102444800}
    changed = (await holder.client.put("/api/token/", json=unlimited)).json()["data"]
    assert (changed["unlimited_quota"], changed["expired_time"], changed["status"]) == (True, 4102444800, 1)

    assert (await holder.client.post(f"/api/token/{token['id']}/key")).json()["success"] is False
    assert (await holder.client.delete(f"/api/token/{token['id']}")).json()["success"] is True
    assert (await holder.client.get("/api/token/")).json()["data"]["items"] == []
    assert (await client.get("/v1/models", headers={"authorization": f"Bearer {token['key']}"})).status_code == 401
    acts = (await holder.client.get("/api/v1/audit-log", params={"action": "key"})).json()["items"]
    assert [act["action"] for act in acts][-1] == "key.created"


async def spend_directly(database: str, key_id: str, amount: int) -> None:
    await run_sql(database, "UPDATE keys SET spent = $2 WHERE key_id = $1", key_id, amount)


@pytest.mark.usefixtures("switched_on")
async def test_refusals_come_in_their_envelope(holder: Signed) -> None:
    for body in ({"name": "x", "remain_quota": -1}, {"name": "x", "remain_quota": 2**63}, {"name": ""}, {},
                 {"name": "x", "unlimited_quota": True, "expired_time": 5}, {"name": "x", "group": "nowhere"},
                 {"name": "x", "unlimited_quota": True, "expired_time": 2**62}, {"name": "a\0b"}):  # fmt: skip
        answer = await holder.client.post("/api/token/", json=body)
        assert (answer.status_code, answer.json()["success"]) == (200, False), body
        assert answer.json()["message"]
    assert (await holder.client.get("/api/token/12345")).json()["success"] is False
    assert (await holder.client.get("/api/token/99999999999999999999999")).json()["success"] is False
    assert (await holder.client.get("/api/token/", params={"p": 10**30})).json()["success"] is False


@pytest.mark.usefixtures("switched_on")
async def test_nobody_reaches_another_accounts_keys_by_number(app: Any, database: str, holder: Signed) -> None:
    await made_key(holder)
    number = (await holder.client.get("/api/token/")).json()["data"]["items"][0]["id"]
    async with signed_in(app, database) as other:
        assert (await other.client.get(f"/api/token/{number}")).json()["success"] is False
        assert (await other.client.delete(f"/api/token/{number}")).json()["success"] is False
        assert (await other.client.get("/api/token/")).json()["data"]["total"] == 0
    assert len((await holder.client.get("/api/v1/keys")).json()["items"]) == 1


@pytest.mark.usefixtures("switched_on")
async def test_a_scope_holds_here_as_well(holder: Signed, client: httpx.AsyncClient) -> None:
    made = await holder.client.post("/api/v1/tokens", json={"name": "t", "scopes": ["keys.read"]})
    assert made.status_code == 201, made.text
    headers = {"authorization": made.json()["token"]}
    assert (await client.get("/api/token/", headers=headers)).json()["success"] is True
    answer = await client.post("/api/token/", json={"name": "x", "unlimited_quota": True}, headers=headers)
    assert answer.json()["success"] is False
    assert (await client.get("/api/user/self", headers=headers)).json()["success"] is False


@pytest.mark.parametrize(("ours", "theirs"), [(0, 0), (1999, 0), (2000, 1), (UNIT, 500_000), (-1, -1)])
def test_the_scale_rounds_down(ours: int, theirs: int) -> None:
    assert shown(ours) == theirs
    if ours == theirs * 2000 and ours >= 0:
        assert meant(theirs) == ours


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0, 9, b"0"), (1, 9, b"0.000000001"), (UNIT, 9, b"1"), (12_500_000_000, 9, b"12.5"), (-5, 1, b"-0.5")],
)
def test_amounts_are_exact_numbers(value: int, digits: int, text: bytes) -> None:
    assert bytes(decimal(value, digits)) == text
