"""A Stripe small enough to see through: sessions, refunds, events. The official SDK is pointed at it as well."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from stripe import WebhookSignature

from tests.payments.http_server import Answer, Asked, served

API_KEY = "sk_test_51FakeFakeFakeFakeFake"
WEBHOOK_SECRET = "whsec_a_secret_for_tests_only"
CLOCK = time.time


class FakeStripe:
    """Keeps what was made; refuses what Stripe refuses, in its words."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.asked: list[Asked] = []
        self.is_down = False
        self.address = ""
        self._answers: dict[str, tuple[dict[str, str], Answer]] = {}
        self._numbers = count(1)

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.is_down:
            return 503, "<html>upstream connect error</html>"
        if asked.headers.get("authorization") != f"Bearer {API_KEY}":
            return _refusal(401, "Invalid API Key provided: sk_test_****wrong", kind="invalid_request_error")
        key = asked.headers.get("idempotency-key")
        if asked.method == "POST" and key is not None and key in self._answers:
            form, before = self._answers[key]
            if form != asked.form:
                return _refusal(400, "Keys for idempotent requests can only be used with the same parameters.",
                                kind="idempotency_error")  # fmt: skip
            return before
        answer = self._do(asked)
        if asked.method == "POST" and key is not None and answer[0] < 300:
            self._answers[key] = (asked.form, answer)
        return answer

    def _do(self, asked: Asked) -> Answer:
        match asked.method, asked.path.strip("/").split("/"):
            case "POST", ["v1", "checkout", "sessions"]:
                return self._make_session(asked.form)
            case "GET", ["v1", "checkout", "sessions", name]:
                found = self.sessions.get(name)
                return (200, found) if found else _refusal(404, f"No such checkout.session: {name}")
            case "POST", ["v1", "refunds"]:
                return self._refund(asked.form)
            case _:
                return _refusal(404, f"Unrecognized request URL ({asked.method}: {asked.path}).")

    def _make_session(self, form: dict[str, str]) -> Answer:
        try:
            amount = int(form["line_items[0][price_data][unit_amount]"]) * int(form["line_items[0][quantity]"])
            currency = form["line_items[0][price_data][currency]"]
            assert form["line_items[0][price_data][product_data][name]"]
            assert form["success_url"].startswith("http")
            expires_at = int(form.get("expires_at", str(int(CLOCK()) + 86_400)))
        except (KeyError, ValueError, AssertionError) as error:
            return _refusal(400, f"Missing or invalid: {error}", code="parameter_missing")
        if form.get("mode") != "payment" or currency != currency.lower() or amount < 50:
            return _refusal(400, "The Checkout Session's total amount must convert to at least 50 cents.",
                            code="amount_too_small")  # fmt: skip
        if not CLOCK() + 1_790 <= expires_at <= CLOCK() + 86_410:
            return _refusal(400, "The `expires_at` timestamp must be between 30 minutes and 24 hours from creation.")
        name = f"cs_test_{next(self._numbers)}"
        metadata = {key[9:-1]: value for key, value in form.items() if key.startswith("metadata[")}
        self.sessions[name] = {
            "id": name, "object": "checkout.session", "url": f"https://checkout.stripe.example/c/pay/{name}",
            "mode": "payment", "status": "open", "payment_status": "unpaid", "payment_intent": None,
            "client_reference_id": form.get("client_reference_id"), "metadata": metadata,
            "amount_total": amount, "currency": currency, "expires_at": expires_at, "livemode": False,
            "_intent_metadata": {
                key[len("payment_intent_data[metadata]["):-1]: value
                for key, value in form.items() if key.startswith("payment_intent_data[metadata][")
            },
        }  # fmt: skip
        return 200, self.sessions[name]

    def _refund(self, form: dict[str, str]) -> Answer:
        intent = self.intents.get(form.get("payment_intent", ""))
        if intent is None:
            return _refusal(404, "No such payment_intent")
        amount = int(form.get("amount", intent["amount"] - intent["refunded"]))
        if amount > intent["amount"] - intent["refunded"]:
            return _refusal(400, "Refund amount is greater than the unrefunded amount on the charge.",
                            code="charge_already_refunded")  # fmt: skip
        intent["refunded"] += amount
        name = f"re_{next(self._numbers)}"
        self.refunds[name] = {
            "id": name, "object": "refund", "amount": amount, "currency": intent["currency"],
            "payment_intent": intent["id"], "status": "succeeded", "metadata": {},
        }  # fmt: skip
        return 200, self.refunds[name]

    # What happens at Stripe: the event that it would deliver.

    def pay(self, session_id: str, *, payment_status: str = "paid") -> dict[str, Any]:
        session = self.sessions[session_id]
        intent = f"pi_{next(self._numbers)}"
        self.intents[intent] = {
            "id": intent, "amount": session["amount_total"], "currency": session["currency"], "refunded": 0,
            "metadata": session["_intent_metadata"],
        }  # fmt: skip
        session |= {"status": "complete", "payment_status": payment_status, "payment_intent": intent}
        return self.event("checkout.session.completed", session)

    def charge_refunded(self, intent_id: str) -> dict[str, Any]:
        intent = self.intents[intent_id]
        charge = {
            "id": f"ch_{next(self._numbers)}", "object": "charge", "amount": intent["amount"],
            "amount_refunded": intent["refunded"], "currency": intent["currency"], "payment_intent": intent_id,
            "metadata": intent["metadata"], "status": "succeeded",
        }  # fmt: skip
        return self.event("charge.refunded", charge)

    def dispute(
        self, intent_id: str, *, status: str = "needs_response", amount: int | None = None, name: str = "dp_1"
    ) -> dict[str, Any]:
        intent = self.intents[intent_id]
        dispute = {
            "id": name, "object": "dispute", "amount": amount or intent["amount"], "currency": intent["currency"],
            "payment_intent": intent_id, "charge": "ch_1", "status": status, "reason": "fraudulent", "metadata": {},
        }  # fmt: skip
        return self.event("charge.dispute.created" if status == "needs_response" else "charge.dispute.closed", dispute)

    def event(self, kind: str, subject: dict[str, Any]) -> dict[str, Any]:
        shown = {name: value for name, value in subject.items() if not name.startswith("_")}
        return {
            "id": f"evt_{next(self._numbers)}", "object": "event", "type": kind, "api_version": "2024-06-20",
            "created": int(CLOCK()), "livemode": False, "data": {"object": json.loads(json.dumps(shown))},
        }  # fmt: skip


def signed(
    event: dict[str, Any], secret: str = WEBHOOK_SECRET, at: float | None = None
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a delivery, signed by the official SDK."""
    body = json.dumps(event, indent=2)
    header = WebhookSignature.generate_signature_header(body, secret, timestamp=int(at if at is not None else CLOCK()))
    return body.encode(), {"stripe-signature": header, "content-type": "application/json; charset=utf-8"}


@contextmanager
def fake_stripe() -> Iterator[FakeStripe]:
    fake = FakeStripe()
    with served(fake.answer) as fake.address:
        yield fake


def _refusal(status: int, message: str, *, code: str | None = None, kind: str = "invalid_request_error") -> Answer:
    return status, {"error": {"type": kind, "message": message, **({"code": code} if code else {})}}
