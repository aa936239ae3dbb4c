"""Codes are made in batches, shown once, and taken back one by one or all at once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders import Signed, run_sql

BATCHES = "/api/v1/admin/redemption-batches"


async def make(operator: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await operator.post(BATCHES, json={"name": "workshop", "amount": 500, "count": 3} | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def redeem(holder: Signed, code: str) -> httpx.Response:
    return await holder.client.post("/api/v1/redemptions", json={"code": code})


async def codes_of(operator: httpx.AsyncClient, batch: dict[str, Any]) -> list[dict[str, Any]]:
    return (await operator.get(f"{BATCHES}/{batch['id']}/codes")).json()["items"]


async def test_codes_are_shown_once_and_stored_nowhere(operator: httpx.AsyncClient, database: str) -> None:
    made = await make(operator)
    assert len(set(made["codes"])) == 3
    seen = (await operator.get(f"{BATCHES}/{made['id']}")).json()
    assert seen == {name: value for name, value in made.items() if name != "codes"}
    stored = await run_sql(database, "SELECT c::text AS row FROM redemption_codes c")
    for code in made["codes"]:
        assert all(code not in line["row"] and code.replace("-", "") not in line["row"] for line in stored)


async def test_a_repeated_request_makes_no_second_batch_and_shows_no_codes(operator: httpx.AsyncClient) -> None:
    headers, body = {"idempotency-key": "once"}, {"name": "b", "amount": 1, "count": 2}
    first = await operator.post(BATCHES, json=body, headers=headers)
    again = await operator.post(BATCHES, json=body, headers=headers)
    assert len(first.json()["codes"]) == 2
    assert (again.status_code, again.json()["id"], again.json()["codes"]) == (201, first.json()["id"], None)
    assert len((await operator.get(BATCHES)).json()["items"]) == 1


async def test_the_operator_sees_what_became_of_each_code(operator: httpx.AsyncClient, holder: Signed) -> None:
    made = await make(operator)
    assert (await redeem(holder, made["codes"][0])).status_code == 201
    lines = await codes_of(operator, made)
    assert sorted(line["status"] for line in lines) == ["open", "open", "used"]
    [used] = [line for line in lines if line["status"] == "used"]
    assert used["hint"] == made["codes"][0][-4:]
    assert used["last_account_id"] == str(holder.account_id)
    [redemption] = (await operator.get(f"{BATCHES}/{made['id']}/redemptions")).json()["items"]
    assert (redemption["account_id"], redemption["amount"]) == (str(holder.account_id), 500)
    assert (await operator.get(f"{BATCHES}/{made['id']}")).json()["redeemed"] == 1


async def test_a_revoked_code_is_gone_and_the_others_are_not(operator: httpx.AsyncClient, holder: Signed) -> None:
    made = await make(operator)
    [line] = [line for line in await codes_of(operator, made) if line["hint"] == made["codes"][0][-4:]]
    assert (await operator.delete(f"{BATCHES}/{made['id']}/codes/{line['id']}")).status_code == 204
    refused = await redeem(holder, made["codes"][0])
    assert (refused.status_code, refused.json()["code"]) == (410, "code_revoked")
    assert (await redeem(holder, made["codes"][1])).status_code == 201
    assert (await operator.delete(f"{BATCHES}/{made['id']}/codes/{uuid4()}")).status_code == 404


async def test_a_revoked_batch_is_gone_but_stays_on_the_list(operator: httpx.AsyncClient, holder: Signed) -> None:
    made = await make(operator)
    assert (await operator.delete(f"{BATCHES}/{made['id']}")).status_code == 204
    refused = await redeem(holder, made["codes"][0])
    assert (refused.status_code, refused.json()["code"]) == (410, "code_revoked")
    assert (await operator.get(f"{BATCHES}/{made['id']}")).json()["revoked_at"] is not None
    assert {line["status"] for line in await codes_of(operator, made)} == {"revoked"}


async def test_codes_go_page_by_page(operator: httpx.AsyncClient) -> None:
    made = await make(operator, count=5)
    seen, cursor = [], None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await operator.get(f"{BATCHES}/{made['id']}/codes", params=parameters)).json()
        seen += [line["id"] for line in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.usefixtures("operator")
async def test_batches_that_cannot_be_are_refused(operator: httpx.AsyncClient, subtests: Any) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for change in (
        {"amount": 0},
        {"amount": -5},
        {"amount": 2**53},
        {"amount": 1.5},
        {"count": 0},
        {"count": 10_001},
        {"uses_per_code": 0},
        {"groups": ["nowhere"]},
        {"groups": []},
        {"expires_at": yesterday},
        {"name": ""},
        {"colour": "red"},
    ):
        with subtests.test(str(change)):
            answer = await operator.post(BATCHES, json={"name": "b", "amount": 1, "count": 1} | change)
            assert (answer.status_code, answer.json()["field"]) == (422, next(iter(change)))
    assert (await operator.get(BATCHES)).json()["items"] == []
