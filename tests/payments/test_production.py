"""What exists in demo mode only is not there in production."""

from pathlib import Path

import httpx

from airouter.app import create_app
from tests.api.conftest import client_of, running
from tests.builders import signed_in
from tests.settings import settings_for

DRAFT = {
    "id": "pretended",
    "processor": "demo",
    "label": "Pretended",
    "currency": "USD",
    "quota_per_minor_unit": 1,
    "secrets": {"signing_secret": "a signing secret of a demo"},
}
TOKEN = "0" * 32


async def test_production_has_neither_the_demo_processor_nor_its_page(database: str, tmp_path: Path) -> None:
    app = create_app(settings_for(database, tmp_path, mode="production"))
    async with running(app), client_of(app) as stranger, signed_in(app, database, role="owner") as owner:
        answer = await owner.client.post("/api/v1/admin/payment-methods", json=DRAFT)
        assert (answer.status_code, answer.json()["field"]) == (422, "processor")
        names = [one["name"] for one in (await owner.client.get("/api/v1/admin/payment-processors")).json()["items"]]
        assert names
        assert "demo" not in names
        for method in ("GET", "POST"):
            page = await stranger.request(method, f"/api/v1/demo-pay/{TOKEN}", content=b"outcome=pay")
            assert page.status_code == 404
            assert (await stranger.request(method, "/api/v1/webhooks/pretended")).status_code == 404


async def test_a_demo_methods_webhook_is_closed_when_its_instance_is_production(database: str, tmp_path: Path) -> None:
    demo = create_app(settings_for(database, tmp_path))
    async with running(demo), signed_in(demo, database, role="owner") as owner:
        assert (await owner.client.post("/api/v1/admin/payment-methods", json=DRAFT)).status_code == 201
    production = create_app(settings_for(database, tmp_path, mode="production"))
    async with running(production), client_of(production) as stranger:
        assert (await stranger.post("/api/v1/webhooks/pretended", content=b"{}")).status_code == 404


async def test_the_page_of_a_demo_payment_is_held_to_its_own_policy(database: str, tmp_path: Path) -> None:
    app = create_app(settings_for(database, tmp_path))
    async with running(app), client_of(app) as stranger, signed_in(app, database, role="owner") as owner:
        await owner.client.post("/api/v1/admin/payment-methods", json=DRAFT)
        body = {"method": "pretended", "amount": 500}
        order = (await owner.client.post("/api/v1/topup/orders", json=body)).json()
        path = httpx.URL(order["next"]["url"]).path
        page = await stranger.get(path, headers={"accept-language": "zh-CN,zh;q=0.9"})
        assert page.status_code == 200
        assert "演示支付" in page.text
        assert "5.00 USD" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert "a signing secret of a demo" not in page.text
        assert (await stranger.get(f"/api/v1/demo-pay/{TOKEN}")).status_code == 404
        refused = await stranger.post(path, content=b"outcome=free", headers={"content-type": "application/x-www-form-urlencoded"})  # fmt: skip  # noqa: E501
        assert refused.status_code == 422
        early = await stranger.post(path, content=b"outcome=withdraw")
        assert early.status_code == 409
