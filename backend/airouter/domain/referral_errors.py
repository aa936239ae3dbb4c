"""Refusals around referrals."""

from airouter.domain.errors import Invalid


class TransferTooSmall(Invalid):
    """`minimum` is the least, in quota."""

    code = "transfer_too_small"
    default_message = "That is less than may be transferred at once."
