"""What became of a payment, in the words of a letter: codes of domain/order.py that a person has to look at."""

from collections.abc import Mapping
from typing import Final

OUTCOMES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "review": "what came is not what was ordered, or cannot be credited",
        "paid_twice": "it is a second payment for an order that is paid",
        "refund_unclear": "it is not clear what was given back",
        "order_unknown": "it is for no order of ours",
        "order_of_another_method": "it is for an order of another payment method",
    },
    "zh": {
        "review": "到账与订单不符，或无法入账",
        "paid_twice": "这是已付款订单的第二笔付款",
        "refund_unclear": "退还的金额不明确",
        "order_unknown": "它不属于我们的任何订单",
        "order_of_another_method": "它属于另一种支付方式的订单",
    },
}
"""By language, then by code."""
