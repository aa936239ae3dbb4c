"""Stripe: our requests and signatures as the official SDK sees them, and its as we see them."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stripe

from airouter.payments.contract import (
    Delivery,
    PaymentEvent,
    ProcessorRefused,
    ProcessorUnavailable,
    RefundMade,
    RefundNotPossible,
    WebhookForged,
    WebhookUnreadable,
)
from airouter.payments.stripe import Stripe
from tests.payments.fake_stripe import API_KEY, WEBHOOK_SECRET, FakeStripe, fake_stripe, signed
from tests.payments.payments import ORDER_ID, access_to, payment, posted

SECRETS = {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET}
PROCESSOR = Stripe()


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    with fake_stripe() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def access(fake: FakeStripe | None = None, *secrets: dict[str, str], **more: Any) -> Any:
    config = {"api_base": fake.address} if fake else {}
    return access_to(PROCESSOR, config, *(secrets or (SECRETS,)), **more)


def today(**changes: Any) -> Any:
    """An order of this minute: the fake has Stripe's bounds on when a session may end."""
    made = datetime.now(UTC)
    return payment(**{"created_at": made, "expires_at": made + timedelta(minutes=30), **changes})


def read(event: dict[str, Any], granted: Any = None) -> list[PaymentEvent]:
    body, headers = signed(event)
    return PROCESSOR.read_webhook(delivery(body, headers), granted or access())


def delivery(body: bytes, headers: dict[str, str]) -> Delivery:
    return posted(body, headers, at=datetime.now(UTC))


async def test_a_session_is_made_as_the_sdk_would_make_it(fake: FakeStripe, http: httpx.AsyncClient) -> None:
    order = today()
    started = await PROCESSOR.start(order, access(fake), http)
    ours = fake.asked[-1]
    assert started.next.type == "redirect"
    assert started.next.url == f"https://checkout.stripe.example/c/pay/{started.reference}"

    client = stripe.StripeClient(API_KEY, base_addresses={"api": fake.address}, max_network_retries=0)
    session = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "client_reference_id": order.order_id,
            "metadata": {"order_id": order.order_id},
            "payment_intent_data": {"metadata": {"order_id": order.order_id}},
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": 1234,
                        "product_data": {"name": order.title},
                    },
                }
            ],
            "success_url": order.return_url,
            "cancel_url": order.cancel_url,
            "expires_at": int((order.created_at + timedelta(hours=1)).timestamp()),
        }
    )
    assert session.payment_status == "unpaid"
    assert fake.asked[-1].form == ours.form
    assert (ours.method, ours.path) == (fake.asked[-1].method, fake.asked[-1].path)


async def test_starting_again_makes_no_second_session(fake: FakeStripe, http: httpx.AsyncClient) -> None:
    order = today()
    first = await PROCESSOR.start(order, access(fake), http)
    assert await PROCESSOR.start(order, access(fake), http) == first
    assert len(fake.sessions) == 1


@pytest.mark.parametrize(
    "case", [("JPY", 0, 500, 500), ("ISK", 0, 500, 50_000), ("MGA", 2, 50_000, 500), ("KWD", 3, 12_340, 12_340)]
)
async def test_amounts_are_said_in_the_units_that_stripe_counts(
    fake: FakeStripe, http: httpx.AsyncClient, case: tuple[str, int, int, int]
) -> None:
    currency, exponent, ours, theirs = case
    granted = access(fake, currency=currency, exponent=exponent)
    started = await PROCESSOR.start(today(amount=ours, currency=currency), granted, http)
    assert started.reference is not None
    assert fake.sessions[started.reference]["amount_total"] == theirs
    (event,) = read(fake.pay(started.reference), granted)
    assert (event.amount, event.currency) == (ours, currency)


async def test_a_fraction_that_stripe_cannot_take_is_refused(fake: FakeStripe, http: httpx.AsyncClient) -> None:
    with pytest.raises(ProcessorRefused, match="whole units of MGA"):
        await PROCESSOR.start(today(amount=150), access(fake, currency="MGA"), http)


async def test_a_refusal_is_told_in_stripes_words_and_without_the_key(
    fake: FakeStripe, http: httpx.AsyncClient
) -> None:
    with pytest.raises(ProcessorRefused, match="Invalid API Key") as told:
        await PROCESSOR.start(today(), access(fake, {**SECRETS, "api_key": "sk_test_another"}), http)
    assert "sk_test_another" not in str(told.value)


