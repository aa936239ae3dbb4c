"""Money verbs: what moves, what is refused, and that a repetition moves nothing."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from airouter.domain.errors import AmountTooLarge, BalanceInsufficient, InvalidRequest, NotFound, QuotaInUseByCalls
from airouter.domain.ledger import GRANTS, SALES, TransferKind
from airouter.domain.privacy_errors import AccountDeleted
from airouter.domain.quota import WALLET_MAX
from airouter.services import recall, settlement
from airouter.services.wallets import Movement, Taken, Wallets, credit, move, take_or_owe
from airouter.storage.database import Database, connect
from tests.customers import Customer, customer
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Database]:
    opened = await Database.open(database)
    yield opened
    await opened.close()


async def lease(dsn: str, who: Customer, amount: int) -> None:
    """A process that holds on to it."""
    connection = await connect(dsn)
    try:
        node = uuid4()
        await settlement.register(connection, node, "test")
        await connection.execute("INSERT INTO wallet_leases VALUES ($1, $2, $3)", node, who.wallet_id, amount)
        await connection.execute("UPDATE wallets SET leased = $2 WHERE wallet_id = $1", who.wallet_id, amount)
    finally:
        await connection.close()


async def balance(pool: Database, who: Customer) -> int:
    async with pool.connection() as connection:
        return await connection.fetchval("SELECT balance FROM wallets WHERE wallet_id = $1", who.wallet_id)


async def test_an_adjustment_is_made_once_and_says_what_is_left(database: str, pool: Database) -> None:
    who = await customer(database, 100)
    verbs = Wallets(pool)
    first = await verbs.adjust(who.account_id, 50, reference="a", reason="kind", made_by=who.user_id)
    again = await verbs.adjust(who.account_id, 50, reference="a", reason="kind", made_by=who.user_id)
    assert first == again
    assert (first.credit_balance, first.memo, first.made_by, first.debit_wallet) == (150, "kind", who.user_id, GRANTS)
    taken = await verbs.adjust(who.account_id, -30, reference="b", reason="sorry")
    assert (taken.debit_balance, taken.amount) == (120, 30)
    assert await verbs.adjust(who.account_id, -30, reference="b", reason="sorry") == taken
    assert await balance(pool, who) == 120


async def test_a_debit_above_the_balance_is_refused_with_what_is_there(database: str, pool: Database) -> None:
    who = await customer(database, 100)
    with pytest.raises(BalanceInsufficient) as refused:
        await Wallets(pool).adjust(who.account_id, -101, reference="a", reason="x")
    assert refused.value.details["balance"] == 100
    assert await balance(pool, who) == 100


async def test_a_partial_debit_takes_what_is_there(database: str, pool: Database) -> None:
    who = await customer(database, 100)
    taken = await Wallets(pool).adjust(who.account_id, -500, reference="a", reason="x", allow_partial=True)
    assert taken.amount == 100
    with pytest.raises(BalanceInsufficient):
        await Wallets(pool).adjust(who.account_id, -1, reference="b", reason="x", allow_partial=True)


async def test_a_debit_of_leased_quota_recalls_it_and_then_says_that_it_is_in_use(
    database: str, pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await customer(database, 100)
    await lease(database, who, 60)
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = await asyncpg.connect(database)
    await listening.add_listener("credit_recall", lambda *event: heard.put_nowait(event[3]))
    monkeypatch.setattr(recall.with_recall, "__kwdefaults__", {"wait_seconds": 0.1})
    try:
        with pytest.raises(QuotaInUseByCalls) as refused:
            await Wallets(pool).adjust(who.account_id, -50, reference="a", reason="x")
        assert refused.value.details == {"balance": 100, "leased": 60}
        assert await asyncio.wait_for(heard.get(), PATIENCE_SECONDS) == f"w{who.wallet_id}"
    finally:
        await listening.close()
    assert (await Wallets(pool).adjust(who.account_id, -40, reference="b", reason="x")).debit_balance == 60


async def test_money_in_does_not_look_at_leases_and_forgives_the_overrun(database: str, pool: Database) -> None:
    who = await customer(database, 100)
    await lease(database, who, 100)
    async with pool.transaction() as connection:
        await connection.execute("UPDATE wallets SET overrun = 70 WHERE wallet_id = $1", who.wallet_id)
        moved = await credit(
            connection, kind="top_up", reference="p", wallet_id=who.wallet_id, amount=10, debit_wallet=SALES
        )
        owed = await connection.fetchval("SELECT overrun FROM wallets WHERE wallet_id = $1", who.wallet_id)
    assert moved.is_new
    assert (moved.transfer.credit_balance, owed) == (110, 0)


def charge_back(who: Customer, amount: int) -> Movement:
    return Movement(kind="refund", reference="c", debit_wallet=who.wallet_id, credit_wallet=SALES, amount=amount)


async def debt(pool: Database, who: Customer) -> int:
    async with pool.connection() as connection:
        return await connection.fetchval(
            "SELECT -balance FROM wallets WHERE account_id = $1 AND kind = 'debt'", who.account_id
        )


async def test_what_cannot_be_taken_back_becomes_the_debt_of_the_account_once(database: str, pool: Database) -> None:
    who = await customer(database, 100)
    await lease(database, who, 60)
    async with pool.transaction() as connection:
        assert await take_or_owe(connection, who.account_id, charge_back(who, 90), is_last_try=False) is None
    for _ in range(2):
        async with pool.transaction() as connection:
            assert await take_or_owe(connection, who.account_id, charge_back(who, 90)) == Taken(taken=40, owed=50)
    assert (await balance(pool, who), await debt(pool, who)) == (60, 50)


async def test_money_in_pays_the_debt_first_but_a_grant_does_not(database: str, pool: Database) -> None:
    who = await customer(database, 0)
    async with pool.transaction() as connection:
        await take_or_owe(connection, who.account_id, charge_back(who, 70))
    await Wallets(pool).grant(who.account_id, 10, reference="g")
    assert (await balance(pool, who), await debt(pool, who)) == (10, 70)
    for _ in range(2):
        async with pool.transaction() as connection:
            moved = await credit(
                connection, kind="top_up", reference="p", wallet_id=who.wallet_id, amount=30, debit_wallet=SALES
            )
            assert moved.repaid in {30, 0}
    assert (await balance(pool, who), await debt(pool, who)) == (10, 40)
    await Wallets(pool).adjust(who.account_id, 100, reference="a", reason="kind")
    assert (await balance(pool, who), await debt(pool, who)) == (70, 0)


async def test_a_movement_that_is_not_covered_moves_nothing(database: str, pool: Database) -> None:
    who, other = await customer(database, 100), await customer(database, 0)
    async with pool.transaction() as connection:
        movement = Movement(
            kind="reward_transfer", reference="r", debit_wallet=who.wallet_id, credit_wallet=other.wallet_id, amount=101
        )
        assert await move(connection, movement) is None
    assert (await balance(pool, who), await balance(pool, other)) == (100, 0)


async def test_what_cannot_be_meant_is_refused(database: str, pool: Database) -> None:
    who = await customer(database, 100)
    verbs = Wallets(pool)
    with pytest.raises(InvalidRequest):
        await verbs.adjust(who.account_id, 0, reference="a", reason="x")
    with pytest.raises(AmountTooLarge):
        await verbs.adjust(who.account_id, WALLET_MAX, reference="b", reason="x")
    with pytest.raises(AmountTooLarge):
        await verbs.grant(who.account_id, WALLET_MAX + 1, reference="c")
    with pytest.raises(NotFound):
        await verbs.grant(uuid4(), 1, reference="d")
    assert await balance(pool, who) == 100


ENDED = "UPDATE accounts SET deleted_at = now(), status = 'paused' WHERE account_id = $1"


async def deleted(database: str, pool: Database) -> Customer:
    who = await customer(database, 100)
    async with pool.connection() as connection:
        await connection.execute(ENDED, who.account_id)
    return who


@pytest.mark.parametrize("kind", ["grant", "redemption", "adjustment", "top_up", "reward", "reward_transfer"])
async def test_nothing_is_given_to_an_account_that_was_deleted(
    database: str, pool: Database, kind: TransferKind
) -> None:
    who = await deleted(database, pool)
    with pytest.raises(AccountDeleted):
        async with pool.transaction() as connection:
            await credit(connection, kind=kind, reference="g", wallet_id=who.wallet_id, amount=10)
    assert await balance(pool, who) == 100


@pytest.mark.parametrize("amount", [5, -5, -500])
async def test_the_balance_of_an_account_that_was_deleted_is_not_adjusted(
    database: str, pool: Database, amount: int
) -> None:
    who = await deleted(database, pool)
    with pytest.raises(AccountDeleted):
        await Wallets(pool).adjust(who.account_id, amount, reference="a", reason="x", allow_partial=amount == -500)
    assert await balance(pool, who) == 100


async def test_what_settles_the_past_of_a_deleted_account_still_moves(database: str, pool: Database) -> None:
    who = await deleted(database, pool)
    async with pool.transaction() as connection:
        assert await take_or_owe(connection, who.account_id, charge_back(who, 130)) == Taken(taken=100, owed=30)
    assert (await balance(pool, who), await debt(pool, who)) == (0, 30)


async def test_what_was_given_before_an_account_was_deleted_is_answered_as_it_was_made(
    database: str, pool: Database
) -> None:
    who = await customer(database, 100)
    given = await Wallets(pool).grant(who.account_id, 7, reference="g")
    async with pool.connection() as connection:
        await connection.execute(ENDED, who.account_id)
    assert await Wallets(pool).grant(who.account_id, 7, reference="g") == given
