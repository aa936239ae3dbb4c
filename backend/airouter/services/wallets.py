"""Money verbs: grants, adjustments, debts, and the one movement that all of them are made of.

Each is one transaction around one transfer, and idempotent by the transfer's (kind, reference). Money in does not
look at
leases; money out takes only what nobody leased, and recalls leases first.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from airouter.domain.errors import AmountTooLarge, BalanceInsufficient, InvalidRequest, NotFound, QuotaInUseByCalls
from airouter.domain.ids import AccountId, TransferId, UserId, WalletId
from airouter.domain.ledger import GRANTS, Transfer, TransferKind
from airouter.domain.privacy_errors import AccountDeleted
from airouter.domain.quota import WALLET_MAX
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.recall import with_recall
from airouter.storage import changes, transfers, wallets
from airouter.storage.database import Connection, Database
from airouter.world import new_id

REPAYING: Final[frozenset[TransferKind]] = frozenset({"top_up", "redemption", "adjustment"})
"""Money in of these kinds pays the account's debt first."""
GIVING: Final[frozenset[TransferKind]] = REPAYING.union(("grant", "reward", "reward_transfer"))
"""Kinds that are refused for an account that was deleted. The others settle what was before: refunds, debts, clawbacks,
what is forfeited, what jobs had reserved.
"""


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A movement of quota between two wallets, as it is asked for."""

    kind: TransferKind
    reference: str
    debit_wallet: WalletId
    credit_wallet: WalletId
    amount: int
    memo: str | None = None
    made_by: UserId | None = None


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """The transfer; `is_new` False: it had been made before, and nothing moved now. `repaid` went on to a debt."""

    transfer: Transfer
    is_new: bool
    repaid: int = 0


async def move(connection: Connection, movement: Movement) -> Moved | None:
    """Make a movement within the caller's transaction; None: that much is not free in the debited wallet.

    Idempotent: a movement of the same kind and reference is answered as it was made. What is credited is announced, so
    that calls refused a moment ago may try again.

    Raises:
        AmountTooLarge: the credited wallet cannot hold that much.
        AccountDeleted: it is of a kind that is GIVING, and a wallet's account was deleted.
    """
    if not 0 < movement.amount <= WALLET_MAX:
        raise AmountTooLarge(field="amount")
    debited, credited = movement.debit_wallet, movement.credit_wallet
    rows = await wallets.lock(connection, {debited, credited})
    made_before = await transfers.find(connection, movement.kind, movement.reference)
    if made_before is not None:
        return Moved(transfer=made_before, is_new=False)
    await _refuse_deleted(connection, movement)
    if debited in rows and rows[debited].free < movement.amount:
        return None
    transfer = await transfers.insert_once(
        connection,
        transfer_id=TransferId(new_id()),
        kind=movement.kind,
        reference=movement.reference,
        debit_wallet=debited,
        credit_wallet=credited,
        amount=movement.amount,
        debit_balance=rows[debited].balance - movement.amount if debited in rows else None,
        credit_balance=rows[credited].balance + movement.amount if credited in rows else None,
        memo=movement.memo,
        made_by=movement.made_by,
    )
    if transfer is None:  # the same reference between other wallets, at this very moment
        made_before = await transfers.find(connection, movement.kind, movement.reference)
        assert made_before is not None
        return Moved(transfer=made_before, is_new=False)
    if debited in rows:
        balance = await wallets.money_out(connection, debited, movement.amount)
        assert balance is not None, "it was free under the lock"
    if credited in rows:
        await wallets.money_in(connection, credited, movement.amount)
        await changes.announce_wallet(connection, credited)
    return Moved(transfer=transfer, is_new=True)


async def _refuse_deleted(connection: Connection, movement: Movement) -> None:
    """Its wallets are locked."""
    moved = {movement.debit_wallet, movement.credit_wallet}
    if movement.kind in GIVING and await wallets.any_of_deleted(connection, moved):
        raise AccountDeleted


async def credit(
    connection: Connection,
    *,
    kind: TransferKind,
    reference: str,
    wallet_id: WalletId,
    amount: int,
    debit_wallet: WalletId = GRANTS,
    memo: str | None = None,
    made_by: UserId | None = None,
) -> Moved:
    """Money in from a wallet of the house, within the caller's transaction: redemptions, top-ups, rewards.

    What is bought, redeemed or given by an adjustment pays the account's debt first.

    Raises:
        AmountTooLarge, AccountDeleted
    """
    moved = await move(
        connection,
        Movement(
            kind=kind,
            reference=reference,
            debit_wallet=debit_wallet,
            credit_wallet=wallet_id,
            amount=amount,
            memo=memo,
            made_by=made_by,
        ),
    )
    assert moved is not None, "a wallet of the house never runs dry"
    if kind in REPAYING and moved.is_new:
        repaid = await repay(connection, wallet_id, reference=f"{kind}/{reference}", amount=amount)
        return msgspec.structs.replace(moved, repaid=repaid)
    return moved


class Wallets:
    """What an operator does with an account's quota."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def grant(
        self,
        account_id: AccountId,
        amount: int,
        *,
        reference: str,
        memo: str | None = None,
        made_by: UserId | None = None,
    ) -> Transfer:
        """Give quota; the same reference gives once.

        Raises:
            NotFound, AmountTooLarge, AccountDeleted
        """
        async with self._database.transaction() as connection:
            wallet_id = await _main_wallet(connection, account_id)
            moved = await credit(
                connection,
                kind="grant", reference=reference, wallet_id=wallet_id, amount=amount, memo=memo, made_by=made_by,
            )  # fmt: skip
            return moved.transfer

    async def adjust(
        self,
        account_id: AccountId,
        amount: int,
        *,
        reference: str,
        reason: str,
        made_by: UserId | None = None,
        allow_partial: bool = False,
        actor: Actor = SYSTEM,
    ) -> Transfer:
        """Give (positive) or take (negative) quota. Taking waits up to two seconds for leases to come back.

        Raises:
            NotFound, AmountTooLarge, AccountDeleted, InvalidRequest: nothing to move.
            BalanceInsufficient: more than the balance (`balance`); with `allow_partial` only when there is nothing
            at all.
            QuotaInUseByCalls: the balance has it, but running calls hold it (`balance`, `leased`).
        """
        if amount == 0:
            raise InvalidRequest("An adjustment moves something.", field="amount")
        async with self._database.connection() as connection:
            wallet_id = await _main_wallet(connection, account_id)

        async def told(connection: Connection, moved: Moved) -> None:
            if moved.is_new:
                await record(connection, actor, _adjusted(account_id, wallet_id, moved.transfer))

        if amount > 0:
            async with self._database.transaction() as connection:
                moved = await credit(
                    connection,
                    kind="adjustment", reference=reference, wallet_id=wallet_id, amount=amount, memo=reason,
                    made_by=made_by,
                )  # fmt: skip
                await told(connection, moved)
                return moved.transfer
        movement = Movement(
            kind="adjustment",
            reference=reference,
            debit_wallet=wallet_id,
            credit_wallet=GRANTS,
            amount=-amount,
            memo=reason,
            made_by=made_by,
        )
        return await self.take(movement, allow_partial=allow_partial, told=told)

    async def take(
        self,
        movement: Movement,
        *,
        allow_partial: bool = False,
        told: Callable[[Connection, Moved], Awaitable[None]] | None = None,
    ) -> Transfer:
        """Money out of an account's wallet: all of it, or with `allow_partial` what there is.

        `told` is awaited with what moved, within its transaction.

        Raises:
            BalanceInsufficient, QuotaInUseByCalls, AccountDeleted
        """
        wallet_id = movement.debit_wallet

        async def attempt(connection: Connection) -> Moved | None:
            made_before = await transfers.find(connection, movement.kind, movement.reference)
            if made_before is not None:
                return Moved(transfer=made_before, is_new=False)
            row = (await wallets.lock(connection, {wallet_id}))[wallet_id]
            await _refuse_deleted(connection, movement)
            amount = min(movement.amount, row.balance) if allow_partial else movement.amount
            if amount > row.balance or amount <= 0:
                raise BalanceInsufficient(
                    f"The balance is {row.balance} quota.", balance=row.balance, needed=movement.amount
                )
            return await moving(connection, amount)

        async def moving(connection: Connection, amount: int) -> Moved | None:
            moved = await move(connection, msgspec.structs.replace(movement, amount=amount))
            if moved is not None and told is not None:
                await told(connection, moved)
            return moved

        moved = await with_recall(self._database, wallet_id, attempt)
        if moved is None and allow_partial:
            async with self._database.transaction() as connection:
                free = (await wallets.lock(connection, {wallet_id}))[wallet_id].free
                if free > 0:
                    moved = await moving(connection, min(movement.amount, free))
        if moved is None:
            async with self._database.transaction() as connection:
                row = (await wallets.lock(connection, {wallet_id}))[wallet_id]
            raise QuotaInUseByCalls(balance=row.balance, leased=row.leased)
        return moved.transfer


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an amount that had to be taken: `taken` was there, `owed` became the account's debt."""

    taken: int
    owed: int


