"""Credit against a real Postgres: what one process promises to a call."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from airouter.domain.errors import InsufficientQuota, KeyLimitReached, LedgerUnavailable, QuotaInUse, ShuttingDown
from airouter.domain.ids import KeyId, NodeId, WalletId
from airouter.gateway.leases import conversation
from airouter.gateway.leases import credit as credit_module
from airouter.gateway.leases.credit import Credit, CreditSettings, Hold, JournalFailed
from airouter.services import settlement
from airouter.services.settlement import NodeRefused
from airouter.services.wallets import Wallets
from airouter.storage.database import Database, connect
from airouter.storage.listener import Listener
from airouter.world import new_id
from tests.customers import Customer, customer
from tests.patience import PATIENCE_SECONDS, until

QUICK = CreditSettings(
    beat_ms=200, idle_return_ms=300, tight_ms=1_000, horizon_ms=1_000, adopt_every_ms=200,
    wait_max_ms=60_000, sync_timeout_ms=60_000, confirm_max_ms=60_000,
)  # fmt: skip
"""What comes soon comes sooner; what is given up after a while is not, however slow the machine."""
Start = Callable[..., Awaitable[Credit]]


@pytest.fixture
async def start(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Starts a process' credit on the test's database; all of them stop in the end."""
    monkeypatch.setattr(credit_module, "_READY_WAIT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(credit_module, "_CLOSING_SECONDS", PATIENCE_SECONDS)
    async with AsyncExitStack() as stack:

        async def make(folder: str = "journal", **changes: Any) -> Credit:
            credit = Credit(
                dsn=database,
                journal_directory=tmp_path / folder,
                host="test",
                settings=msgspec.structs.replace(QUICK, **changes),
            )
            listener = Listener(database)
            listener.on("recall", lambda purse: credit.recalled(purse) if purse else None)
            listener.on("wallet", lambda wallet: credit.wallet_changed(int(wallet)) if wallet else None)
            await credit.start()
            stack.push_async_callback(credit.stop, 1)
            await listener.start(wait_seconds=PATIENCE_SECONDS)
            stack.push_async_callback(listener.stop)
            assert credit.not_ready is None
            return credit

        yield make


async def settled(credit: Credit) -> None:
    await until(lambda: not credit.figures().pending)


async def ready(credit: Credit) -> None:
    await until(lambda: credit.not_ready is None)


async def nothing_leased(dsn: str) -> None:
    """Returns when every lease of every wallet is given back."""

    async def is_free() -> bool:
        return await value(dsn, "SELECT sum(leased) FROM wallets") == 0

    await until(is_free)


async def value(dsn: str, sql: str, *arguments: Any) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql, *arguments)
    finally:
        await connection.close()


async def hold(credit: Credit, who: Customer, amount: int, key: int = 0) -> Hold:
    return await credit.hold(who.wallet_id, who.keys[key], key > 0, amount)


async def swept(dsn: str, node_id: NodeId) -> None:
    """Declares a node dead at whatever it stands at."""
    connection = await connect(dsn)
    try:
        async with connection.transaction():
            seq = await connection.fetchval("SELECT seq FROM nodes WHERE node_id = $1 FOR UPDATE", node_id)
            assert await settlement.sweep(connection, node_id, seq)
    finally:
        await connection.close()


async def fits(credit: Credit, who: Customer, amount: int) -> bool:
    """Whether a call may hold so much."""
    try:
        credit.release(await hold(credit, who, amount))
    except InsufficientQuota:
        return False
    return True


async def balance(dsn: str, who: Customer) -> int:
    return await value(dsn, "SELECT balance FROM wallets WHERE wallet_id = $1", who.wallet_id)


