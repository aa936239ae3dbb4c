"""Alerts through the management API: the account's own, by those who may, with secrets shown once."""

from typing import Any

import httpx
import pytest

from tests.builders import run_sql, signed_in

ALERTS = "/api/v1/alerts"
ONE = f"{ALERTS}/018f0000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ALERTS), ("POST", ALERTS), ("PATCH", ONE), ("DELETE", ONE), ("POST", f"{ONE}/test"),
        ("POST", f"{ONE}/rotate-secret"), ("GET", f"{ALERTS}/deliveries"),
    ],
)  # fmt: skip
async def test_a_stranger_has_no_alerts(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path, json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_an_alert_is_made_changed_and_deleted_and_nobody_else_sees_it(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database, role="owner") as eve:
        asked = {
            "kind": "low_balance",
            "threshold": 500,
            "webhook_url": "https://hooks.example.com/x?token=tell-nobody",
        }
        made = await ada.client.post(ALERTS, json=asked)
        assert made.status_code == 201, made.text
        alert = made.json()
        assert alert["secret"].startswith("whsec_")
        [listed] = (await ada.client.get(ALERTS)).json()["items"]
        assert "secret" not in listed
        assert (listed["threshold"], listed["to_mail"], listed["is_enabled"]) == (500, True, True)
        address = f"{ALERTS}/{alert['id']}"
        for method, path in (("PATCH", address), ("DELETE", address), ("POST", f"{address}/test")):
            assert (await eve.client.request(method, path, json={})).status_code == 404
        assert (await eve.client.get(ALERTS)).json()["items"] == []
        changed = await ada.client.patch(address, json={"threshold": 700})
        assert (changed.json()["threshold"], changed.json()["secret"]) == (700, None)
        without = await ada.client.patch(address, json={"webhook_url": None})
        assert without.json()["webhook_url"] is None
        again = await ada.client.patch(address, json={"webhook_url": "https://hooks.example.com/y"})
        assert again.json()["secret"] not in (None, alert["secret"])
        rotated = (await ada.client.post(f"{address}/rotate-secret")).json()
        assert rotated["secret"] != again.json()["secret"]
        tried = (await ada.client.post(f"{address}/test")).json()
        deliveries = (await ada.client.get(f"{ALERTS}/deliveries")).json()["items"]
        assert (tried["delivery_id"], "alert.test") in {(one["id"], one["event"]) for one in deliveries}
        acts = await run_sql(database, "SELECT audit_log::text AS told FROM audit_log WHERE subject = 'alert'")
        told = "\n".join(row["told"] for row in acts)
        assert "alert.created" in told
        assert "tell-nobody" not in told
        assert alert["secret"] not in told
        assert (await ada.client.delete(address)).status_code == 204
        assert (await ada.client.get(ALERTS)).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "key_budget", "threshold": 0}, "threshold"),
        ({"kind": "member_budget", "threshold": 101}, "threshold"),
        ({"kind": "low_balance", "threshold": 5, "to_mail": False}, "to_mail"),
        ({"kind": "low_balance", "threshold": 5, "webhook_url": "http://localhost.example:99999/"}, "webhook_url"),
        ({"kind": "low_balance", "threshold": 5, "webhook_url": "http://192.168.0.1/"}, "webhook_url"),
    ],
)
async def test_an_alert_that_cannot_be_meant_is_named(app: Any, database: str, body: Any, field: str) -> None:
    async with signed_in(app, database) as ada:
        answer = await ada.client.post(ALERTS, json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
