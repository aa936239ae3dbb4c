"""Epay, second generation: other addresses, a time stamp, and signatures with RSA (SHA-256, PKCS #1 v1.5) both ways."""

import base64
import binascii
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import httpx
import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from airouter.payments.amounts import to_decimal
from airouter.payments.contract import (
    Access,
    Acknowledgement,
    Delivery,
    Next,
    Payment,
    PaymentEvent,
    ProcessorRefused,
    ProcessorUnavailable,
    Refunded,
    RefundMade,
    RefundNotPossible,
    Started,
    WebhookForged,
)
from airouter.payments.epay_fields import (
    EXPONENT,
    asked_event,
    fields_of,
    notice_event,
    said,
    signed_text,
    start_fields,
    trade_of,
    unfit_currency,
    word,
)
from airouter.payments.exchange import call, code_address, page_address, unsafe_address
from airouter.world import now

TOLERANCE_SECONDS: Final = 86_400
"""Gateways repeat a notice for hours with the time it was first made; what the inbox knows has no effect again."""
_KEY_BITS_MIN: Final = 2048
_PAID_STATUS: Final = "1"


class EpayRsaConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`way`: `form` sends the buyer's browser to the gateway, `api` asks the gateway first and may get a QR code.

    `platform_public_key` is the gateway's, from its page "API"; base64 or PEM. Notices and answers are held against it.
    """

    base_url: Annotated[str, msgspec.Meta(min_length=8, max_length=200)]
    pid: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    platform_public_key: Annotated[str, msgspec.Meta(min_length=64, max_length=4000)]
    pay_type: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{0,30}$")] = ""
    way: Literal["form", "api"] = "form"


class EpayRsaSecrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The merchant's private key, base64 or PEM.

    `platform_public_key` is kept with a secret too when it changes at the gateway: the old one holds as long as the old
    secret. None: the one of the configuration.
    """

    merchant_private_key: Annotated[str, msgspec.Meta(min_length=64, max_length=8000)]
    platform_public_key: Annotated[str, msgspec.Meta(min_length=64, max_length=4000)] | None = None

    def __repr__(self) -> str:
        return "EpayRsaSecrets(…)"


EpayRsaAccess = Access[EpayRsaConfig, EpayRsaSecrets]


class EpayRsa:
    """See `contract.Processor`. `trade_number` is the gateway's number of the trade."""

    name = "epay-rsa"
    config_type = EpayRsaConfig
    secrets_type = EpayRsaSecrets
    has_webhook = True
    can_ask = True
    can_refund = True
    repeats_refunds = True
    acknowledgement = Acknowledgement(body=b"success")

    def objection(self, access: EpayRsaAccess) -> str | None:
        """Keys have to be keys, and the currency must have two places."""
        unfit = unfit_currency(access.currency, access.exponent)
        if unfit is not None:
            return unfit
        if public_key(access.config.platform_public_key) is None:
            return f"platform_public_key is not an RSA public key of {_KEY_BITS_MIN} bits or more."
        for secret in access.secrets:
            if private_key(secret.merchant_private_key) is None:
                return f"merchant_private_key is not an RSA private key of {_KEY_BITS_MIN} bits or more."
            if secret.platform_public_key is not None and public_key(secret.platform_public_key) is None:
                return f"platform_public_key is not an RSA public key of {_KEY_BITS_MIN} bits or more."
        return unsafe_address("base_url", access.config.base_url)

    async def start(self, payment: Payment, access: EpayRsaAccess, http: httpx.AsyncClient) -> Started:
        """The gateway refuses a second payment of the same order number, so starting again is harmless."""
        fields = start_fields(payment, access.config.pay_type)
        if access.config.way == "form":
            return Started(
                next=Next(type="form", url=f"{_base(access)}/api/pay/submit", fields=_signed(fields, access, now()))
            )
        fields |= {"method": "web", "device": "pc", "clientip": payment.buyer_address or "127.0.0.1"}
        document = _agreed(await _asked(http, access, "/api/pay/create", fields))
        kind, url = word(document, "pay_type"), word(document, "pay_info")
        if url is None or kind not in {"jump", "qrcode"}:
            raise ProcessorRefused(f"the gateway wants to be paid in a way that a console cannot show ({kind})")
        step = (
            Next(type="redirect", url=page_address(url)) if kind == "jump" else Next(type="qr", url=code_address(url))
        )
        return Started(next=step, reference=word(document, "trade_no"))

    def read_webhook(self, delivery: Delivery, access: EpayRsaAccess) -> list[PaymentEvent]:
        """One event, where the trade is paid."""
        fields = fields_of(delivery)
        if not _is_genuine(fields, access):
            raise WebhookForged("no signature by the gateway's key")
        _verify_time(fields, delivery.received_at)
        event = notice_event(fields, access.config.pid)
        return [event] if event else []

    async def ask(self, payment: Payment, access: EpayRsaAccess, http: httpx.AsyncClient) -> PaymentEvent | None:
        """`/api/pay/query`; its answer is signed."""
        document = await _asked(http, access, "/api/pay/query", {"out_trade_no": trade_of(payment)})
        if word(document, "code") != "0" or word(document, "status") != _PAID_STATUS:
            return None
        return asked_event(document, payment)

    async def refund(
        self, payment: Payment, amount: int, key: str, access: EpayRsaAccess, http: httpx.AsyncClient
    ) -> Refunded:
        """`/api/pay/refund` with a number of our own, which makes repeating harmless."""
        fields = {
            "out_trade_no": trade_of(payment),
            "money": to_decimal(amount, EXPONENT),
            "out_refund_no": key.replace("-", "").replace("/", "")[:64],
        }
        document = await _asked(http, access, "/api/pay/refund", fields)
        if word(document, "code") != "0":
            return RefundNotPossible(reason=said(document))
        return RefundMade(reference=word(document, "refund_no"))


