"""Double entry: the wallets of the house, the kinds of movement, and what one movement leaves behind."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from airouter.domain.ids import TransferId, UserId, WalletId

SALES: Final = WalletId(1)
"""Where sold quota comes from."""
GRANTS: Final = WalletId(2)
"""Where given quota comes from: starting credit, redemption codes, adjustments."""
REVENUE: Final = WalletId(3)
"""Where used quota goes."""
OVERRUN: Final = WalletId(4)
"""Pays the part of a call that its account could not."""
LOSS: Final = WalletId(5)
"""Pays what an operator writes off."""

WalletKind = Literal["main", "reward", "debt", "reserved"]
"""Those of an account. What it owes stands in `debt`, at or below zero; the others never go below it. What its open
background jobs may cost stands in `reserved`.
"""

TransferKind = Literal[
    "grant",
    "redemption",
    "adjustment",
    "top_up",
    "reward",
    "reward_transfer",
    "refund",
    "loss",
    "debt",
    "forfeit",
    "clawback",
    "reserve",
    "release",
]
UsageTransferKind = Literal["usage", "overrun"]


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable movement. `*_balance` is the wallet's balance after it, None for a wallet of the house."""

    transfer_id: TransferId
    created_at: datetime
    kind: str
    reference: str
    debit_wallet: WalletId
    credit_wallet: WalletId
    amount: int
    debit_balance: int | None = None
    credit_balance: int | None = None
    memo: str | None = None
    made_by: UserId | None = None
