"""Refusals about buying quota. They hang in the tree of domain/errors.py, and have their statuses from there."""

from airouter.domain.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany, Unavailable, Upstream


class MethodUnavailable(NotFound):
    code = "payment_method_unavailable"
    default_message = "This payment method is not offered here."


class AmountOutOfBounds(Invalid):
    """`minimum` and `maximum` are in minor units of the method's currency; null: no bound on that side."""

    code = "amount_out_of_bounds"
    default_message = "The amount is not within the bounds of this payment method."


class QuoteChanged(Conflict):
    """`total`, `quota` and `bonus_quota` are what it would be now."""

    code = "quote_changed"
    default_message = "The price has changed since it was shown. Nothing was ordered; look at it again."


class TooManyOpenOrders(TooMany):
    code = "too_many_open_orders"
    default_message = "Too many orders are waiting to be paid. Pay or cancel one of them first."


class OrderNotOpen(Conflict):
    """`status` says what it is."""

    code = "order_not_open"
    default_message = "This order is not waiting to be paid any more."


class OrderNotRefundable(Conflict):
    code = "order_not_refundable"
    default_message = "That much of this order cannot be given back."


class OrderNotInReview(Conflict):
    code = "order_not_in_review"
    default_message = "This order is not in review."


class RefundRefused(Conflict):
    """The processor said no; nothing was given back, and nothing was taken."""

    code = "refund_refused"
    default_message = "The payment processor refused the refund."


class RefundUncertain(Upstream):
    """Nobody knows whether the money went back: a person has to look there."""

    code = "refund_uncertain"
    default_message = "The payment processor did not say whether the refund was made. Look there before trying again."


class ProcessorRefusedOrder(Upstream):
    code = "payment_processor_refused"
    default_message = "The payment processor refused the order. Try another way to pay, or tell the operator."


class ProcessorAway(Unavailable):
    code = "payment_processor_unavailable"
    default_message = "The payment processor cannot be reached. Nothing was charged; try again shortly."


class WebhookRefused(NotAllowed):
    code = "webhook_refused"
    default_message = "The notice is not signed by the processor."


class WebhookNotUnderstood(Invalid):
    code = "webhook_not_understood"
    default_message = "The notice is signed, but cannot be understood."