async def _asked(http: httpx.AsyncClient, access: EpayRsaAccess, path: str, fields: dict[str, str]) -> dict[str, Any]:
    """The gateway's answer; a yes is believed only with its signature.

    Raises:
        ProcessorRefused, ProcessorUnavailable
    """
    answer = await call(http, "POST", _base(access) + path, form=_signed(fields, access, now()))
    document = answer.document()
    if word(document, "code") == "0":
        words = {name: str(value) for name, value in document.items() if isinstance(value, str | int | float)}
        if not _is_genuine(words, access):
            raise ProcessorUnavailable("the answer is not signed by the gateway's key")
    return document


def _signed(fields: dict[str, str], access: EpayRsaAccess, at: datetime) -> dict[str, str]:
    key = private_key(access.secrets[0].merchant_private_key) if access.secrets else None
    if key is None:
        raise ProcessorRefused("this method has no usable private key")
    fields = {**fields, "pid": access.config.pid, "timestamp": str(int(at.timestamp()))}
    sent = {name: value for name, value in fields.items() if value}
    made = key.sign(signed_text(sent).encode(), PKCS1v15(), SHA256())
    return {**sent, "sign": base64.b64encode(made).decode(), "sign_type": "RSA"}


def _is_genuine(fields: dict[str, str], access: EpayRsaAccess) -> bool:
    """By any of the gateway's keys that are accepted now. Without a secret of ours nothing is: the method is off."""
    if fields.get("sign_type", "RSA").upper() != "RSA":
        return False
    try:
        given = base64.b64decode(fields.get("sign", "").replace(" ", "+"), validate=True)
    except binascii.Error:
        return False
    texts = {secret.platform_public_key or access.config.platform_public_key for secret in access.secrets}
    for text in texts:
        key = public_key(text)
        try:
            if key is not None:
                key.verify(given, signed_text(fields).encode(), PKCS1v15(), SHA256())
                return True
        except InvalidSignature:
            continue
    return False


def _verify_time(fields: dict[str, str], received_at: datetime) -> None:
    stamp = fields.get("timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise WebhookForged("the notice carries no time")
    if abs(received_at.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise WebhookForged("the notice is not of this day")


@lru_cache(maxsize=32)
def public_key(text: str) -> RSAPublicKey | None:
    """None for what is not an RSA public key of a decent size."""
    try:
        key = load_der_public_key(_der(text))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= _KEY_BITS_MIN else None


@lru_cache(maxsize=32)
def private_key(text: str) -> RSAPrivateKey | None:
    """None for what is not an RSA private key of a decent size."""
    try:
        key = load_der_private_key(_der(text), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPrivateKey) and key.key_size >= _KEY_BITS_MIN else None


def _der(text: str) -> bytes:
    """PEM with or without its lines of dashes."""
    lines = [line.strip() for line in text.splitlines() if "-----" not in line]
    return base64.b64decode("".join(lines), validate=True)


def _base(access: EpayRsaAccess) -> str:
    return access.config.base_url.rstrip("/")


def _agreed(document: dict[str, Any]) -> dict[str, Any]:
    if word(document, "code") != "0":
        raise ProcessorRefused(said(document))
    return document