async def test_a_settled_call_is_charged_its_cost_and_the_rest_is_let_go(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    held = await hold(credit, who, 600)
    record = credit.settle(held, who.record(450))
    assert record.covered == 450
    await settled(credit)
    assert await balance(database, who) == 550
    row = "SELECT (cost, charged, transfer_id IS NOT NULL)::text FROM usage_records"
    assert await value(database, row) == "(450,450,t)"
    assert await value(database, "SELECT last_used_at IS NOT NULL AND spent = 450 FROM keys")


async def test_a_failed_call_is_recorded_and_free(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    credit.settle(await hold(credit, who, 600), who.record(0))
    await settled(credit)
    assert await balance(database, who) == 1_000
    assert await value(database, "SELECT count(*) FROM usage_records WHERE charged = 0 AND transfer_id IS NULL") == 1


async def test_a_released_hold_costs_nothing_and_leases_go_back(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    credit.release(await hold(credit, who, 600))
    await nothing_leased(database)
    assert await balance(database, who) == 1_000


async def test_a_hold_is_ended_only_once(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    held = await hold(credit, who, 100)
    credit.release(held)
    with pytest.raises(AssertionError):
        credit.release(held)
    with pytest.raises(AssertionError):
        credit.settle(held, who.record(10))


async def test_the_second_call_needs_no_database(database: str, start: Start) -> None:
    who = await customer(database, 1_000_000)
    credit = await start(horizon_ms=600_000, idle_return_ms=600_000)
    for _ in range(3):
        credit.settle(await hold(credit, who, 1_000), who.record(1_000))
        await settled(credit)

    async def fits_without_asking() -> bool:
        held = credit.try_hold(who.wallet_id, who.key, False, 1_000)
        if held is not None:
            credit.release(held)
        return held is not None

    await until(fits_without_asking)


async def test_a_hold_above_the_balance_is_refused_with_what_is_there(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit = await start(refusal_memory_ms=600_000, beat_ms=600_000)
    with pytest.raises(InsufficientQuota, match="1001 quota and the balance is 1000") as refused:
        await hold(credit, who, 1_001)
    assert refused.value.details == {"needed": 1_001, "available": 1_000}
    syncs = credit.figures().syncs
    with pytest.raises(InsufficientQuota):
        await hold(credit, who, 1_001)
    assert credit.figures().syncs == syncs, "a refusal is remembered"


async def test_a_top_up_ends_the_refusal_at_once(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit = await start(refusal_memory_ms=600_000)
    with pytest.raises(InsufficientQuota):
        await hold(credit, who, 5_000)
    pool = await Database.open(database)
    await Wallets(pool).grant(who.account_id, 10_000, reference="more")
    await pool.close()
    await until(lambda: fits(credit, who, 5_000))


async def test_a_key_above_its_limit_is_refused_without_telling_the_balance(database: str, start: Start) -> None:
    who = await customer(database, 1_000_000, [500])
    credit = await start()
    with pytest.raises(KeyLimitReached) as refused:
        await hold(credit, who, 501, key=1)
    assert refused.value.details == {"needed": 501, "available": 500}
    assert "1000000" not in refused.value.message
    credit.settle(await hold(credit, who, 500, key=1), who.record(500, who.keys[1]))
    await settled(credit)
    with pytest.raises(KeyLimitReached):
        await hold(credit, who, 1, key=1)


async def test_enough_but_held_by_others_is_in_use_and_not_insufficient(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit, other, patient = await start(), await start(wait_max_ms=400, sync_timeout_ms=20_000), await start()
    held = await hold(credit, who, 900)
    with pytest.raises(QuotaInUse) as refused:
        await hold(other, who, 900)
    assert refused.value.details == {"retry_after_seconds": 1}
    credit.release(held)
    patient.release(await hold(patient, who, 900))


async def test_books_that_answer_slowly_are_waited_for_longer_than_quota_in_use(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit = await start(wait_max_ms=400)
    busy = await asyncpg.connect(database)
    try:
        async with busy.transaction():
            await busy.execute("SELECT 1 FROM wallets WHERE wallet_id = $1 FOR UPDATE", who.wallet_id)
            waiting = asyncio.create_task(hold(credit, who, 600))
            await asyncio.sleep(0.8)
            assert not waiting.done()
        credit.release(await waiting)
    finally:
        await busy.close()


async def test_what_another_process_does_not_use_is_recalled(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit, other = await start(idle_return_ms=600_000), await start()
    credit.release(await hold(credit, who, 900))
    assert await value(database, "SELECT leased FROM wallets WHERE wallet_id = $1", who.wallet_id) >= 900
    other.release(await hold(other, who, 900))


async def test_a_stream_extends_its_hold(database: str, start: Start) -> None:
    who = await customer(database, 10_000)
    credit = await start()
    held = await hold(credit, who, 100)
    await until(lambda: credit.extend(held, 5_000))
    assert held.amount - held.ahead == 5_100
    assert credit.settle(held, who.record(5_050)).covered == 5_050
    await settled(credit)
    assert await balance(database, who) == 4_950


async def test_what_a_stream_asked_for_is_kept_for_it_however_slowly_it_goes_on(database: str, start: Start) -> None:
    who = await customer(database, 10_000)
    credit = await start(idle_return_ms=0, scan_ms=0, beat_ms=20)
    held = await hold(credit, who, 100)
    assert not credit.extend(held, 5_000)
    asked = credit.figures().syncs
    await until(lambda: credit.figures().syncs > asked + 5)  # what nobody needs has gone back by then
    assert credit.extend(held, 5_000)
    credit.settle(held, who.record(5_100))
    await settled(credit)
    await nothing_leased(database)
    assert await balance(database, who) == 4_900


async def test_beyond_the_balance_the_house_bears_the_rest(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    held = await hold(credit, who, 600)
    assert not credit.extend(held, 5_000)
    credit.settle(held, who.record(1_700))
    await settled(credit)
    assert await balance(database, who) == 0
    assert await value(database, "SELECT amount FROM usage_transfers WHERE kind = 'overrun'") == 700
    assert await value(database, "SELECT overrun FROM wallets WHERE wallet_id = $1", who.wallet_id) == 700
    assert credit.figures().overrun_above_hold == 700


async def test_an_account_that_overran_its_bound_is_refused_until_it_tops_up(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    credit.overrun_max = 500
    held = await hold(credit, who, 600)
    assert credit.overdraw(held, 500)
    assert not credit.overdraw(held, 1), "the bound is for all calls of the account together"
    credit.settle(held, who.record(1_700))
    await settled(credit)
    with pytest.raises(InsufficientQuota, match="700 quota more than the balance"):
        await hold(credit, who, 0)
    pool = await Database.open(database)
    await Wallets(pool).grant(who.account_id, 50, reference="more")
    await pool.close()
    await until(lambda: fits(credit, who, 50))


async def test_a_key_may_get_a_limit_while_its_calls_run(database: str, start: Start) -> None:
    who = await customer(database, 10_000, [None])
    credit = await start()
    running = await credit.hold(who.wallet_id, who.keys[1], False, 1_000)
    await value(database, "UPDATE keys SET spend_limit = 300 WHERE key_id = $1", who.keys[1])
    other = await credit.hold(who.wallet_id, who.keys[1], True, 250)
    credit.settle(running, who.record(1_000, who.keys[1]))
    await settled(credit)
    assert await value(database, "SELECT spent FROM keys WHERE key_id = $1", who.keys[1]) == 50
    credit.settle(other, who.record(250, who.keys[1]))
    await settled(credit)
    assert await value(database, "SELECT spent FROM keys WHERE key_id = $1", who.keys[1]) == 300


async def test_stopping_refuses_new_calls_lets_running_ones_end_and_closes_the_node(
    database: str, start: Start, tmp_path: Path
) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    held = await hold(credit, who, 600)
    stopping = asyncio.create_task(credit.stop(60))
    await until(lambda: credit.not_ready is not None)
    assert credit.try_hold(who.wallet_id, who.key, False, 1) is None
    with pytest.raises(ShuttingDown):
        await hold(credit, who, 1)
    credit.settle(held, who.record(500))
    await stopping
    assert await balance(database, who) == 500
    assert await value(database, "SELECT state FROM nodes") == "closed"
    assert list((tmp_path / "journal").iterdir()) == []


async def test_a_restart_brings_in_the_journal_and_frees_the_leases_at_once(
    database: str, start: Start, tmp_path: Path
) -> None:
    who = await customer(database, 1_000)
    dead = await start()
    held = await hold(dead, who, 900)
    while unfinished := [task for task in dead._tasks if not task.done()]:
        for task in unfinished:  # again and again: the driver may swallow one on its way out of a query
            task.cancel()
        await asyncio.wait(unfinished, timeout=0.5)
    dead.settle(held, who.record(800))
    for journal in dead._journals():
        journal.release()
    dead._conversation.hang_up()
    credit = await start()
    assert await balance(database, who) == 200
    assert await value(database, "SELECT leased FROM wallets WHERE wallet_id = $1", who.wallet_id) == 0
    assert credit.figures().adoptions == 1
    dead._is_closed = True
    dead._book.is_over = True


async def test_a_swept_node_opens_a_new_book_and_its_running_calls_are_still_charged(
    database: str, start: Start
) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    first = credit.node_id
    running = await hold(credit, who, 600)
    await swept(database, first)
    await until(lambda: credit.node_id != first and credit.not_ready is None)
    credit.release(await hold(credit, who, 100))
    credit.settle(running, who.record(600))

    async def is_charged() -> bool:
        return await balance(database, who) == 400

    await until(is_charged)


async def test_the_same_sync_sent_twice_is_applied_once(
    database: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    real, sent = settlement.sync, []

    async def answer_lost(connection: Any, request: Any) -> Any:
        answer = await real(connection, request)
        if request.records and not sent:
            sent.append(request)
            raise settlement.OutcomeUnknown("the answer was lost")
        return answer

    monkeypatch.setattr(conversation.settlement, "sync", answer_lost)
    credit.settle(await hold(credit, who, 500), who.record(400))
    await settled(credit)
    assert sent
    assert await balance(database, who) == 600


async def test_a_record_that_postgres_has_already_is_not_charged_again(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit, other = await start(), await start()
    record = who.record(100)
    credit.settle(await hold(credit, who, 100), record)
    await settled(credit)
    other.settle(await hold(other, who, 100), record)
    other.settle(await hold(other, who, 50), who.record(50))
    await settled(other)
    assert await balance(database, who) == 850


async def test_one_record_that_postgres_refuses_goes_to_quarantine_and_the_rest_is_settled(
    database: str, start: Start, tmp_path: Path
) -> None:
    who = await customer(database, 10_000)
    credit = await start(sync_delay_ms=50)
    holds = [await hold(credit, who, 100) for _ in range(9)]
    for number, held in enumerate(holds):
        record = who.record(100)
        if number == 4:
            record = msgspec.structs.replace(record, unpriced=("{",))  # no array that Postgres can read
        credit.settle(held, record)
    await settled(credit)
    assert await balance(database, who) == 10_000 - 800
    assert credit.figures().quarantined == 1
    assert len(list((tmp_path / "journal" / "quarantine").iterdir())) == 1


async def test_texts_of_an_upstream_cannot_spoil_a_record(database: str, start: Start) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    for text in ("null \x00 byte", "half a pair \ud800"):
        credit.settle(await hold(credit, who, 100), msgspec.structs.replace(who.record(100), error=text))
    await settled(credit)
    assert await balance(database, who) == 800


async def test_a_full_disk_takes_no_calls_and_settles_from_memory(database: str, start: Start) -> None:
    who = await customer(database, 10_000)
    credit = await start()
    held = [await hold(credit, who, 100) for _ in range(2)]
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    journal = credit.book.journal
    assert journal is not None
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.size_bytes + 20, hard))
    try:
        record = who.record(100)
        with pytest.raises(JournalFailed):
            credit.settle(held[0], record)
        assert credit.not_ready is not None
        assert "journal" in credit.not_ready
        with pytest.raises(LedgerUnavailable):
            await hold(credit, who, 1)
        await credit.confirmed(record)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert await balance(database, who) == 9_900
    await ready(credit)
    credit.settle(held[1], who.record(100))
    await settled(credit)
    assert await balance(database, who) == 9_800


async def test_without_postgres_calls_go_on_within_the_lease(
    database: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await customer(database, 10_000_000)
    credit = await start(idle_return_ms=600_000, horizon_ms=600_000)
    for _ in range(20):
        credit.settle(await hold(credit, who, 1_000), who.record(1_000))
        await asyncio.sleep(0.01)
    await settled(credit)
    away = [True]
    real = conversation.connect

    async def connect_or_not(*arguments: Any, **named: Any) -> Any:
        if away[0]:
            raise OSError("gone")
        return await real(*arguments, **named)

    monkeypatch.setattr(conversation, "connect", connect_or_not)
    credit._conversation.hang_up()
    for _ in range(20):
        credit.settle(await hold(credit, who, 1_000), who.record(1_000))
    credit.settings = msgspec.structs.replace(credit.settings, wait_max_ms=50, sync_timeout_ms=50)
    with pytest.raises(LedgerUnavailable):
        await hold(credit, who, 9_000_000)
    assert credit.figures().pending == 20
    away[0] = False
    await settled(credit)
    assert await balance(database, who) == 10_000_000 - 40_000


async def test_past_its_deadline_a_process_admits_nothing(database: str, start: Start) -> None:
    who = await customer(database, 10_000)
    credit = await start()
    credit.release(await hold(credit, who, 1_000))
    credit.book.deadline = credit._clock.now() - 1
    assert credit.try_hold(who.wallet_id, who.key, False, 0) is None
    assert credit.not_ready is not None


async def test_a_clock_far_from_that_of_postgres_keeps_a_process_out(database: str, tmp_path: Path) -> None:
    settings = msgspec.structs.replace(QUICK, wall_clock_difference_max_ms=-1)
    credit = Credit(dsn=database, journal_directory=tmp_path, host="test", settings=settings)
    starting = asyncio.create_task(credit.start())
    await asyncio.sleep(0)
    await until(lambda: "clock" in (credit.not_ready or ""))
    assert credit.try_hold(WalletId(100), KeyId(new_id()), False, 0) is None
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await credit.stop(0)


async def test_a_swept_node_is_refused(database: str) -> None:
    connection = await connect(database)
    node_id = who_id = (await customer(database, 0)).account_id
    await settlement.register(connection, who_id, "test")
    assert await settlement.sweep(connection, node_id, 0)
    with pytest.raises(NodeRefused):
        await settlement.register(connection, node_id, "test")
    assert (await settlement.adopt(connection, node_id, [], is_last=True)).state == "closed"
    assert (await settlement.adopt(connection, node_id, [], is_last=True)).state == "closed"
    await connection.close()


async def test_stopping_with_postgres_away_ends_and_leaves_the_journal_for_the_next(
    database: str, start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    who = await customer(database, 1_000)
    credit = Credit(dsn=database, journal_directory=tmp_path / "own", host="test", settings=QUICK)
    await credit.start()
    held = await hold(credit, who, 500)

    async def gone(*_: Any, **__: Any) -> Any:
        raise OSError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(conversation, "connect", gone)
        patched.setattr("airouter.gateway.leases.credit._CLOSING_SECONDS", 0.3)
        credit._conversation.hang_up()
        credit.settle(held, who.record(400))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await credit.stop(1)
    successor = await start("own")
    assert successor.figures().adoptions == 1
    assert await balance(database, who) == 600


async def test_a_process_that_can_open_no_journal_is_not_ready_and_comes_back(
    database: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await customer(database, 1_000)
    credit = await start()
    real, is_full = credit_module.Journal, [True]

    def journal(*arguments: Any) -> Any:
        if is_full[0]:
            raise OSError("no space left on device")
        return real(*arguments)

    monkeypatch.setattr(credit_module, "Journal", journal)
    first = credit.node_id
    await value(database, "UPDATE nodes SET state = 'dead'")
    await until(lambda: credit.not_ready is not None)
    with pytest.raises(LedgerUnavailable):
        await hold(credit, who, 1)
    await asyncio.sleep(0.3)
    is_full[0] = False
    await ready(credit)
    assert credit.node_id != first
    credit.release(await hold(credit, who, 1))
