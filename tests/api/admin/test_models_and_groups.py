"""Models and groups: made or changed by one call, addressed by names of any kind."""

import httpx
import pytest

from tests.builders import Signed, run_sql

MODELS = "/api/v1/admin/models"
GROUPS = "/api/v1/admin/groups"


async def test_creating_a_model_that_exists_changes_only_what_is_present(operator: httpx.AsyncClient) -> None:
    first = await operator.post(MODELS, json={"model": "m", "vendor": "Acme", "context_window": 8000})
    assert first.status_code == 201
    assert first.json()["max_output_tokens"] is None
    second = await operator.post(MODELS, json={"model": "m", "context_window": None, "max_output_tokens": 100})
    assert second.status_code == 200
    changed = second.json()
    assert (changed["vendor"], changed["context_window"], changed["max_output_tokens"]) == ("Acme", None, 100)


async def test_create_only_refuses_what_exists(operator: httpx.AsyncClient) -> None:
    for address, body in ((MODELS, {"model": "m"}), (GROUPS, {"name": "g", "multiplier_micros": 1})):
        assert (await operator.post(address, params={"create": "only"}, json=body)).status_code == 201
        again = await operator.post(address, params={"create": "only"}, json=body)
        assert (again.status_code, again.json()["code"]) == (409, "already_exists")
        assert (await operator.post(address, params={"create": "never"}, json=body)).status_code == 422


