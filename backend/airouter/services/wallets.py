"""Money verbs: grants, adjustments, charge-backs, and the one movement that all of them are made of.

Each is one transaction around one transfer, and idempotent by the transfer's (kind, reference). Money in does not
look at
leases; money out takes only what nobody leased, and recalls leases first.
"""

import msgspec

from airouter.domain.errors import AmountTooLarge, BalanceInsufficient, InvalidRequest, NotFound, QuotaInUseByCalls
from airouter.domain.ids import AccountId, TransferId, UserId, WalletId
from airouter.domain.ledger import GRANTS, LOSS, SALES, Transfer, TransferKind
from airouter.domain.quota import WALLET_MAX
from airouter.services.recall import with_recall
from airouter.storage import changes, transfers, wallets
from airouter.storage.database import Connection, Database
from airouter.world import new_id


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
    """The transfer; `is_new` False: it had been made before, and nothing moved now."""

    transfer: Transfer
    is_new: bool


async def move(connection: Connection, movement: Movement) -> Moved | None:
    """Make a movement within the caller's transaction; None: that much is not free in the debited wallet.

    Idempotent: a movement of the same kind and reference is answered as it was made. What is credited is announced, so
    that calls refused a moment ago may try again.

    Raises:
        AmountTooLarge: the credited wallet cannot hold that much.
    """
    if not 0 < movement.amount <= WALLET_MAX:
        raise AmountTooLarge(field="amount")
    debited, credited = movement.debit_wallet, movement.credit_wallet
    rows = await wallets.lock(connection, {debited, credited})
    made_before = await transfers.find(connection, movement.kind, movement.reference)
    if made_before is not None:
        return Moved(transfer=made_before, is_new=False)
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

    Raises:
        AmountTooLarge
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
            NotFound, AmountTooLarge
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
    ) -> Transfer:
        """Give (positive) or take (negative) quota. Taking waits up to two seconds for leases to come back.

        Raises:
            NotFound, AmountTooLarge, InvalidRequest: nothing to move.
            BalanceInsufficient: more than the balance (`balance`); with `allow_partial` only when there is nothing
            at all.
            QuotaInUseByCalls: the balance has it, but running calls hold it (`balance`, `leased`).
        """
        if amount == 0:
            raise InvalidRequest("An adjustment moves something.", field="amount")
        async with self._database.connection() as connection:
            wallet_id = await _main_wallet(connection, account_id)
        if amount > 0:
            async with self._database.transaction() as connection:
                moved = await credit(
                    connection,
                    kind="adjustment", reference=reference, wallet_id=wallet_id, amount=amount, memo=reason,
                    made_by=made_by,
                )  # fmt: skip
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
        return await self.take(movement, allow_partial=allow_partial)

    async def take(self, movement: Movement, *, allow_partial: bool = False) -> Transfer:
        """Money out of an account's wallet: all of it, or with `allow_partial` what there is.

        Raises:
            BalanceInsufficient, QuotaInUseByCalls
        """
        wallet_id = movement.debit_wallet

        async def attempt(connection: Connection) -> Moved | None:
            made_before = await transfers.find(connection, movement.kind, movement.reference)
            if made_before is not None:
                return Moved(transfer=made_before, is_new=False)
            row = (await wallets.lock(connection, {wallet_id}))[wallet_id]
            amount = min(movement.amount, row.balance) if allow_partial else movement.amount
            if amount > row.balance or amount <= 0:
                raise BalanceInsufficient(
                    f"The balance is {row.balance} quota.", balance=row.balance, needed=movement.amount
                )
            return await move(connection, msgspec.structs.replace(movement, amount=amount))

        moved = await with_recall(self._database, wallet_id, attempt)
        if moved is None and allow_partial:
            async with self._database.transaction() as connection:
                free = (await wallets.lock(connection, {wallet_id}))[wallet_id].free
                if free > 0:
                    moved = await move(connection, msgspec.structs.replace(movement, amount=min(movement.amount, free)))
        if moved is None:
            async with self._database.transaction() as connection:
                row = (await wallets.lock(connection, {wallet_id}))[wallet_id]
            raise QuotaInUseByCalls(balance=row.balance, leased=row.leased)
        return moved.transfer


async def charge_back(connection: Connection, *, reference: str, wallet_id: WalletId, amount: int) -> tuple[int, int]:
    """A payment was taken back, which cannot be refused: takes what is free, and the house bears the rest.

    Within the caller's transaction, which also suspends the account. Answers (taken, borne).
    """
    row = (await wallets.lock(connection, {wallet_id}))[wallet_id]
    refund = await transfers.find(connection, "refund", reference)
    loss = await transfers.find(connection, "loss", reference)
    if refund is not None or loss is not None:
        return (refund.amount if refund else 0), (loss.amount if loss else 0)
    taken = min(amount, row.free)
    if taken:
        await move(
            connection,
            Movement(kind="refund", reference=reference, debit_wallet=wallet_id, credit_wallet=SALES, amount=taken),
        )
    if amount > taken:
        await move(
            connection,
            Movement(kind="loss", reference=reference, debit_wallet=LOSS, credit_wallet=SALES, amount=amount - taken),
        )
    return taken, amount - taken


async def _main_wallet(connection: Connection, account_id: AccountId) -> WalletId:
    wallet_id = await wallets.main_wallet_of(connection, account_id)
    if wallet_id is None:
        raise NotFound("There is no such account.")
    return wallet_id
