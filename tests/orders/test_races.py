"""Several processes hear of the same payments at once, and die in the middle: money moves once."""

import asyncio
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from uuid import uuid4

import asyncpg
import pytest

from airouter.payments.contract import PaymentEvent
from airouter.services import recall, settlement
from airouter.storage.database import connect
from tests import postgres
from tests.effort import EFFORT
from tests.orders.conftest import RATE, Shop, paid, said
from tests.orders.racers import Death, die, hear
from tests.patience import PATIENCE_SECONDS

SEED = int(os.environ.get("AIROUTER_TEST_SEED", "1"))
ROUNDS = max(3, EFFORT.seeds // 20)
PROCESSES = 4


async def at_once(shop: Shop, events: list[PaymentEvent], seed: int) -> list[str]:
    """Each of several processes hears all of them."""
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        heard = await asyncio.gather(
            *(
                loop.run_in_executor(pool, hear, shop.dsn, "card", events, seed * PROCESSES + n)
                for n in range(PROCESSES)
            )
        )
    return [outcome for outcomes in heard for outcome in outcomes]


async def test_a_hundred_duplicates_in_several_processes_credit_once(shop: Shop) -> None:
    order = await shop.order()
    outcomes = await at_once(shop, [paid(order)] * 25, SEED)
    assert sorted(set(outcomes)) == ["applied", "known"]
    assert outcomes.count("applied") == 1
    assert await shop.balance() == 1000 * RATE


async def test_the_same_payment_under_many_names_in_several_processes_credits_once(shop: Shop) -> None:
    order = await shop.order()
    outcomes = await at_once(shop, [paid(order, event_id=f"e{n}") for n in range(25)], SEED)
    assert outcomes.count("applied") == 1
    assert await shop.balance() == 1000 * RATE


async def test_facts_in_any_order_in_several_processes_end_the_same(shop: Shop) -> None:
    for round_ in range(ROUNDS):
        kept, gone = await shop.order(), await shop.order()
        before = await shop.balance()
        facts = [
            paid(kept),
            said(kept, "expired", f"x{round_}"),
            *(said(kept, "refunded", f"r{round_}{total}", refunded_total=total) for total in (103, 206, 515)),
            paid(gone),
            *(said(gone, "refunded", f"s{round_}{total}", refunded_total=total) for total in (515, 1030)),
            said(gone, "dispute_opened", f"d{round_}"),
            said(gone, "dispute_lost", f"l{round_}"),
        ]
        await at_once(shop, facts, SEED + round_)
        first, second = await shop.get(kept), await shop.get(gone)
        assert (first["status"], first["refunded_amount"], first["taken_quota"]) == ("paid", 515, 500 * RATE)
        assert (second["status"], second["refunded_amount"], second["taken_quota"]) == ("refunded", 1030, 1000 * RATE)
        assert (await shop.wallet())["debt"] == 0
        assert await shop.balance() == before + 500 * RATE


async def test_several_disputes_of_one_payment_in_several_processes_take_once_and_no_more_than_it_gave(
    shop: Shop,
) -> None:
    for round_ in range(ROUNDS):
        part, whole = await shop.order(), await shop.order()
        before = await shop.balance()
        facts = [paid(part), paid(whole), said(part, "refunded", f"r{round_}", refunded_total=103)]
        for name, kinds in (("dp_1", ("opened", "lost")), ("dp_2", ("opened", "won")), ("dp_3", ("opened", "lost"))):
            for kind in kinds:
                event_id = f"{kind}/{name}/{round_}"
                facts.append(said(part, f"dispute_{kind}", f"p/{event_id}", amount=206, dispute_name=name))
                facts.append(said(whole, f"dispute_{kind}", f"w/{event_id}", amount=1030, dispute_name=name))
        await at_once(shop, facts, SEED + round_)
        first, second = await shop.get(part), await shop.get(whole)
        assert (first["status"], first["refunded_amount"], first["taken_quota"]) == ("paid", 515, 500 * RATE)
        assert (second["status"], second["refunded_amount"], second["taken_quota"]) == ("refunded", 1030, 1000 * RATE)
        assert (await shop.wallet())["debt"] == 0
        assert await shop.balance() == before + 500 * RATE


@pytest.mark.parametrize("where", ["after_keeping", "before_commit", "after_commit"])
async def test_a_process_killed_between_the_notice_and_its_answer_credits_once(shop: Shop, where: Death) -> None:
    order = await shop.order()
    killed = multiprocessing.get_context("spawn").Process(target=die, args=(shop.dsn, "card", paid(order), where))
    killed.start()
    await asyncio.to_thread(killed.join, 240)
    assert killed.exitcode == -9
    assert await shop.balance() == (1000 * RATE if where == "after_commit" else 0)
    assert len(await shop.sql("SELECT 1 FROM payment_events")) == 1, "what came is kept"
    for _ in range(3):
        assert (await shop.pay(order)).status_code == 200
    assert await shop.balance() == 1000 * RATE


async def test_while_postgres_is_away_a_notice_is_not_acknowledged_and_afterwards_it_is_credited(
    shop: Shop, postgres_server: str
) -> None:
    order = await shop.order()
    [row] = await shop.sql("SELECT current_database() AS name")
    name = row["name"]
    admin = await asyncpg.connect(postgres.at(postgres_server, postgres.ADMIN_DATABASE))
    try:
        await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        try:
            # With a time to wait it returns when they are gone; without, the notice might still find one alive.
            ending = "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = $1"
            await admin.execute(ending, name)
            assert (await shop.pay(order)).status_code >= 500
        finally:
            await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
    finally:
        await admin.close()
    assert (await shop.pay(order)).status_code == 200
    assert await shop.balance() == 1000 * RATE


async def test_a_refund_recalls_leases_takes_what_is_free_and_books_the_rest_as_debt(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall.with_recall, "__kwdefaults__", {"wait_seconds": 0.2})
    order = await shop.order()
    await shop.pay(order)
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = await asyncpg.connect(shop.dsn)
    await listening.add_listener("credit_recall", lambda *event: heard.put_nowait(event[3]))
    node = uuid4()
    connection = await connect(shop.dsn)
    try:
        await settlement.register(connection, node, "test")
        wallet = await connection.fetchval(
            "UPDATE wallets SET leased = $2 WHERE account_id = $1 AND kind = 'main' RETURNING wallet_id",
            shop.buyer.account_id,
            300 * RATE,
        )
        await connection.execute("INSERT INTO wallet_leases VALUES ($1, $2, $3)", node, wallet, 300 * RATE)
        assert (await shop.hear(said(order, "refunded", "r1", refunded_total=1030))).status_code == 200
        assert await asyncio.wait_for(heard.get(), PATIENCE_SECONDS) == f"w{wallet}"
    finally:
        await connection.close()
        await listening.close()
    wallet_seen = await shop.wallet()
    assert (wallet_seen["balance"], wallet_seen["held"], wallet_seen["debt"]) == (300 * RATE, 300 * RATE, 300 * RATE)