async def test_a_model_name_may_stand_raw_or_encoded_in_an_address(
    operator: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for name, address in [
        ("openai/gpt-4o:free", "openai/gpt-4o:free"),
        ("openai/gpt-4o:free", "openai%2Fgpt-4o%3Afree"),
        ("a/b/c.d", "a/b/c.d"),
        ("模型", "%E6%A8%A1%E5%9E%8B"),
        ("rate-cards", "rate-cards"),
    ]:
        with subtests.test(f"{name!r} {address!r}"):
            assert (await operator.post(MODELS, json={"model": name})).status_code == 201
            assert (await operator.get(f"{MODELS}/{address}")).json()["model"] == name
            patched = await operator.patch(f"{MODELS}/{address}", json={"vendor": "Acme"})
            assert (patched.status_code, patched.json()["vendor"]) == (200, "Acme")
            assert (await operator.delete(f"{MODELS}/{address}")).status_code == 204
            assert (await operator.get(f"{MODELS}/{address}")).json()["code"] == "model_not_found"


async def test_a_name_without_an_address_is_refused(operator: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for name in ["", " ", "a b", "a\n", "/a", "a/", "a//b", "x" * 201, "a\u0000"]:
        with subtests.test(f"{name!r}"):
            answer = await operator.post(MODELS, json={"model": name})
            assert (answer.status_code, answer.json()["field"]) == (422, "model")


async def test_a_model_with_prices_is_kept_for_its_receipts(operator: httpx.AsyncClient) -> None:
    await operator.post(MODELS, json={"model": "m"})
    await operator.post("/api/v1/admin/rate-cards", json={"model": "m", "rates": {"input": 1}})
    answer = await operator.delete(f"{MODELS}/m")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert (await operator.patch(f"{MODELS}/m", json={"enabled": False})).json()["enabled"] is False


async def test_figures_that_no_model_has_are_refused(operator: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for body in [
        {"context_window": 0},
        {"context_window": 1.5},
        {"context_window": 2**31},
        {"enabled": None},
        {"rates": {}},
    ]:
        with subtests.test(f"{body!r}"):
            assert (await operator.post(MODELS, json={"model": "m", **body})).status_code == 422
            assert (await operator.get(f"{MODELS}/m")).status_code == 404


async def test_a_new_group_needs_its_multiplier_and_is_private(operator: httpx.AsyncClient) -> None:
    refused = await operator.post(GROUPS, json={"name": "vip"})
    assert (refused.status_code, refused.json()["field"]) == (422, "multiplier_micros")
    made = await operator.post(GROUPS, json={"name": "vip", "multiplier_micros": 800_000})
    assert made.status_code == 201
    assert {name: made.json()[name] for name in ("models", "is_public", "usable_by", "overrides")} == {
        "models": None,
        "is_public": False,
        "usable_by": [],
        "overrides": {},
    }
    again = await operator.post(GROUPS, json={"name": "vip", "label": "VIP"})
    assert (again.status_code, again.json()["label"], again.json()["multiplier_micros"]) == (200, "VIP", 800_000)


async def test_a_patch_tells_absent_from_null(operator: httpx.AsyncClient) -> None:
    await operator.post(GROUPS, json={"name": "g", "multiplier_micros": 1, "models": ["a"]})
    assert (await operator.patch(f"{GROUPS}/g", json={"label": "G"})).json()["models"] == ["a"]
    assert (await operator.patch(f"{GROUPS}/g", json={"models": None})).json()["models"] is None
    assert (await operator.patch(f"{GROUPS}/g", json={"label": None})).status_code == 422


async def test_what_cannot_be_a_group_is_refused(operator: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for body in [
        {"name": "bad name"},
        {"name": "g\n"},
        {"multiplier_micros": -1},
        {"multiplier_micros": 1.5},
        {"multiplier_micros": 10**9 + 1},
        {"multiplier_micros": True},
        {"overrides": {"vip": -1}},
    ]:
        with subtests.test(f"{body!r}"):
            answer = await operator.post(GROUPS, json={"name": "g", "multiplier_micros": 1} | body)
            assert answer.status_code == 422
            assert [one["name"] for one in (await operator.get(GROUPS)).json()["items"]] == ["default"]


async def test_the_default_group_cannot_be_deleted(operator: httpx.AsyncClient) -> None:
    answer = await operator.delete(f"{GROUPS}/default")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")


async def test_a_group_is_deleted_only_when_nothing_refers_to_it(
    operator: httpx.AsyncClient, holder: Signed, database: str
) -> None:
    await operator.post(GROUPS, json={"name": "g", "multiplier_micros": 1})
    uses = {
        "accounts": ("PATCH", f"/api/v1/admin/accounts/{holder.account_id}", {"group": "g"}, {"group": "default"}),
        "groups": ("PATCH", f"{GROUPS}/default", {"usable_by": ["g"]}, {"usable_by": []}),
        "policies": ("PUT", "/api/v1/admin/policies/signup", {"group": "g"}, {}),
    }
    for kind, (method, address, use, undo) in uses.items():
        assert (await operator.request(method, address, json=use)).status_code == 200
        refused = await operator.delete(f"{GROUPS}/g")
        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
        assert refused.json()["used_by"] == [kind]
        assert (await operator.request(method, address, json=undo)).status_code == 200
    await run_sql(
        database,
        "INSERT INTO keys (key_id, account_id, wallet_id, user_id, name, secret_hash, prefix, status, group_name) "
        "SELECT gen_random_uuid(), a.account_id, w.wallet_id, $1, 'k', 'h', 'p', 'deleted', 'g' "
        "FROM accounts a JOIN wallets w USING (account_id) WHERE w.kind = 'main' AND a.account_id = $2",
        holder.user_id,
        holder.account_id,
    )
    assert (await operator.delete(f"{GROUPS}/g")).status_code == 204
    assert (await operator.get(f"{GROUPS}/g")).status_code == 404


async def test_a_group_that_stands_for_others_shows_the_price_of_the_first(operator: httpx.AsyncClient) -> None:
    for name, multiplier, models in (("slow", 500_000, None), ("quick", 2_000_000, ["n"])):
        await operator.post(GROUPS, json={"name": name, "multiplier_micros": multiplier, "models": models})
    for model in ("m", "n"):
        await operator.post(MODELS, json={"model": model})
        await operator.post("/api/v1/admin/rate-cards", json={"model": model, "rates": {"input": 10, "output": 20}})
    made = await operator.post(GROUPS, json={"name": "any", "members": ["quick", "slow", "quick"], "is_public": True})
    assert (made.status_code, made.json()["members"]) == (201, ["quick", "slow"])
    listed = await operator.get("/api/v1/pricing", params={"group": "any"})
    prices = {model["model"]: model["multiplier_micros"] for model in listed.json()["models"]}
    assert prices == {"m": 500_000, "n": 2_000_000}
    refused = await operator.patch(f"{GROUPS}/slow", json={"members": ["quick"]})
    assert (refused.status_code, refused.json()["field"]) == (422, "members")
    assert (await operator.delete(f"{GROUPS}/slow")).status_code == 409
    assert (await operator.patch(f"{GROUPS}/any", json={"members": []})).json()["members"] == []