async def take_or_owe(
    connection: Connection, account_id: AccountId, movement: Movement, *, is_last_try: bool = True
) -> Taken | None:
    """Money out that cannot be refused: what is free of the account's wallet, and the rest becomes its debt.

    Within the caller's transaction; idempotent by the movement's (kind, reference). None, and nothing was done: leases
    hold some of it, and it is not the last try (see `recall.with_recall`).
    """
    wallet_id = movement.debit_wallet
    row = (await wallets.lock(connection, {wallet_id}))[wallet_id]
    taken = await transfers.find(connection, movement.kind, movement.reference)
    owed = await transfers.find(connection, "debt", movement.reference)
    if taken is not None or owed is not None:
        return Taken(taken=taken.amount if taken else 0, owed=owed.amount if owed else 0)
    if row.free < movement.amount and row.leased > 0 and not is_last_try:
        return None
    part = min(movement.amount, row.free)
    if part:
        await move(connection, msgspec.structs.replace(movement, amount=part))
    rest = movement.amount - part
    if rest:
        debt = await wallets.debt_wallet_of(connection, account_id)
        booked = await move(connection, msgspec.structs.replace(movement, kind="debt", debit_wallet=debt, amount=rest))
        if booked is None:
            raise AmountTooLarge("The account owes as much as a wallet can hold.")
    return Taken(taken=part, owed=rest)


