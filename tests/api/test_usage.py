"""Usage, receipts, sums and exports: exact, and nobody else's."""

import csv
import io
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.conftest import client_of
from tests.builders import api_key, grant, priced_model, run_sql, signed_in, spend

USAGE = "/api/v1/usage"
SOME_ID = "01a20553-594b-7421-a2b9-b71cfefbbd12"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", USAGE), ("GET", f"{USAGE}/summary"), ("GET", f"{USAGE}/{SOME_ID}"), ("POST", f"{USAGE}/exports")],
)
async def test_a_stranger_sees_no_usage(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_receipt_recomputes_the_charge_and_moves_the_balance_by_exactly_that(app: Any, database: str) -> None:
    card = await priced_model(database, rates={"input": 333, "output": 1_000_001, "request": 7})
    async with signed_in(app, database) as ada:
        await grant(database, ada.account_id, 1_000_000)
        key_id = await api_key(database, ada.account_id)
        quantities = {"input": 1001, "output": 77, "request": 1}
        request_id = await spend(database, key_id, card, quantities=quantities, multiplier_micros=1_500_000)
        receipt = (await ada.client.get(f"{USAGE}/{request_id}")).json()
        wallet = (await ada.client.get("/api/v1/wallet")).json()
        listed = (await ada.client.get(USAGE)).json()["items"]
    subtotal = sum(Fraction(line["quantity"] * line["rate"], line["per"]) for line in receipt["lines"])
    assert {line["meter"]: line["quantity"] for line in receipt["lines"]} == quantities
    assert all(
        Fraction(line["amount"]) == Fraction(line["quantity"] * line["rate"], line["per"]) for line in receipt["lines"]
    )
    assert Fraction(receipt["subtotal"]) == subtotal
    assert receipt["cost"] == ceil(subtotal * receipt["multiplier_micros"] / 1_000_000) == receipt["charged"]
    assert wallet["balance"] == 1_000_000 - receipt["charged"]
    assert wallet["used_total"] == str(receipt["charged"])
    assert receipt["attempts"] is None
    assert listed == [{name: receipt[name] for name in listed[0]}]


async def test_another_accounts_request_is_not_there(app: Any, database: str) -> None:
    card = await priced_model(database)
    async with signed_in(app, database) as ada, signed_in(app, database, role="owner") as eve:
        await grant(database, ada.account_id, 10**10)
        request_id = await spend(database, await api_key(database, ada.account_id), card)
        for address in (f"{USAGE}/{request_id}", f"{USAGE}/{uuid4()}", f"{USAGE}/ffffffff-ffff-ffff-ffff-ffffffffffff"):
            answer = await eve.client.get(address)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert (await eve.client.get(USAGE)).json()["items"] == []
        assert (await eve.client.get(f"{USAGE}/summary")).json()["total"]["requests"] == 0


async def test_filters_and_pages_agree(app: Any, database: str) -> None:
    card, other = await priced_model(database), await priced_model(database, "demo-large")
    async with signed_in(app, database) as ada:
        await grant(database, ada.account_id, 10**12)
        key_id, start = await api_key(database, ada.account_id), datetime(2026, 1, 31, 22, tzinfo=UTC)
        for n in range(6):
            at = start + timedelta(hours=n)
            model, used = ("demo-small", card) if n % 2 else ("demo-large", other)
            await spend(database, key_id, used, model=model, at=at)
        small = (await ada.client.get(USAGE, params={"model": "demo-small"})).json()["items"]
        assert len(small) == 3
        bounded = {"from": "2026-01-31T23:00:00Z", "to": "2026-02-01T02:00:00+00:00"}
        assert len((await ada.client.get(USAGE, params=bounded)).json()["items"]) == 3
        first = (await ada.client.get(USAGE, params={"limit": 4})).json()
        rest = (await ada.client.get(USAGE, params={"limit": 4, "cursor": first["next_cursor"]})).json()
        assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (4, 2, None)
        span = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-10T00:00:00Z"}
        days = (await ada.client.get(f"{USAGE}/summary", params={**span, "group_by": "day"})).json()
        assert [(d["key"], d["requests"]) for d in days["items"]] == [("2026-01-31", 2), ("2026-02-01", 4)]
        tokyo = {**span, "group_by": "day", "tz": "Asia/Tokyo"}
        local = (await ada.client.get(f"{USAGE}/summary", params=tokyo)).json()
        assert [(d["key"], d["requests"]) for d in local["items"]] == [("2026-02-01", 6)]
        models = (await ada.client.get(f"{USAGE}/summary", params={**span, "group_by": "model"})).json()
        assert {m["key"]: m["usage"] for m in models["items"]} == {
            "demo-large": {"input": 3000, "output": 1500},
            "demo-small": {"input": 3000, "output": 1500},
        }
        assert models["total"] == days["total"]
        hours = {"group_by": "hour", "from": "2026-01-31T00:00:00Z", "to": "2026-02-02T00:00:00Z"}
        assert len((await ada.client.get(f"{USAGE}/summary", params=hours)).json()["items"]) == 6
        for wrong in ({"tz": "Mars/Olympus"}, {"group_by": "week"}, {"from": "yesterday"}, {"status": "fine"},
                      {"tz": "../../etc/passwd"}):  # fmt: skip
            answer = await ada.client.get(f"{USAGE}/summary", params=wrong)
            assert (answer.status_code, answer.json()["field"]) == (422, next(iter(wrong)))


async def test_usage_is_one_line_a_day_on_the_statement(app: Any, database: str) -> None:
    card = await priced_model(database)
    async with signed_in(app, database) as ada:
        await grant(database, ada.account_id, 10**10)
        key_id = await api_key(database, ada.account_id)
        cost = 2_000_000
        for day in (1, 1, 1, 2, 4):
            await spend(database, key_id, card, at=datetime(2026, 1, day, 12, tzinfo=UTC))
        lines, cursor = [], None
        while True:
            params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await ada.client.get("/api/v1/wallet/transfers", params=params)).json()
            lines += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert [(line["kind"], line["amount"]) for line in lines] == [
            ("grant", 10**10), ("usage", -cost), ("usage", -cost), ("usage", -3 * cost),
        ]  # fmt: skip
        assert [line["reference"] for line in lines[1:]] == ["2026-01-04", "2026-01-02", "2026-01-01"]
        single = (await ada.client.get("/api/v1/wallet/transfers", params={"kind": "usage"})).json()["items"]
        assert [line["amount"] for line in single] == [-cost] * 5
        grants = (await ada.client.get("/api/v1/wallet/transfers", params={"kind": "grant"})).json()["items"]
        assert [line["balance_after"] for line in grants] == [10**10]


async def test_an_export_works_once_and_runs_no_formulas(app: Any, database: str) -> None:
    card = await priced_model(database, "=cmd|'/C'!A0")
    async with signed_in(app, database) as ada, client_of(app) as browser:
        await grant(database, ada.account_id, 10**10)
        key_id = await api_key(database, ada.account_id)
        for _ in range(3):
            await spend(database, key_id, card, model="=cmd|'/C'!A0")
        url = (await ada.client.post(f"{USAGE}/exports", json={"status": "ok"})).json()["url"]
        assert url.startswith("http://127.0.0.1:8080/api/v1/usage/exports/file?token=")
        answer = await browser.get(url)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(rows) == 3
        assert {row["model"] for row in rows} == {"'=cmd|'/C'!A0"}
        assert {row["cost"] for row in rows} == {"2000000"}
        again = await browser.get(url)
        assert (again.status_code, again.json()["code"]) == (401, "invalid_token")
        late = (await ada.client.post(f"{USAGE}/exports", json={})).json()["url"]
        await run_sql(database, "UPDATE usage_exports SET expires_at = now() - interval '1 second'")
        assert (await browser.get(late)).status_code == 401
