"""An Epay gateway of both generations. Its first generation signs and checks with `epay-sdk`, not with our code."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from epay_sdk import EPayClient, EPayConfig

from tests.payments.http_server import Answer, Asked, served

PID = "1001"
KEY = "an-epay-merchant-key-for-tests"


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """Making one takes a while."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_text(name: str) -> str:
    """As a merchant's page shows it: base64 without PEM's lines."""
    der = rsa_key(name).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return base64.b64encode(der).decode()


def public_text(name: str) -> str:
    pem = rsa_key(name).public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    return pem.decode()


def text_of(fields: dict[str, Any]) -> bytes:
    kept = {
        name: str(value) for name, value in fields.items() if str(value) != "" and name not in ("sign", "sign_type")
    }
    return "&".join(f"{name}={kept[name]}" for name in sorted(kept)).encode()


def signed_by_platform(fields: dict[str, Any], key: str = "platform") -> dict[str, Any]:
    made = rsa_key(key).sign(text_of(fields), padding.PKCS1v15(), hashes.SHA256())
    return {**fields, "sign": base64.b64encode(made).decode(), "sign_type": "RSA"}


class FakeEpay:
    """Trades by our order number."""

    def __init__(self) -> None:
        self.trades: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.asked: list[Asked] = []
        self.is_down = False
        self.loses_answers = False
        self.address = ""
        self._numbers = count(1)
        self.sdk = EPayClient(EPayConfig(pid=PID, key=KEY, base_url="https://pay.example.com"))

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.is_down:
            return 502, "<html>Bad gateway</html>"
        answer = self._v2(asked) if asked.path.startswith("/api/pay/") else self._v1(asked)
        return (504, "lost") if self.loses_answers else answer

    def _v1(self, asked: Asked) -> Answer:
        fields = asked.form
        match asked.path:
            case "/submit.php":
                if not self.sdk.verify_sign(fields):
                    return 200, "签名校验失败"
                return 200, f"<title>收银台</title>{self.open(fields)['trade_no']}"
            case "/mapi.php":
                if not self.sdk.verify_sign(fields) or not fields.get("clientip"):
                    return 200, {"code": -1, "msg": "签名校验失败"}
                trade = self.open(fields)
                return 200, {"code": 1, "trade_no": trade["trade_no"], "qrcode": "weixin://wxpay/bizpayurl?pr=1"}
            case "/api.php":
                return self._api(asked.query.get("act", ""), fields)
            case _:
                return 404, "nothing"

    def _api(self, act: str, fields: dict[str, str]) -> Answer:
        if fields.get("key") != KEY and not self.sdk.verify_sign(fields):
            return 200, {"code": -3, "msg": "商户密钥错误"}
        trade = self._find(fields)
        if trade is None:
            return 200, {"code": -1, "msg": "订单号不存在"}
        if act == "order":
            return 200, {"code": 1, "msg": "succ", **trade}
        if float(fields["money"]) > float(trade["money"]):
            return 200, {"code": -1, "msg": "退款金额不能大于订单金额"}
        self.refunds[f"v1-{next(self._numbers)}"] = {"trade_no": trade["trade_no"], "money": fields["money"]}
        return 200, {"code": 1, "msg": "退款成功"}

    def _v2(self, asked: Asked) -> Answer:
        fields = asked.form
        rsa_key("merchant").public_key().verify(
            base64.b64decode(fields["sign"]), text_of(fields), padding.PKCS1v15(), hashes.SHA256()
        )
        assert abs(int(fields["timestamp"]) - time.time()) < 300
        stamp = int(time.time())
        if asked.path == "/api/pay/submit":
            return 200, f"<title>收银台</title>{self.open(fields)['trade_no']}"
        if asked.path == "/api/pay/create":
            trade = self.open(fields)
            said = {"code": 0, "trade_no": trade["trade_no"], "pay_type": "jump",
                    "pay_info": f"https://pay.example.com/pay/{trade['trade_no']}", "timestamp": stamp}  # fmt: skip
            return 200, signed_by_platform(said)
        trade = self._find(fields)
        if trade is None:
            return 200, {"code": -1, "msg": "订单号不存在"}
        if asked.path == "/api/pay/query":
            return 200, signed_by_platform({"code": 0, "msg": "", **trade, "timestamp": stamp})
        number = fields["out_refund_no"]
        self.refunds.setdefault(number, {"trade_no": trade["trade_no"], "money": fields["money"]})
        return 200, signed_by_platform({"code": 0, "refund_no": f"R{number}", "timestamp": stamp})

    def open(self, fields: dict[str, str]) -> dict[str, Any]:
        number = fields["out_trade_no"]
        return self.trades.setdefault(number, {
            "trade_no": f"2026112300{next(self._numbers)}", "out_trade_no": number,
            "type": fields.get("type") or "alipay",
            "pid": int(PID), "name": fields["name"], "money": fields["money"], "status": 0,
            "notify_url": fields["notify_url"],
        })  # fmt: skip

    def _find(self, fields: dict[str, str]) -> dict[str, Any] | None:
        by_number = {trade["trade_no"]: trade for trade in self.trades.values()}
        return self.trades.get(fields.get("out_trade_no", "")) or by_number.get(fields.get("trade_no", ""))

    def pay(self, out_trade_no: str) -> dict[str, str]:
        """The buyer pays; the fields of the notice, signed by the SDK."""
        trade = self.trades[out_trade_no]
        trade["status"] = 1
        return self.notice(trade)

    def notice(self, trade: dict[str, Any], **changes: str) -> dict[str, str]:
        names = ("trade_no", "out_trade_no", "type", "name", "money")
        fields = {"pid": PID, **{name: str(trade[name]) for name in names}, "trade_status": "TRADE_SUCCESS", **changes}
        return {**fields, "sign": self.sdk.sign(fields), "sign_type": "MD5"}

    def notice_v2(self, trade: dict[str, Any], key: str = "platform", **changes: str) -> dict[str, str]:
        names = ("trade_no", "out_trade_no", "type", "name", "money")
        fields = {
            "pid": PID, **{name: str(trade[name]) for name in names}, "trade_status": "TRADE_SUCCESS",
            "api_trade_no": "42000", "timestamp": str(int(time.time())), **changes,
        }  # fmt: skip
        return signed_by_platform(fields, key)


@contextmanager
def fake_epay() -> Iterator[FakeEpay]:
    fake = FakeEpay()
    with served(fake.answer) as fake.address:
        yield fake
