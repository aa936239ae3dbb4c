"""Accounts and people across the house."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders import Signed, person, signed_in

ACCOUNTS = "/api/v1/admin/accounts"
USERS = "/api/v1/admin/users"


async def test_an_account_shows_its_balance_and_its_members(operator: httpx.AsyncClient, holder: Signed) -> None:
    view = (await operator.get(f"{ACCOUNTS}/{holder.account_id}")).json()
    assert (view["balance"], view["held"], view["available"], view["used_total"]) == (0, 0, 0, "0")
    assert [member["email"] for member in view["members"]] == [holder.email]
    assert (view["group"], view["status"], view["kind"]) == ("default", "active", "personal")


async def test_moving_and_pausing_holds_at_once(operator: httpx.AsyncClient, holder: Signed) -> None:
    await operator.post("/api/v1/admin/groups", json={"name": "vip", "multiplier_micros": 1})
    answer = await operator.patch(f"{ACCOUNTS}/{holder.account_id}", json={"group": "vip"})
    assert (answer.status_code, answer.json()["group"], answer.json()["status"]) == (200, "vip", "active")
    answer = await operator.patch(f"{ACCOUNTS}/{holder.account_id}", json={"status": "paused"})
    assert (answer.json()["group"], answer.json()["status"]) == ("vip", "paused")


async def test_what_an_account_cannot_be_is_refused(
    operator: httpx.AsyncClient, holder: Signed, subtests: pytest.Subtests
) -> None:
    for body in [{"group": "nowhere"}, {"group": None}, {"status": "banned"}, {"balance": 5}, {"name": "x"}]:
        with subtests.test(f"{body!r}"):
            answer = await operator.patch(f"{ACCOUNTS}/{holder.account_id}", json=body)
            assert (answer.status_code, answer.json()["field"]) == (422, next(iter(body)))


async def test_nobodys_account_is_not_found(operator: httpx.AsyncClient) -> None:
    assert (await operator.get(f"{ACCOUNTS}/{uuid4()}")).status_code == 404
    assert (await operator.patch(f"{ACCOUNTS}/{uuid4()}", json={"status": "paused"})).status_code == 404
    assert (await operator.get(f"{USERS}/{uuid4()}")).status_code == 404


async def test_a_search_takes_percent_and_underscore_literally(operator: httpx.AsyncClient, database: str) -> None:
    await person(database, email="a_b%c@example.com")
    await person(database, email="aXbYc@example.com")
    for address, field in ((USERS, "email"), (ACCOUNTS, "name")):
        found = (await operator.get(address, params={"q": "a_b%c"})).json()["items"]
        assert [one[field].partition("@")[0] for one in found] == ["a_b%c"]
        assert (await operator.get(address, params={"q": "%"})).json()["items"] == found
    by_member = (await operator.get(ACCOUNTS, params={"q": "axbyc@EXAMPLE"})).json()["items"]
    assert [one["name"] for one in by_member] == ["aXbYc"]


async def test_lists_go_newest_first_page_by_page(operator: httpx.AsyncClient, database: str) -> None:
    emails = [(await person(database))[0] for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = (await operator.get(USERS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        assert len(page["items"]) <= 2
        seen += [one["email"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen[:5] == emails[::-1]
    assert len(seen) == 6  # and the operator


async def test_filters_narrow_the_lists(operator: httpx.AsyncClient, holder: Signed) -> None:
    assert len((await operator.get(USERS, params={"role": "operator"})).json()["items"]) == 1
    assert (await operator.get(USERS, params={"status": "banned"})).json()["items"] == []
    assert (await operator.get(ACCOUNTS, params={"group": "vip"})).json()["items"] == []
    assert (await operator.get(USERS, params={"role": "emperor"})).status_code == 422


async def test_a_banned_person_is_out_at_the_next_call(app: Any, database: str, owner: Signed) -> None:
    async with signed_in(app, database) as somebody:
        assert (await somebody.client.get("/api/v1/me")).status_code == 200
        answer = await owner.client.patch(f"{USERS}/{somebody.user_id}", json={"status": "banned"})
        assert (answer.status_code, answer.json()["status"]) == (200, "banned")
        assert (await somebody.client.get("/api/v1/me")).status_code == 401


async def test_an_owner_does_not_dismiss_or_ban_themselves(owner: Signed) -> None:
    for body in ({"role": "user"}, {"status": "banned"}):
        answer = await owner.client.patch(f"{USERS}/{owner.user_id}", json=body)
        assert answer.status_code == 422
    assert (await owner.client.get(f"{USERS}/{owner.user_id}")).json()["role"] == "owner"
