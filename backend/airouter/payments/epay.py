"""Epay, first generation: MD5 over the sorted fields and the merchant's key, because its protocol says so."""

import hashlib
import hmac
from typing import Annotated, Any, Literal

import httpx
import msgspec

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
    RefundUncertain,
    Started,
    WebhookForged,
)
from airouter.payments.epay_fields import (
    EXPONENT,
    PAID,
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

_PayType = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{0,30}$")]


class EpayConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`pay_type` empty: the gateway's own page asks how to pay.

    `way`: `form` sends the buyer's browser to the gateway with a post, `redirect` with an address, and `api` asks the
    gateway first and may get a QR code. `ask_with`: what a question about an order is answered for, the `key` itself
    (the original protocol) or a signature (`sign`).
    """

    base_url: Annotated[str, msgspec.Meta(min_length=8, max_length=200)]
    pid: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    pay_type: _PayType = ""
    way: Literal["form", "redirect", "api"] = "form"
    ask_with: Literal["key", "sign"] = "key"


class EpaySecrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The merchant's key."""

    key: Annotated[str, msgspec.Meta(min_length=8, max_length=500, pattern=r"^[\x21-\x7e]+$")]

    def __repr__(self) -> str:
        return "EpaySecrets(…)"


EpayAccess = Access[EpayConfig, EpaySecrets]


class Epay:
    """See `contract.Processor`. `trade_number` is the gateway's number of the trade."""

    name = "epay"
    config_type = EpayConfig
    secrets_type = EpaySecrets
    has_webhook = True
    can_ask = True
    can_refund = True
    repeats_refunds = False
    acknowledgement = Acknowledgement(body=b"success")

    def objection(self, access: EpayAccess) -> str | None:
        """Money is written with two places, so the currency must have two."""
        unfit = unfit_currency(access.currency, access.exponent)
        return unfit or unsafe_address("base_url", access.config.base_url)

    async def start(self, payment: Payment, access: EpayAccess, http: httpx.AsyncClient) -> Started:
        """The gateway refuses a second payment of the same order number, so starting again is harmless."""
        fields = {"pid": access.config.pid, **start_fields(payment, access.config.pay_type)}
        if access.config.way == "api":
            return await self._start_by_api(payment, fields, access, http)
        signed, url = _signed(fields, access), f"{_base(access)}/submit.php"
        if access.config.way == "redirect":
            return Started(next=Next(type="redirect", url=str(httpx.URL(url, params=signed))))
        return Started(next=Next(type="form", url=url, fields=signed))

    async def _start_by_api(
        self, payment: Payment, fields: dict[str, str], access: EpayAccess, http: httpx.AsyncClient
    ) -> Started:
        fields = {**fields, "clientip": payment.buyer_address or "127.0.0.1", "device": "pc"}
        answer = await call(http, "POST", f"{_base(access)}/mapi.php", form=_signed(fields, access))
        document = _agreed(answer.document())
        trade_number = word(document, "trade_no")
        page, code = word(document, "payurl"), word(document, "qrcode")
        if page is not None:
            return Started(next=Next(type="redirect", url=page_address(page)), reference=trade_number)
        if code is not None:
            return Started(next=Next(type="qr", url=code_address(code)), reference=trade_number)
        raise ProcessorRefused("the gateway named neither a page nor a code to pay with")

    def read_webhook(self, delivery: Delivery, access: EpayAccess) -> list[PaymentEvent]:
        """One event, where the trade is paid. Gateways notify of nothing else."""
        fields = fields_of(delivery)
        _verify(fields, access)
        event = notice_event(fields, access.config.pid)
        return [event] if event else []

    async def ask(self, payment: Payment, access: EpayAccess, http: httpx.AsyncClient) -> PaymentEvent | None:
        """`api.php?act=order`. Its answer carries no signature, but comes over TLS from the gateway itself."""
        fields = {"act": "order", "pid": access.config.pid, "out_trade_no": trade_of(payment)}
        fields = _signed(fields, access) if access.config.ask_with == "sign" else {**fields, "key": _key(access)}
        answer = await call(http, "GET", f"{_base(access)}/api.php", form=fields)
        document = answer.document()
        if not _is_yes(document):
            return None  # gateways say no both to what nobody opened yet and to what they forgot
        is_paid = word(document, "status") == "1" or (word(document, "trade_status") or "").upper() in PAID
        return asked_event(document, payment) if is_paid else None

    async def refund(
        self, payment: Payment, amount: int, key: str, access: EpayAccess, http: httpx.AsyncClient
    ) -> Refunded:
        """`api.php?act=refund`, which knows no number of a refund: what may have been done is not tried again."""
        del key
        fields = {"pid": access.config.pid, "key": _key(access), "money": to_decimal(amount, EXPONENT)}
        fields |= {"trade_no": payment.trade_number} if payment.trade_number else {"out_trade_no": trade_of(payment)}
        try:
            answer = await call(http, "POST", f"{_base(access)}/api.php?act=refund", form=fields)
            document = answer.document()
        except ProcessorUnavailable as error:
            if not error.has_been_sent:
                raise
            return RefundUncertain(reason=f"The gateway's answer is not known ({error}).")
        if not _is_yes(document):
            return RefundNotPossible(reason=said(document))
        return RefundMade(reference=payment.trade_number)


def signature(fields: dict[str, str], key: str) -> str:
    """MD5, in lower-case hexadecimal digits."""
    return hashlib.md5((signed_text(fields) + key).encode(), usedforsecurity=False).hexdigest()


def _signed(fields: dict[str, str], access: EpayAccess) -> dict[str, str]:
    sent = {name: value for name, value in fields.items() if value}
    return {**sent, "sign": signature(sent, _key(access)), "sign_type": "MD5"}


def _verify(fields: dict[str, str], access: EpayAccess) -> None:
    given = fields.get("sign", "").strip().lower().encode()
    is_genuine = False
    for secret in access.secrets:
        if secret.key.strip():
            is_genuine |= hmac.compare_digest(signature(fields, secret.key).encode(), given)
    if not is_genuine or fields.get("sign_type", "MD5").upper() != "MD5":
        raise WebhookForged("no signature by a key of this method")


def _key(access: EpayAccess) -> str:
    if not access.secrets:
        raise ProcessorRefused("this method has no secret")
    return access.secrets[0].key


def _base(access: EpayAccess) -> str:
    return access.config.base_url.rstrip("/")


def _is_yes(document: dict[str, Any]) -> bool:
    return word(document, "code") == "1"


def _agreed(document: dict[str, Any]) -> dict[str, Any]:
    if not _is_yes(document):
        raise ProcessorRefused(said(document))
    return document
