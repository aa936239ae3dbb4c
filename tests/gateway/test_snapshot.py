"""Every process works from the same picture within a second of a change, and never from none."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from airouter.domain.catalogue import Catalogue
from airouter.domain.errors import DatabaseUnavailable, Unavailable
from airouter.domain.policy import Policies
from airouter.gateway import snapshot as snapshots
from airouter.gateway.snapshot import Snapshot
from airouter.services.catalogue import read_catalogue
from airouter.services.groups import GroupChanges, Groups
from airouter.services.models import ModelDraft, Models
from airouter.services.rate_cards import RateCardDraft, RateCards, Rates
from airouter.services.vault import Vault
from airouter.storage.database import Database
from airouter.storage.listener import Listener
from airouter.world import now
from tests.builders import run_sql
from tests.patience import PATIENCE_SECONDS, until
from tests.settings import SECRET

EMPTY = Catalogue(models={}, groups={}, channels=(), policies=Policies())
START = datetime(2031, 5, 1, tzinfo=UTC)


class Announcer:
    """Tells of changes by hand."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[str | None], None]] = []

    def on(self, _name: str, callback: Callable[[str | None], None]) -> None:
        self._callbacks.append(callback)

    def announce(self) -> None:
        for callback in self._callbacks:
            callback(None)


@asynccontextmanager
async def process(dsn: str) -> AsyncIterator[Snapshot]:
    """A snapshot with a listener and a pool of its own, as every process has."""
    database, listener, vault = await Database.open(dsn), Listener(dsn), Vault([SECRET])
    snapshot = Snapshot(lambda at, before: read_catalogue(database, vault, at, previous=before), now)
    await listener.start(wait_seconds=PATIENCE_SECONDS)
    await snapshot.start(listener, wait_seconds=PATIENCE_SECONDS)
    try:
        yield snapshot
    finally:
        await snapshot.stop()
        await listener.stop()
        await database.close()


@pytest.fixture
async def opened(database: str) -> AsyncIterator[Database]:
    found = await Database.open(database)
    yield found
    await found.close()


def price_of(snapshot: Snapshot) -> int | None:
    model = snapshot.current.models.get("m")
    return None if model is None or model.card is None else model.card.rates["input"]


async def agree(snapshots: list[Snapshot], fact: Callable[[Snapshot], object], expected: object) -> None:
    async def all_say_so() -> bool:
        return all(fact(snapshot) == expected for snapshot in snapshots)

    await until(all_say_so)


async def test_three_processes_follow_a_price_and_a_group(database: str, opened: Database) -> None:
    await Models(opened).save(ModelDraft(model="m"))
    async with process(database) as first, process(database) as second, process(database) as third:
        everybody = [first, second, third]
        for rate in (100, 250):
            await RateCards(opened).add(RateCardDraft(model="m", rates=Rates(input=rate)))
            await agree(everybody, price_of, rate)
        await Groups(opened).change("default", GroupChanges(multiplier_micros=2_000_000))
        await agree(everybody, lambda s: s.current.groups["default"].multiplier_micros, 2_000_000)


async def test_a_change_while_nobody_could_listen_is_made_up_for(database: str, opened: Database) -> None:
    await Models(opened).save(ModelDraft(model="m"))
    async with process(database) as snapshot:
        await agree([snapshot], price_of, None)
        await run_sql(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'airouter' AND pid <> pg_backend_pid()",
        )
        await until(lambda: is_added(opened, RateCardDraft(model="m", rates=Rates(input=7))))
        await agree([snapshot], price_of, 7)


async def is_added(opened: Database, draft: RateCardDraft) -> bool:
    """Our own connection may have been ended with the others."""
    try:
        await RateCards(opened).add(draft)
    except DatabaseUnavailable:
        return False
    return True


