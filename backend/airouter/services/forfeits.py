"""What a closed account leaves goes back to the house, once no call holds any of it."""

from airouter.domain.ledger import GRANTS
from airouter.services.audit_log import SYSTEM, Act, record
from airouter.services.recall import with_recall
from airouter.services.wallets import Movement, move
from airouter.storage import wallets
from airouter.storage.database import Connection, Database
from airouter.storage.erasure import PurseRow
from airouter.world import new_id


async def forfeit(database: Database, purse: PurseRow) -> bool:
    """All that is in the wallet goes back to the house. False: running calls still hold some of it, nothing moved."""

    async def attempt(connection: Connection) -> bool | None:
        row = (await wallets.lock(connection, {purse.wallet_id}))[purse.wallet_id]
        if row.leased > 0:
            return None
        if row.balance == 0:
            return True
        moved = await move(
            connection,
            Movement(
                kind="forfeit",
                reference=str(new_id()),  # under the lock there is nothing to do twice
                debit_wallet=purse.wallet_id,
                credit_wallet=GRANTS,
                amount=row.balance,
            ),
        )
        assert moved is not None, "it was free under the lock"
        act = Act(
            action="balance.forfeited",
            subject="wallet",
            subject_id=str(purse.wallet_id),
            account_id=purse.account_id,
            after={"amount": row.balance, "transfer_id": moved.transfer.transfer_id},
        )
        await record(connection, SYSTEM, act)
        return True

    return bool(await with_recall(database, purse.wallet_id, attempt))