async def test_a_stripe_that_is_away_is_unavailable_and_not_a_refusal(
    fake: FakeStripe, http: httpx.AsyncClient
) -> None:
    fake.is_down = True
    with pytest.raises(ProcessorUnavailable):
        await PROCESSOR.start(today(), access(fake), http)
    nowhere = access_to(PROCESSOR, {"api_base": "http://127.0.0.1:1"}, SECRETS)
    with pytest.raises(ProcessorUnavailable) as told:
        await PROCESSOR.start(today(), nowhere, http)
    assert not told.value.has_been_sent


async def test_a_paid_session_that_the_sdk_signed_is_a_payment(fake: FakeStripe, http: httpx.AsyncClient) -> None:
    started = await PROCESSOR.start(today(), access(fake), http)
    assert started.reference is not None
    event = fake.pay(started.reference)
    (found,) = read(event)
    assert (found.event_id, found.kind, found.order_id) == (event["id"], "paid", ORDER_ID)
    assert (found.amount, found.currency) == (1234, "USD")
    assert found.trade_number == fake.sessions[started.reference]["payment_intent"]


async def test_what_we_accept_the_sdk_accepts_and_the_other_way_round(fake: FakeStripe) -> None:
    body, headers = signed(fake.event("customer.created", {"id": "cus_1", "object": "customer"}))
    assert PROCESSOR.read_webhook(delivery(body, headers), access()) == []
    stripe.Webhook.construct_event(body, headers["stripe-signature"], WEBHOOK_SECRET)
    for spoiled in (body + b" ", body.replace(b"cus_1", b"cus_2")):
        with pytest.raises(WebhookForged):
            PROCESSOR.read_webhook(delivery(spoiled, headers), access())
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(spoiled, headers["stripe-signature"], WEBHOOK_SECRET)


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=00", "t=x,v1=00", "t=1,t=2,v1=00", "t=1700000000,v0=00", "t=1700000000,v1=", "t=,v1=é"],
)
def test_a_header_that_is_no_signature_is_refused(header: str) -> None:
    with pytest.raises(WebhookForged):
        PROCESSOR.read_webhook(delivery(b"{}", {"stripe-signature": header}), access())


def test_a_method_without_a_secret_accepts_nothing() -> None:
    body, headers = signed({"id": "evt_1"}, secret="")
    none = access_to(PROCESSOR, {})
    with pytest.raises(WebhookForged):
        PROCESSOR.read_webhook(delivery(body, headers), none)


def test_the_secret_before_the_last_is_accepted_while_it_is_handed_in(fake: FakeStripe) -> None:
    event = fake.event("payout.paid", {"id": "po_1"})
    new = {**SECRETS, "webhook_secret": "whsec_the_new_one_for_tests"}
    assert read(event, access(None, new, SECRETS)) == []
    with pytest.raises(WebhookForged):
        read(event, access(None, new))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_signature_of_another_time_is_refused(fake: FakeStripe, seconds: int) -> None:
    at = int(time.time())
    body, headers = signed(fake.event("payout.paid", {"id": "po_1"}), at=at)
    with pytest.raises(WebhookForged, match="minutes"):
        PROCESSOR.read_webhook(posted(body, headers, at=datetime.fromtimestamp(at - seconds, UTC)), access())


async def test_a_slow_way_of_paying_pays_with_its_second_event(fake: FakeStripe, http: httpx.AsyncClient) -> None:
    started = await PROCESSOR.start(today(), access(fake), http)
    assert started.reference is not None
    assert read(fake.pay(started.reference, payment_status="unpaid")) == []
    session = fake.sessions[started.reference] | {"payment_status": "paid"}
    (paid,) = read(fake.event("checkout.session.async_payment_succeeded", session))
    assert paid.kind == "paid"
    (failed,) = read(fake.event("checkout.session.async_payment_failed", session))
    (expired,) = read(fake.event("checkout.session.expired", session))
    assert [failed.kind, expired.kind] == ["failed", "expired"]


async def test_refunds_and_disputes_are_told_with_their_totals(fake: FakeStripe, http: httpx.AsyncClient) -> None:
    started = await PROCESSOR.start(today(), access(fake), http)
    assert started.reference is not None
    (paid,) = read(fake.pay(started.reference))
    order = payment(reference=started.reference, trade_number=paid.trade_number)
    for key, amount in (("r1", 200), ("r1", 200), ("r2", 300)):
        made = await PROCESSOR.refund(order, amount, key, access(fake), http)
        assert isinstance(made, RefundMade)
        assert made.is_final
    assert paid.trade_number is not None
    (refunded,) = read(fake.charge_refunded(paid.trade_number))
    assert (refunded.kind, refunded.order_id, refunded.refunded_total) == ("refunded", ORDER_ID, 500)
    (opened,) = read(fake.dispute(paid.trade_number))
    (won,) = read(fake.dispute(paid.trade_number, status="won"))
    (lost,) = read(fake.dispute(paid.trade_number, status="lost"))
    assert [opened.kind, won.kind, lost.kind] == ["dispute_opened", "dispute_won", "dispute_lost"]
    assert (opened.order_id, opened.trade_number, opened.amount) == (None, paid.trade_number, 1234)
    assert read(fake.dispute(paid.trade_number, status="warning_closed")) == []
    (part,) = read(fake.dispute(paid.trade_number, amount=500))
    assert (part.kind, part.amount, part.currency) == ("dispute_opened", 500, "USD")
    (second,) = read(fake.dispute(paid.trade_number, amount=500, name="dp_2"))
    assert [one.dispute_name for one in (opened, won, lost, part, second)] == ["dp_1"] * 4 + ["dp_2"]
    assert second.dispute_reason == "fraudulent"