async def repay(connection: Connection, wallet_id: WalletId, *, reference: str, amount: int) -> int:
    """Pays what the wallet's account owes with up to `amount` of what it just received; what was paid."""
    debt = await wallets.debt_wallet_beside(connection, wallet_id)
    if debt is None:
        return 0
    rows = await wallets.lock(connection, {wallet_id, debt})
    part = min(amount, -rows[debt].balance, rows[wallet_id].free)
    if part <= 0:
        return 0
    await move(
        connection,
        Movement(kind="debt", reference=f"repaid/{reference}", debit_wallet=wallet_id, credit_wallet=debt, amount=part),
    )
    return part


def _adjusted(account_id: AccountId, wallet_id: WalletId, transfer: Transfer) -> Act:
    is_given = transfer.credit_wallet == wallet_id
    return Act(
        action="balance.adjusted",
        subject="account",
        subject_id=str(account_id),
        account_id=account_id,
        after={
            "amount": transfer.amount if is_given else -transfer.amount,
            "balance": transfer.credit_balance if is_given else transfer.debit_balance,
            "reason": transfer.memo,
            "transfer_id": transfer.transfer_id,
        },
    )


async def _main_wallet(connection: Connection, account_id: AccountId) -> WalletId:
    wallet_id = await wallets.main_wallet_of(connection, account_id)
    if wallet_id is None:
        raise NotFound("There is no such account.")
    return wallet_id
