"""The two processors without a company behind them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from airouter.payments.contract import Delivery, RefundMade, RefundNotPossible, WebhookForged, WebhookUnreadable
from airouter.payments.demo import SIGNATURE_HEADER, Demo, DemoBank, Notice, notice_of, sign
from airouter.payments.manual import Manual, transfer_reference
from airouter.payments.registry import processors
from tests.payments.payments import ORDER_ID, access_to, payment, posted

SECRET = "a demo signing secret"


def demo(folder: Path) -> tuple[Demo, DemoBank, Any]:
    bank = DemoBank(folder / "demo-payments")
    processor = Demo(bank, "http://127.0.0.1:8080")
    return processor, bank, access_to(processor, {}, {"signing_secret": SECRET})


def noticed(notice: Notice, secret: str = SECRET) -> Delivery:
    now = datetime.now(UTC)
    body, stamp = msgspec.json.encode(notice), int(now.timestamp())
    return posted(body, {SIGNATURE_HEADER: f"{stamp},{sign(body, stamp, secret)}"}, at=now)


async def test_a_demo_payment_is_told_once_by_notice_and_question(tmp_path: Path) -> None:
    processor, bank, access = demo(tmp_path)
    async with httpx.AsyncClient() as http:
        started = await processor.start(payment(), access, http)
        assert await processor.start(payment(), access, http) == started
        assert await processor.ask(payment(), access, http) is None
        assert started.reference is not None
        deal = bank.find(started.reference)
        assert deal is not None
        paid = msgspec.structs.replace(deal, state="paid", amount_paid=1234)
        bank.keep(paid)
        (event,) = processor.read_webhook(noticed(notice_of(paid, "paid")), access)
        assert (event.kind, event.order_id, event.amount, event.currency) == ("paid", ORDER_ID, 1234, "USD")
        assert await processor.ask(payment(), access, http) == event
        assert isinstance(await processor.refund(payment(), 1000, "a", access, http), RefundMade)
        assert isinstance(await processor.refund(payment(), 1000, "a", access, http), RefundMade)
        assert isinstance(await processor.refund(payment(), 235, "b", access, http), RefundNotPossible)
        assert isinstance(await processor.refund(payment(), 234, "b", access, http), RefundMade)


async def test_a_demo_notice_needs_the_secret(tmp_path: Path) -> None:
    processor, bank, access = demo(tmp_path)
    notice = notice_of(bank.open(payment(), access), "paid")
    for secret in ("", "another secret of a demo"):
        with pytest.raises(WebhookForged):
            processor.read_webhook(noticed(notice, secret), access)
    with pytest.raises(WebhookForged):
        processor.read_webhook(noticed(notice), access_to(processor, {}))
    with pytest.raises(WebhookForged):
        processor.read_webhook(posted(b"{}"), access)
    now = int(datetime.now(UTC).timestamp())
    with pytest.raises(WebhookUnreadable):
        processor.read_webhook(
            posted(b"{}", {SIGNATURE_HEADER: f"{now},{sign(b'{}', now, SECRET)}"}, at=datetime.now(UTC)), access
        )


async def test_what_the_demo_remembers_only_its_owner_may_read(tmp_path: Path) -> None:
    _, bank, access = demo(tmp_path)
    deal = bank.open(payment(), access)
    (file,) = (tmp_path / "demo-payments").iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == (deal.token, 0o600)
    assert bank.find("../" + deal.token) is None
    assert SECRET not in repr(deal)


def test_production_has_no_demo_processor() -> None:
    assert set(processors()) == {"stripe", "epay", "epay-rsa", "manual"}


async def test_a_bank_transfer_carries_a_reference_to_write_on_it() -> None:
    processor = Manual()
    config = {"instructions": "Transfer the amount.", "details": {"IBAN": "DE02 1203 0000 0000 2020 51"}}
    access = access_to(processor, config)
    async with httpx.AsyncClient() as http:
        started = await processor.start(payment(), access, http)
        assert isinstance(await processor.refund(payment(), 1, "k", access, http), RefundNotPossible)
        assert await processor.ask(payment(), access, http) is None
    assert started.next.type == "instructions"
    assert started.next.fields == {"IBAN": "DE02 1203 0000 0000 2020 51", "Reference": started.reference}
    assert started.reference == transfer_reference(ORDER_ID) == "0000-0000-C0DE"
    with pytest.raises(WebhookForged):
        processor.read_webhook(posted(b""), access)
    assert processor.objection(access_to(processor, {**config, "reference_label": "IBAN"}))