async def test_a_refund_above_what_is_left_is_not_possible(fake: FakeStripe, http: httpx.AsyncClient) -> None:
    started = await PROCESSOR.start(today(), access(fake), http)
    assert started.reference is not None
    fake.pay(started.reference)
    order = payment(reference=started.reference)
    assert isinstance(await PROCESSOR.refund(order, 1235, "r1", access(fake), http), RefundNotPossible)
    assert isinstance(await PROCESSOR.refund(order, 1234, "r2", access(fake), http), RefundMade)
    never_paid = await PROCESSOR.refund(payment(), 1, "r3", access(fake), http)
    assert isinstance(never_paid, RefundNotPossible)


async def test_asking_finds_a_payment_whose_notice_was_lost(fake: FakeStripe, http: httpx.AsyncClient) -> None:
    started = await PROCESSOR.start(today(), access(fake), http)
    assert started.reference is not None
    order = payment(reference=started.reference)
    assert await PROCESSOR.ask(order, access(fake), http) is None
    (told,) = read(fake.pay(started.reference))
    found = await PROCESSOR.ask(order, access(fake), http)
    assert found is not None
    assert (found.kind, found.amount, found.trade_number) == ("paid", 1234, told.trade_number)
    assert await PROCESSOR.ask(payment(), access(fake), http) is None


@pytest.mark.parametrize(
    "subject",
    [{"client_reference_id": "x", "payment_status": "paid"},
     {"client_reference_id": "x", "payment_status": "paid", "amount_total": "1234"},
     {"client_reference_id": "x", "payment_status": "paid", "amount_total": -1},
     {"client_reference_id": "x", "payment_status": "paid", "amount_total": 10**30}],
)  # fmt: skip
def test_a_signed_event_that_cannot_be_meant_is_unreadable(fake: FakeStripe, subject: dict[str, Any]) -> None:
    with pytest.raises(WebhookUnreadable):
        read(fake.event("checkout.session.async_payment_succeeded", {"payment_status": "paid", **subject}))


@pytest.mark.parametrize(
    ("kind", "subject"),
    [("checkout.session.completed", {"payment_status": "paid", "amount_total": 1}),
     ("checkout.session.completed", {"client_reference_id": "", "payment_status": "paid", "amount_total": 1}),
     ("charge.refunded", {"amount_refunded": 1, "metadata": {}}),
     ("charge.dispute.created", {"amount": 1, "status": "needs_response"})],
)  # fmt: skip
def test_what_another_shop_sold_on_the_same_account_is_of_no_interest(
    fake: FakeStripe, kind: str, subject: dict[str, Any]
) -> None:
    assert read(fake.event(kind, subject)) == [], "refused, it would be delivered for days, and then no more at all"


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"id":"evt_1"}', '{"id":1,"type":"a","data":{"object":{}}}'])
def test_a_signed_body_that_is_no_event_is_unreadable(body: str) -> None:
    header = stripe.WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET)
    with pytest.raises(WebhookUnreadable):
        PROCESSOR.read_webhook(delivery(body.encode(), {"stripe-signature": header}), access())


def test_the_fake_speaks_to_the_sdk_as_stripe_does(fake: FakeStripe) -> None:
    client = stripe.StripeClient("sk_test_wrong", base_addresses={"api": fake.address}, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError):
        client.v1.checkout.sessions.retrieve("cs_test_1")
    client = stripe.StripeClient(API_KEY, base_addresses={"api": fake.address}, max_network_retries=0)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.retrieve("cs_test_1")


def test_plain_http_is_refused_for_a_secret_key() -> None:
    assert PROCESSOR.objection(access_to(PROCESSOR, {"api_base": "http://stripe.example.com"}, SECRETS))
    assert PROCESSOR.objection(access_to(PROCESSOR, {}, SECRETS)) is None


def test_secrets_do_not_show_in_a_repr() -> None:
    assert WEBHOOK_SECRET not in repr(access())
    assert API_KEY not in json.dumps(repr(access().secrets))
