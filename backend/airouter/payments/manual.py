"""A bank transfer, or any other way of paying that a person confirms: the buyer gets words and a reference to write on
it, an operator sees the money arrive and confirms the order in the console.
"""

from typing import Annotated, Final

import httpx
import msgspec

from airouter.payments.contract import (
    Access,
    Acknowledgement,
    Delivery,
    Next,
    NoSecrets,
    Payment,
    PaymentEvent,
    Refunded,
    RefundNotPossible,
    Started,
    WebhookForged,
)

_REFERENCE_CHARACTERS: Final = 12


class ManualConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`instructions` is shown to the buyer as it stands. `details` are lines to copy, such as the account number, by
    their label; `reference_label` names the line with the reference of the order.
    """

    instructions: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    details: dict[
        Annotated[str, msgspec.Meta(min_length=1, max_length=60)],
        Annotated[str, msgspec.Meta(min_length=1, max_length=300)],
    ] = {}
    reference_label: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "Reference"


def transfer_reference(order_id: str) -> str:
    """What the buyer writes on the transfer: the end of the order's id, which is its random part, in groups of four."""
    digits = order_id.replace("-", "").upper()[-_REFERENCE_CHARACTERS:]
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))


class Manual:
    """See `contract.Processor`. No notices and no questions: everything it knows is what a person says."""

    name = "manual"
    config_type = ManualConfig
    secrets_type = NoSecrets
    has_webhook = False
    can_ask = False
    can_refund = False
    repeats_refunds = True
    acknowledgement = Acknowledgement()

    def objection(self, access: Access[ManualConfig, NoSecrets]) -> str | None:
        """The line with the reference must not hide one of the operator's."""
        if access.config.reference_label in access.config.details:
            return "reference_label is also the label of one of the details."
        return None

    async def start(
        self, payment: Payment, access: Access[ManualConfig, NoSecrets], http: httpx.AsyncClient
    ) -> Started:
        """Nobody is called."""
        del http
        reference = transfer_reference(payment.order_id)
        fields = {**access.config.details, access.config.reference_label: reference}
        return Started(
            next=Next(type="instructions", text=access.config.instructions, fields=fields), reference=reference
        )

    def read_webhook(self, delivery: Delivery, access: Access[ManualConfig, NoSecrets]) -> list[PaymentEvent]:
        """Nobody has anything to say here."""
        del delivery, access
        raise WebhookForged("a manual method has no webhook")

    async def ask(
        self, payment: Payment, access: Access[ManualConfig, NoSecrets], http: httpx.AsyncClient
    ) -> PaymentEvent | None:
        """There is nobody to ask."""
        del payment, access, http
        return None

    async def refund(
        self,
        payment: Payment,
        amount: int,
        key: str,
        access: Access[ManualConfig, NoSecrets],
        http: httpx.AsyncClient,
    ) -> Refunded:
        """A person sends the money back."""
        del payment, amount, key, access, http
        return RefundNotPossible(reason="Send the money back by hand, then record the refund.")
