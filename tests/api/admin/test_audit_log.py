"""Every operator's act leaves a row: who, what, from where, before and after; and nobody can change it afterwards."""

import csv
import io
import json
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from airouter.services.audit_log import SYSTEM, Act, record
from airouter.storage.database import connect
from tests.builders import Signed, priced_model, run_sql, signed_in

LOG = "/api/v1/admin/audit-log"
SECRET = "sk-upstream-0123456789abcdef"


async def acts(client: httpx.AsyncClient, **filters: Any) -> list[dict[str, Any]]:
    """Newest first."""
    answer = await client.get(LOG, params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_channels_life_is_told_without_its_credentials(operator: httpx.AsyncClient, database: str) -> None:
    made = await operator.post(
        "/api/v1/admin/channels",
        json={"name": "one", "provider": "openai", "base_url": "https://api.example.com/v1", "credentials": [SECRET]},
    )
    assert made.status_code == 201, made.text
    channel = made.json()["id"]
    await operator.patch(f"/api/v1/admin/channels/{channel}", json={"priority": 7, "credentials": [SECRET + "z"]})
    await operator.delete(f"/api/v1/admin/channels/{channel}")

    deleted, changed, created = await acts(operator, subject="channel", subject_id=channel)
    assert (deleted["action"], changed["action"], created["action"]) == (
        "channel.deleted", "channel.changed", "channel.created",
    )  # fmt: skip
    assert (created["before"], created["after"]["name"]) == (None, "one")
    assert (changed["before"]["priority"], changed["after"]["priority"]) == (0, 7)
    assert "name" not in changed["after"], "what stays is not told again"
    assert (deleted["before"]["name"], deleted["after"]) == ("one", None)
    assert {row["address"] for row in (deleted, changed, created)} == {"198.51.100.7"}
    assert all(row["user_id"] and row["user_email"] and row["request_id"] for row in (deleted, changed, created))
    stored = await run_sql(
        database, "SELECT coalesce(before, 'null')::text || coalesce(after, 'null')::text AS t FROM audit_log"
    )
    assert not [row["t"] for row in stored if SECRET in row["t"]]


async def test_every_verb_of_the_catalogue_leaves_an_act(operator: httpx.AsyncClient, holder: Signed) -> None:
    async def done(method: str, path: str, body: Any = None) -> Any:
        answer = await operator.request(
            method, f"/api/v1/admin/{path}", json=body, headers={"idempotency-key": str(uuid4())}
        )
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    await done("POST", "models", {"model": "m"})
    await done("POST", "models", {"model": "m", "vendor": "V"})
    await done("PATCH", "models/m", {"enabled": False})
    await done("POST", "models", {"model": "n"})
    await done("DELETE", "models/n")
    await done("POST", "rate-cards", {"model": "m", "rates": {"input": 1}})
    await done("POST", "groups", {"name": "vip", "multiplier_micros": 5})
    await done("PATCH", "groups/vip", {"multiplier_micros": 6})
    await done("PATCH", f"accounts/{holder.account_id}", {"group": "vip", "status": "paused"})
    await done("PATCH", f"accounts/{holder.account_id}", {"group": "default"})
    await done("DELETE", "groups/vip")
    await done("PUT", "policies/limits", {"unstated_output_tokens": 99})
    await done("POST", f"accounts/{holder.account_id}/adjustments", {"amount": 50, "reason": "a gift"})
    await done("POST", f"accounts/{holder.account_id}/adjustments", {"amount": -20, "reason": "taken back"})
    batch = await done("POST", "redemption-batches", {"name": "b", "amount": 5, "count": 2})
    codes = (await done("GET", f"redemption-batches/{batch['id']}/codes"))["items"]
    await done("DELETE", f"redemption-batches/{batch['id']}/codes/{codes[0]['id']}")
    await done("DELETE", f"redemption-batches/{batch['id']}")

    found = [row for row in reversed(await acts(operator, limit=100)) if not row["action"].startswith("session.")]
    assert [row["action"] for row in found] == [
        "model.created", "model.changed", "model.changed", "model.created", "model.deleted", "rate_card.created",
        "group.created", "group.changed", "account.changed", "account.changed", "group.deleted", "policy.changed",
        "balance.adjusted", "balance.adjusted", "batch.created", "code.revoked", "batch.revoked",
    ]  # fmt: skip
    by_action = {row["action"]: row for row in found}
    assert by_action["policy.changed"]["after"] == {"unstated_output_tokens": 99}
    assert by_action["balance.adjusted"]["after"]["amount"] == -20
    assert by_action["balance.adjusted"]["after"]["balance"] == 30
    assert json.dumps(found).count(batch["codes"][0]) == 0


async def test_what_was_refused_leaves_no_act(operator: httpx.AsyncClient, holder: Signed, database: str) -> None:
    await priced_model(database, "kept")
    account, before = f"/api/v1/admin/accounts/{holder.account_id}", len(await acts(operator))
    assert (await operator.delete("/api/v1/admin/models/kept")).status_code == 409
    assert (await operator.patch(account, json={"group": "no"})).status_code == 422
    answer = await operator.post(
        f"{account}/adjustments", json={"amount": -1, "reason": "r"}, headers={"idempotency-key": "k"}
    )
    assert answer.status_code == 409
    assert len(await acts(operator)) == before


async def test_a_repeated_adjustment_is_one_act(operator: httpx.AsyncClient, holder: Signed) -> None:
    path, key = f"/api/v1/admin/accounts/{holder.account_id}/adjustments", {"idempotency-key": "same"}
    for _ in range(2):
        assert (await operator.post(path, json={"amount": 5, "reason": "r"}, headers=key)).status_code == 201
    assert len(await acts(operator, action="balance.adjusted")) == 1


async def test_filters_choose_by_person_action_subject_account_and_time(
    app: Any, database: str, operator: httpx.AsyncClient, holder: Signed
) -> None:
    async with signed_in(app, database, role="operator") as other:
        await other.client.post("/api/v1/admin/groups", json={"name": "vip", "multiplier_micros": 5})
        await other.client.patch(f"/api/v1/admin/accounts/{holder.account_id}", json={"group": "vip"})
        assert len(await acts(operator, user_id=other.user_id, action="group.created")) == 1
        assert await acts(operator, user_id=holder.user_id, action="group") == []
    assert [row["action"] for row in await acts(operator, action="group")] == ["group.created"]
    assert await acts(operator, action="grou") == [], "a beginning ends at a dot"
    found = await acts(operator, account_id=holder.account_id, action="account")
    assert [row["after"] for row in found] == [{"group": "vip"}]
    assert await acts(operator, action="group", to="2020-01-01T00:00:00Z") == []
    assert (await operator.get(LOG, params={"from": "2020-01-01T00:00:00"})).json()["field"] == "from"


async def test_pages_follow_each_other_without_a_gap(operator: httpx.AsyncClient) -> None:
    for number in range(5):
        await operator.post("/api/v1/admin/models", json={"model": f"m{number}"})
    seen, cursor = [], None
    while True:
        page = (
            await operator.get(LOG, params={"limit": 2, "action": "model", **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [row["subject_id"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["m4", "m3", "m2", "m1", "m0"]
    one = (await acts(operator, action="model"))[0]
    assert (await operator.get(f"{LOG}/{one['id']}")).json() == one
    assert (await operator.get(f"{LOG}/{uuid4()}")).status_code == 404


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
async def test_an_export_is_a_link_that_works_once(
    operator: httpx.AsyncClient, client: httpx.AsyncClient, file_format: str
) -> None:
    await operator.post("/api/v1/admin/models", json={"model": "=1+1"})
    link = (await operator.post(f"{LOG}/exports", json={"format": file_format, "action": "model"})).json()["url"]
    answer = await client.get(link)
    assert answer.status_code == 200
    if file_format == "csv":
        lines = list(csv.DictReader(io.StringIO(answer.text)))
        assert [line["subject_id"] for line in lines] == ["'=1+1"], "a spreadsheet runs nothing"
    else:
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert [line["subject_id"] for line in lines] == ["=1+1"]
    assert (await client.get(link)).status_code == 401
    assert [row["after"]["format"] for row in await acts(operator, action="audit_log.exported")] == [file_format]


async def test_only_operators_read_it(client: httpx.AsyncClient, holder: Signed) -> None:
    for path in (LOG, f"{LOG}/{uuid4()}"):
        assert (await client.get(path)).status_code == 401
        assert (await holder.client.get(path)).status_code == 403
    assert (await holder.client.post(f"{LOG}/exports", json={})).status_code == 403


async def test_an_owner_reads_what_concerns_the_account_but_not_which_operator_it_was(
    operator: httpx.AsyncClient, holder: Signed, app: Any, database: str
) -> None:
    await operator.patch(f"/api/v1/admin/accounts/{holder.account_id}", json={"status": "paused"})
    async with signed_in(app, database) as other:
        assert [
            row
            for row in (await other.client.get("/api/v1/audit-log")).json()["items"]
            if row["action"] == "account.changed"
        ] == []
    found = (await holder.client.get("/api/v1/audit-log", params={"action": "account"})).json()["items"]
    assert [(row["action"], row["after"]) for row in found] == [("account.changed", {"status": "paused"})]
    assert {found[0][name] for name in ("user_id", "user_email", "address", "token_id")} == {None}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET action = 'a.b'",
        "UPDATE audit_log SET user_id = NULL",
        "UPDATE audit_log SET after = '{}', is_erased = true, address = NULL",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
    ],
)
async def test_nobody_rewrites_it(operator: httpx.AsyncClient, database: str, statement: str) -> None:
    await operator.post("/api/v1/admin/models", json={"model": "m"})
    serving = await connect(database)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await serving.execute(statement)
    await serving.close()
    with pytest.raises(asyncpg.RestrictViolationError):
        await run_sql(database, statement)


async def test_a_field_that_names_a_secret_is_blanked_even_if_somebody_tells_it(database: str) -> None:
    connection = await connect(database)
    said = {"name": "x", "inner": [{"client_secret": "hush"}], "token": "hush", "password": None}
    async with connection.transaction():
        await record(connection, SYSTEM, Act(action="thing.made", subject="thing", subject_id="1", after=said))
    await connection.close()
    rows = await run_sql(database, "SELECT after::text AS t FROM audit_log")
    assert "hush" not in rows[0]["t"]
    assert json.loads(rows[0]["t"])["password"] is None