async def test_a_price_of_the_future_comes_into_force_by_itself(database: str, opened: Database) -> None:
    await Models(opened).save(ModelDraft(model="m"))
    await RateCards(opened).add(RateCardDraft(model="m", rates=Rates(input=1)))
    async with process(database) as first, process(database) as second:
        [row] = await run_sql(database, "SELECT now() + interval '3 seconds' AS soon")
        await RateCards(opened).add(RateCardDraft(model="m", rates=Rates(input=2), effective_at=row["soon"]))
        for snapshot in (first, second):
            await agree([snapshot], lambda s: s.current.next_change_at is not None or price_of(s) == 2, expected=True)
        await agree([first, second], price_of, 2)
        [row] = await run_sql(database, "SELECT now() >= $1 AS is_due", row["soon"])
        assert row["is_due"], "not before its time"
        await agree([first, second], lambda s: s.current.next_change_at, None)


async def test_the_current_catalogue_is_swapped_whole_and_never_edited(database: str, opened: Database) -> None:
    async with process(database) as snapshot:
        before = snapshot.current
        await Models(opened).save(ModelDraft(model="m"))
        await agree([snapshot], lambda s: "m" in s.current.models, expected=True)
        assert "m" not in before.models


async def test_before_the_first_reading_there_is_nothing_to_work_from() -> None:
    async def away(_at: datetime, _before: Catalogue | None) -> Catalogue:
        raise DatabaseUnavailable

    snapshot = Snapshot(away, lambda: START)
    await snapshot.start(Announcer(), wait_seconds=0.01)
    try:
        assert not snapshot.is_ready
        with pytest.raises(Unavailable):
            _ = snapshot.current
    finally:
        await snapshot.stop()


async def test_a_reading_that_fails_keeps_the_old_catalogue_and_is_tried_again() -> None:
    new = msgspec.structs.replace(EMPTY, channels=())
    outcomes: list[Catalogue | Exception] = [EMPTY, DatabaseUnavailable(), ValueError("a bug"), new]
    given: list[Catalogue | None] = []

    async def read(_at: datetime, before: Catalogue | None) -> Catalogue:
        given.append(before)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    announcer, snapshot = Announcer(), Snapshot(read, lambda: START)
    swapped: list[Catalogue] = []
    snapshot.on_swap(swapped.append)
    await snapshot.start(announcer)
    assert snapshot.current is EMPTY
    announcer.announce()

    async def is_new() -> bool:
        assert snapshot.is_ready
        return snapshot.current is new

    await until(is_new)
    assert given == [None, EMPTY, EMPTY, EMPTY], "the old one stands in for rows that cannot be understood"
    assert swapped == [EMPTY, new]
    await snapshot.stop()


async def test_changes_during_a_reading_lead_to_one_more_reading() -> None:
    readings, may_end = 0, asyncio.Event()

    async def read(_at: datetime, _before: Catalogue | None) -> Catalogue:
        nonlocal readings
        readings += 1
        if readings == 2:
            await may_end.wait()
        return EMPTY

    announcer, snapshot = Announcer(), Snapshot(read, lambda: START)
    await snapshot.start(announcer)
    announcer.announce()

    async def second_began() -> bool:
        return readings == 2

    await until(second_began)
    for _ in range(10):
        announcer.announce()
    may_end.set()

    async def third_came() -> bool:
        return readings == 3

    await until(third_came)
    for _ in range(10):
        await asyncio.sleep(0)
    assert readings == 3
    await snapshot.stop()


async def test_a_card_that_is_due_by_our_clock_alone_does_not_make_it_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "DUE_AGAIN_SECONDS", 600)
    readings = 0

    async def read(at: datetime, _before: Catalogue | None) -> Catalogue:
        nonlocal readings
        readings += 1
        return msgspec.structs.replace(EMPTY, next_change_at=at - timedelta(seconds=5))

    snapshot = Snapshot(read, lambda: START)
    await snapshot.start(Announcer())
    for _ in range(1000):
        await asyncio.sleep(0)
    assert readings == 1
    await snapshot.stop()
