"""Refusals around rewards and codes."""

from airouter.domain.errors import Conflict, Invalid


class TransferTooSmall(Invalid):
    """`minimum` is the least, in quota."""

    code = "transfer_too_small"
    default_message = "That is less than may be transferred at once."


class OrderGivenBack(Conflict):
    code = "order_given_back"
    default_message = "The order that this reward is for was given back, so nothing of the reward is left."


class BatchClosed(Conflict):
    code = "batch_closed"
    default_message = "This batch was revoked or has expired, which is never undone. Make a new one."
