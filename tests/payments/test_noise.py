"""Whatever comes to a webhook, a processor answers with an event or one of its two refusals, never with a failure."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe import WebhookSignature

from airouter.payments.contract import Delivery, WebhookForged, WebhookUnreadable
from airouter.payments.demo import SIGNATURE_HEADER, Demo, DemoBank, sign
from airouter.payments.epay import Epay, signature
from airouter.payments.epay_rsa import EpayRsa
from airouter.payments.stripe import Stripe
from tests.payments.fake_epay import KEY, PID, private_text, public_text, signed_by_platform
from tests.payments.fake_stripe import API_KEY, WEBHOOK_SECRET
from tests.payments.payments import access_to, got, posted

NOW = datetime.now(UTC)
EPAY = {"base_url": "https://pay.example.com", "pid": PID}
DEMO_SECRET = "a demo signing secret"
DEMO = Demo(DemoBank(Path("unused")), "http://x")
METHODS: list[tuple[Any, Any]] = [
    (Stripe(), access_to(Stripe(), {}, {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET})),
    (Epay(), access_to(Epay(), EPAY, {"key": KEY}, currency="CNY")),
    (
        EpayRsa(),
        access_to(
            EpayRsa(),
            {**EPAY, "platform_public_key": public_text("platform")},
            {"merchant_private_key": private_text("merchant")},
            currency="CNY",
        ),
    ),
    (DEMO, access_to(DEMO, {}, {"signing_secret": DEMO_SECRET})),
]
NAMES = [processor.name for processor, _ in METHODS]
WORDS = st.dictionaries(
    st.sampled_from(["pid", "trade_no", "out_trade_no", "money", "trade_status", "sign_type", "timestamp", "x"]),
    st.one_of(
        st.text(max_size=20), st.sampled_from([PID, "TRADE_SUCCESS", "1.00", "MD5", "RSA", str(int(NOW.timestamp()))])
    ),
)
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=9)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=3)),
    max_leaves=8,
)


def is_answered(processor: Any, access: Any, delivery: Delivery) -> None:
    try:
        processor.read_webhook(delivery, access)
    except (WebhookForged, WebhookUnreadable):
        return


@pytest.mark.parametrize(("processor", "access"), METHODS, ids=NAMES)
@given(body=st.binary(max_size=200), query=st.text(max_size=100), header=st.text(max_size=100))
def test_noise_is_refused(processor: Any, access: Any, body: bytes, query: str, header: str) -> None:
    headers = {"stripe-signature": header, SIGNATURE_HEADER: header}
    for method in ("GET", "POST"):
        delivery = Delivery(method=method, query=query, headers=headers, body=body, received_at=NOW)  # type: ignore[arg-type]
        with pytest.raises((WebhookForged, WebhookUnreadable)):
            processor.read_webhook(delivery, access)


@given(fields=WORDS)
def test_signed_noise_of_an_epay_gateway_is_an_event_or_refused(fields: dict[str, str]) -> None:
    is_answered(*METHODS[1], got({**fields, "sign": signature(fields, KEY)}, at=NOW))
    is_answered(*METHODS[2], got({name: str(value) for name, value in signed_by_platform(fields).items()}, at=NOW))


@given(event=JSON, kind=st.sampled_from(["charge.refunded", "checkout.session.completed", "charge.dispute.closed"]))
def test_signed_noise_of_stripe_is_an_event_or_refused(event: Any, kind: str) -> None:
    for document in (event, {"id": "evt", "type": kind, "data": {"object": event}}):
        body = json.dumps(document)
        header = WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET, timestamp=int(NOW.timestamp()))
        is_answered(*METHODS[0], posted(body.encode(), {"stripe-signature": header}, at=NOW))
        stamp = int(NOW.timestamp())
        mark = f"{stamp},{sign(body.encode(), stamp, DEMO_SECRET)}"
        is_answered(*METHODS[3], posted(body.encode(), {SIGNATURE_HEADER: mark}, at=NOW))
