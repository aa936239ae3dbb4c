"""Epay, both generations. `epay-sdk` judges the first: it signs as a gateway, and checks what we send."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from epay_sdk import CreateOrderRequest
from epay_sdk.utils import normalize_amount
from hypothesis import given
from hypothesis import strategies as st

from airouter.payments.contract import (
    AnyProcessor,
    Delivery,
    ProcessorRefused,
    ProcessorUnavailable,
    RefundMade,
    RefundNotPossible,
    RefundUncertain,
    WebhookForged,
    WebhookUnreadable,
)
from airouter.payments.epay import Epay, signature
from airouter.payments.epay_rsa import EpayRsa
from airouter.payments.exchange import code_address, page_address
from tests.payments.fake_epay import KEY, PID, FakeEpay, fake_epay, private_text, public_text, signed_by_platform
from tests.payments.payments import ORDER_ID, access_to, got, payment, posted_form

TRADE = ORDER_ID.replace("-", "")
V1, V2 = Epay(), EpayRsa()
Sent = Callable[..., Delivery]


@pytest.fixture
def fake() -> Iterator[FakeEpay]:
    with fake_epay() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def v1(fake: FakeEpay | None = None, *keys: str, **config: Any) -> Any:
    base = {"base_url": fake.address if fake else "https://pay.example.com", "pid": PID, **config}
    return access_to(V1, base, *({"key": key} for key in keys or (KEY,)), currency="CNY")


def v2(fake: FakeEpay | None = None, *, platform: str = "platform", **config: Any) -> Any:
    base = {
        "base_url": fake.address if fake else "https://pay.example.com", "pid": PID,
        "platform_public_key": public_text(platform), **config,
    }  # fmt: skip
    return access_to(V2, base, {"merchant_private_key": private_text("merchant")}, currency="CNY")


def trade(fake: FakeEpay) -> dict[str, Any]:
    return fake.open({"out_trade_no": TRADE, "name": "AI Router top-up", "money": "12.34", "notify_url": "https://x"})


async def test_the_form_is_what_the_sdk_would_send(http: httpx.AsyncClient, fake: FakeEpay) -> None:
    order = payment()
    started = await V1.start(order, v1(pay_type="alipay"), http)
    theirs = fake.sdk.build_create_order_params(
        CreateOrderRequest(
            out_trade_no=TRADE, name=order.title, money="12.34", notify_url=order.notify_url,
            return_url=order.return_url, pay_type="alipay",
        )
    )  # fmt: skip
    assert started.next.type == "form"
    assert started.next.url == "https://pay.example.com/submit.php"
    ours = started.next.fields
    assert ours is not None
    assert fake.sdk.verify_sign(ours)
    # The SDK signs `sign_type` neither, so the signatures are the same.
    assert ours == theirs


async def test_a_browser_that_follows_the_form_or_the_address_gets_to_the_cashier(
    http: httpx.AsyncClient, fake: FakeEpay
) -> None:
    form = (await V1.start(payment(), v1(fake), http)).next
    assert form.url is not None
    assert "收银台" in (await http.post(form.url, data=form.fields or {})).text
    address = (await V1.start(payment(), v1(fake, way="redirect"), http)).next
    assert address.url is not None
    assert "收银台" in (await http.get(address.url)).text
    assert dict(parse_qsl(urlsplit(address.url).query))["out_trade_no"] == TRADE


async def test_the_gateway_may_answer_with_a_code_to_scan(http: httpx.AsyncClient, fake: FakeEpay) -> None:
    started = await V1.start(payment(buyer_address="203.0.113.9"), v1(fake, way="api"), http)
    assert (started.next.type, started.next.url) == ("qr", "weixin://wxpay/bizpayurl?pr=1")
    assert started.reference == fake.trades[TRADE]["trade_no"]
    with pytest.raises(ProcessorRefused, match="签名校验失败"):
        await V1.start(payment(), v1(fake, "another-merchant-key", way="api"), http)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "JavaScript://x/%0aalert(1)", "data:text/html,x", "//x", "x"])
def test_nobody_is_sent_to_what_is_no_page(url: str) -> None:
    for judge in (page_address, code_address):
        with pytest.raises(ProcessorRefused):
            judge(url)
    assert page_address("https://pay.example.com/1") == "https://pay.example.com/1"
    assert code_address("weixin://wxpay/bizpayurl?pr=1") == "weixin://wxpay/bizpayurl?pr=1"


@pytest.mark.parametrize("sent", [got, posted_form], ids=["get", "post"])
def test_a_notice_that_the_sdk_signed_is_a_payment(fake: FakeEpay, sent: Sent) -> None:
    trade(fake)
    fields = fake.pay(TRADE)
    fake.sdk.is_trade_success(fields)
    (event,) = V1.read_webhook(sent(fields), v1())
    assert (event.kind, event.order_id, event.amount, event.currency) == ("paid", ORDER_ID, 1234, None)
    assert event.trade_number == fields["trade_no"]
    (again,) = V1.read_webhook(sent(fields), v1())
    assert again.event_id == event.event_id


@pytest.mark.parametrize("sent", [got, posted_form], ids=["get", "post"])
@pytest.mark.parametrize("field", ["money", "trade_no", "out_trade_no", "trade_status", "pid", "sign", "name"])
def test_a_notice_that_was_changed_is_forged(fake: FakeEpay, sent: Sent, field: str) -> None:
    fields = fake.notice(trade(fake))
    with pytest.raises(WebhookForged):
        V1.read_webhook(sent({**fields, field: fields[field] + "0"}), v1())
    del fields[field]
    with pytest.raises(WebhookForged):
        V1.read_webhook(sent(fields), v1())


def test_a_notice_signed_with_an_empty_key_is_forged(fake: FakeEpay) -> None:
    fields = {name: value for name, value in fake.notice(trade(fake)).items() if name != "sign"}
    fields["sign"] = signature(fields, "")
    for granted in (v1(), access_to(V1, {"base_url": "https://pay.example.com", "pid": PID}, currency="CNY")):
        with pytest.raises(WebhookForged):
            V1.read_webhook(got(fields), granted)


def test_a_notice_for_another_merchant_with_the_same_key_is_forged(fake: FakeEpay) -> None:
    with pytest.raises(WebhookForged, match="another merchant"):
        V1.read_webhook(got(fake.notice(trade(fake), pid="1002")), v1())


def test_the_key_before_the_last_is_accepted_while_it_is_handed_in(fake: FakeEpay) -> None:
    fields = fake.notice(trade(fake))
    assert V1.read_webhook(got(fields), v1(None, "a-new-merchant-key", KEY))
    with pytest.raises(WebhookForged):
        V1.read_webhook(got(fields), v1(None, "a-new-merchant-key"))


def test_a_field_that_stands_twice_is_forged(fake: FakeEpay) -> None:
    delivery = got(fake.notice(trade(fake)))
    twice = Delivery(
        method="GET", query=f"{delivery.query}&money=0.01", headers={}, body=b"", received_at=delivery.received_at
    )
    with pytest.raises(WebhookForged, match="twice"):
        V1.read_webhook(twice, v1())


def test_fields_cannot_be_folded_into_another_one(fake: FakeEpay) -> None:
    fields = fake.notice(trade(fake))
    fields["name"] = f"{fields['name']}&out_trade_no={fields.pop('out_trade_no')}"
    assert fake.sdk.verify_sign(fields)  # the protocol's own rule does not see it
    with pytest.raises(WebhookForged, match="separator"):
        V1.read_webhook(got(fields), v1())


async def test_a_title_brings_no_separator_into_what_is_signed(http: httpx.AsyncClient) -> None:
    started = await V1.start(payment(title="R&D&trade_status=TRADE_SUCCESS"), v1(), http)
    assert started.next.fields is not None
    assert "&" not in started.next.fields["name"]


def test_a_trade_that_is_not_paid_is_of_no_interest(fake: FakeEpay) -> None:
    assert V1.read_webhook(got(fake.notice(trade(fake), trade_status="WAIT_BUYER_PAY")), v1()) == []


@pytest.mark.parametrize("money", ["12.345", "-1.00", "1e3", "abc"])
def test_a_signed_amount_that_is_none_is_unreadable(fake: FakeEpay, money: str) -> None:
    with pytest.raises(WebhookUnreadable):
        V1.read_webhook(got(fake.notice(trade(fake), money=money)), v1())


@given(amount=st.integers(1, 10**9))
def test_amounts_are_those_of_the_sdk(amount: int) -> None:
    from airouter.payments.amounts import to_decimal  # noqa: PLC0415

    assert to_decimal(amount, 2) == normalize_amount(to_decimal(amount, 2))


@pytest.mark.parametrize("ask_with", ["key", "sign"])
async def test_asking_finds_a_payment_whose_notice_was_lost(
    http: httpx.AsyncClient, fake: FakeEpay, ask_with: str
) -> None:
    granted = v1(fake, ask_with=ask_with)
    assert await V1.ask(payment(), granted, http) is None
    trade(fake)
    assert await V1.ask(payment(), granted, http) is None
    (told,) = V1.read_webhook(got(fake.pay(TRADE)), v1())
    found = await V1.ask(payment(), granted, http)
    assert found is not None
    assert (found.event_id, found.amount, found.kind) == (told.event_id, 1234, "paid")


async def test_a_refund_is_made_refused_or_uncertain(http: httpx.AsyncClient, fake: FakeEpay) -> None:
    order = payment(trade_number=trade(fake)["trade_no"])
    assert isinstance(await V1.refund(order, 500, "k1", v1(fake), http), RefundMade)
    refused = await V1.refund(order, 5000, "k2", v1(fake), http)
    assert isinstance(refused, RefundNotPossible)
    assert "退款金额" in refused.reason
    fake.loses_answers = True
    assert isinstance(await V1.refund(order, 100, "k3", v1(fake), http), RefundUncertain)
    with pytest.raises(ProcessorUnavailable):
        await V1.refund(order, 100, "k4", v1(base_url="http://127.0.0.1:1"), http)


@pytest.mark.parametrize(("currency", "exponent"), [("JPY", 0), ("KWD", 3)])
def test_a_currency_without_two_places_is_refused(currency: str, exponent: int) -> None:
    config = {"base_url": "https://pay.example.com", "pid": PID}
    assert V1.objection(access_to(V1, config, {"key": KEY}, currency=currency, exponent=exponent))
    rsa = {**config, "platform_public_key": public_text("platform")}
    assert V2.objection(access_to(V2, rsa, currency=currency, exponent=exponent))


@pytest.mark.parametrize("base_url", ["http://pay.example.com", "ftp://pay.example.com", "https://u@pay.example.com"])
def test_an_address_that_secrets_must_not_travel_to_is_refused(base_url: str) -> None:
    assert V1.objection(v1(base_url=base_url))
    assert V1.objection(v1()) is None
    assert V2.objection(v2()) is None


# The second generation.


async def test_what_we_sign_with_rsa_the_gateway_accepts(http: httpx.AsyncClient, fake: FakeEpay) -> None:
    form = (await V2.start(payment(), v2(fake), http)).next
    assert form.url == f"{fake.address}/api/pay/submit"
    assert "收银台" in (await http.post(form.url, data=form.fields or {})).text
    asked = await V2.start(payment(), v2(fake, way="api"), http)
    assert (asked.next.type, asked.reference) == ("redirect", fake.trades[TRADE]["trade_no"])


@pytest.mark.parametrize("sent", [got, posted_form], ids=["get", "post"])
def test_a_notice_signed_by_the_platform_is_a_payment(fake: FakeEpay, sent: Sent) -> None:
    fields = fake.notice_v2(trade(fake))
    (event,) = V2.read_webhook(sent(fields, at=datetime.now(UTC)), v2())
    assert (event.kind, event.order_id, event.amount) == ("paid", ORDER_ID, 1234)


@pytest.mark.parametrize("field", ["money", "out_trade_no", "trade_no", "timestamp", "pid", "trade_status"])
def test_a_changed_notice_is_forged(fake: FakeEpay, field: str) -> None:
    fields = fake.notice_v2(trade(fake))
    with pytest.raises(WebhookForged):
        V2.read_webhook(got({**fields, field: fields[field] + "0"}, at=datetime.now(UTC)), v2())


def test_a_notice_signed_by_somebody_else_is_forged(fake: FakeEpay) -> None:
    for key in ("stranger", "merchant"):
        with pytest.raises(WebhookForged):
            V2.read_webhook(got(fake.notice_v2(trade(fake), key), at=datetime.now(UTC)), v2())
    as_md5 = fake.notice(trade(fake), timestamp="1")
    with pytest.raises(WebhookForged):
        V2.read_webhook(got(as_md5), v2())


def test_a_notice_of_another_day_or_without_a_time_is_forged(fake: FakeEpay) -> None:
    fields = fake.notice_v2(trade(fake))
    with pytest.raises(WebhookForged, match="day"):
        V2.read_webhook(got(fields, at=datetime.now(UTC) + timedelta(days=2)), v2())
    timeless = signed_by_platform({name: fields[name] for name in fields if name != "timestamp"})
    with pytest.raises(WebhookForged, match="time"):
        V2.read_webhook(got(timeless, at=datetime.now(UTC)), v2())


async def test_the_answer_to_a_question_is_believed_only_with_its_signature(
    http: httpx.AsyncClient, fake: FakeEpay
) -> None:
    trade(fake)
    assert await V2.ask(payment(), v2(fake), http) is None
    fake.trades[TRADE]["status"] = 1
    found = await V2.ask(payment(), v2(fake), http)
    assert found is not None
    assert (found.amount, found.order_id) == (1234, ORDER_ID)
    with pytest.raises(ProcessorUnavailable, match="not signed"):
        await V2.ask(payment(), v2(fake, platform="stranger"), http)


async def test_the_same_refund_twice_is_one(http: httpx.AsyncClient, fake: FakeEpay) -> None:
    trade(fake)
    first = await V2.refund(payment(), 500, "key-1", v2(fake), http)
    assert isinstance(first, RefundMade)
    assert await V2.refund(payment(), 500, "key-1", v2(fake), http) == first
    assert len(fake.refunds) == 1
    nothing = await V2.refund(payment(order_id="019ab6a0-0000-7000-8000-000000000bad"), 5, "key-2", v2(fake), http)
    assert isinstance(nothing, RefundNotPossible)


@pytest.mark.parametrize("text", ["A" * 80, private_text("merchant"), "-----BEGIN PUBLIC KEY-----\n" + "!" * 64])
def test_what_is_no_public_key_is_refused_in_words(text: str) -> None:
    assert "platform_public_key" in (V2.objection(v2(platform_public_key=text)) or "")


@pytest.mark.parametrize("processor", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("query", ["", "a", "=&=", "%ff=%ff", "x=1;y=2", "&".join(f"a{n}=1" for n in range(100))])
def test_noise_is_forged_and_no_failure(processor: AnyProcessor, query: str) -> None:
    granted = v1() if processor is V1 else v2()
    noise = Delivery(method="GET", query=query, headers={}, body=b"", received_at=datetime.now(UTC))
    with pytest.raises(WebhookForged):
        processor.read_webhook(noise, granted)
    with pytest.raises(WebhookForged):
        processor.read_webhook(Delivery(method="POST", query="", headers={}, body=b"\xff\xfe", received_at=noise.received_at), granted)  # fmt: skip  # noqa: E501
