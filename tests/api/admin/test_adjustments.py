"""Adjustments: once per idempotency key, exactly what was asked, never below zero."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders import Signed, run_sql

ACCOUNTS = "/api/v1/admin/accounts"


async def adjust(operator: httpx.AsyncClient, holder: Signed, key: str | None = None, **body: Any) -> httpx.Response:
    headers = {"idempotency-key": key or str(uuid4())}
    address = f"{ACCOUNTS}/{holder.account_id}/adjustments"
    return await operator.post(address, json={"reason": "a test"} | body, headers=headers)


async def balance(holder: Signed) -> int:
    return (await holder.client.get("/api/v1/wallet")).json()["balance"]


async def test_quota_is_given_and_taken_and_the_holder_sees_it(operator: httpx.AsyncClient, holder: Signed) -> None:
    given = await adjust(operator, holder, amount=1000)
    assert given.status_code == 201, given.text
    assert {name: given.json()[name] for name in ("amount", "balance", "reason")} == {
        "amount": 1000,
        "balance": 1000,
        "reason": "a test",
    }
    taken = await adjust(operator, holder, amount=-300)
    assert (taken.json()["amount"], taken.json()["balance"]) == (-300, 700)
    assert await balance(holder) == 700
    lines = (await holder.client.get("/api/v1/wallet/transfers")).json()["items"]
    assert [line["amount"] for line in lines] == [-300, 1000]


async def test_without_an_idempotency_key_nothing_moves(operator: httpx.AsyncClient, holder: Signed) -> None:
    answer = await operator.post(f"{ACCOUNTS}/{holder.account_id}/adjustments", json={"amount": 5, "reason": "twice?"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_required")
    assert await balance(holder) == 0


async def test_the_same_key_moves_once_also_in_parallel(operator: httpx.AsyncClient, holder: Signed) -> None:
    answers = await asyncio.gather(*(adjust(operator, holder, key="one", amount=100) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    again = await adjust(operator, holder, key="one", amount=100)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert await balance(holder) == 100
    other = await adjust(operator, holder, key="one", amount=200)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_debit_above_the_balance_says_what_is_there(operator: httpx.AsyncClient, holder: Signed) -> None:
    await adjust(operator, holder, amount=70)
    refused = await adjust(operator, holder, amount=-100)
    assert (refused.status_code, refused.json()["code"]) == (409, "balance_insufficient")
    assert refused.json()["balance"] == 70
    partial = await adjust(operator, holder, amount=-100, allow_partial=True)
    assert (partial.status_code, partial.json()["amount"], partial.json()["balance"]) == (201, -70, 0)


async def test_an_adjustment_that_cannot_be_meant_is_refused(
    operator: httpx.AsyncClient, holder: Signed, subtests: pytest.Subtests
) -> None:
    for body, field in [
        ({"amount": 0}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": "5"}, "amount"),
        ({"amount": 2**53}, "amount"),
        ({"amount": 5, "reason": ""}, "reason"),
        ({"amount": 5, "memo": "x"}, "memo"),
    ]:
        with subtests.test(f"{body!r} {field!r}"):
            answer = await adjust(operator, holder, **body)
            assert (answer.status_code, answer.json()["field"]) == (422, field)
            assert await balance(holder) == 0


async def test_an_adjustment_names_who_made_it(operator: httpx.AsyncClient, holder: Signed, database: str) -> None:
    await adjust(operator, holder, amount=5, reason="goodwill")
    [row] = await run_sql(
        database,
        "SELECT t.memo, u.role FROM transfers t JOIN users u ON u.user_id = t.made_by WHERE t.kind = 'adjustment'",
    )
    assert (row["memo"], row["role"]) == ("goodwill", "operator")


async def test_nobodys_account_cannot_be_adjusted(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(
        f"{ACCOUNTS}/{uuid4()}/adjustments",
        json={"amount": 5, "reason": "nobody"},
        headers={"idempotency-key": "k"},
    )
    assert answer.status_code == 404
