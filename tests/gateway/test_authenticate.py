"""The cache of keys: one question to Postgres per key, and forgetting at once when something changes."""

import asyncio
import hashlib
from uuid import UUID

import pytest

from airouter.domain.errors import DatabaseUnavailable, InvalidApiKey
from airouter.domain.ids import AccountId, KeyId
from airouter.domain.key import Caller
from airouter.gateway.authenticate import UNKNOWN_SECONDS, Callers
from tests.gateway.limited import caller


class Store:
    """Postgres, as far as keys go."""

    def __init__(self) -> None:
        self.rows: dict[bytes, Caller] = {}
        self.asked = 0
        self.is_away = False
        self.before_answer = asyncio.Event()
        self.before_answer.set()

    def put(self, secret: str) -> Caller:
        row = self.rows[hashlib.sha256(secret.encode()).digest()] = caller()
        return row

    async def find(self, digest: bytes) -> Caller | None:
        self.asked += 1
        if self.is_away:
            raise DatabaseUnavailable
        row = self.rows.get(digest)
        await self.before_answer.wait()
        return row


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def callers(store: Store) -> Callers:
    return Callers(store.find, lambda: 0.0)


async def test_a_key_is_asked_for_once_however_many_calls_come_at_once(store: Store, callers: Callers):
    row = store.put("sk-one")
    assert callers.known("sk-one") is None
    assert await asyncio.gather(*(callers.look_up("sk-one") for _ in range(50))) == [row] * 50
    assert store.asked == 1
    assert callers.known("sk-one") is row


async def test_a_wrong_key_costs_postgres_one_look_in_a_while(store: Store):
    now = 0.0
    callers = Callers(store.find, lambda: now)
    for _ in range(10):
        with pytest.raises(InvalidApiKey):
            await callers.look_up("sk-wrong")
    assert store.asked == 1
    now = UNKNOWN_SECONDS
    with pytest.raises(InvalidApiKey):
        await callers.look_up("sk-wrong")
    assert store.asked == 2


@pytest.mark.parametrize("secret", [None, ""])
async def test_no_key_at_all_is_refused_without_asking(store: Store, callers: Callers, secret: str | None):
    with pytest.raises(InvalidApiKey):
        await callers.look_up(secret)
    assert store.asked == 0


async def test_a_changed_key_is_forgotten_and_others_are_kept(store: Store, callers: Callers):
    store.put("sk-one")
    row = await callers.look_up("sk-one")
    callers.key_changed(str(KeyId(UUID(int=77))))
    assert callers.known("sk-one") is row
    callers.key_changed(str(row.key_id))
    assert callers.known("sk-one") is None


async def test_a_changed_account_forgets_all_its_keys(store: Store, callers: Callers):
    store.put("sk-one")
    store.put("sk-two")
    row = await callers.look_up("sk-one")
    await callers.look_up("sk-two")
    callers.account_changed(str(AccountId(row.account_id)))
    assert callers.known("sk-one") is callers.known("sk-two") is None


async def test_a_key_made_a_moment_after_it_was_tried_works_at_once(store: Store, callers: Callers):
    with pytest.raises(InvalidApiKey):
        await callers.look_up("sk-new")
    row = store.put("sk-new")
    callers.key_changed(str(row.key_id))
    assert await callers.look_up("sk-new") is row


async def test_an_answer_that_a_change_overtook_is_asked_for_again(store: Store, callers: Callers):
    old = store.put("sk-one")
    store.before_answer.clear()
    looking = asyncio.create_task(callers.look_up("sk-one"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    new = store.put("sk-one")
    callers.key_changed(str(old.key_id))
    store.before_answer.set()
    assert await looking is new
    assert callers.known("sk-one") is new


async def test_an_absent_postgres_is_said_and_not_remembered(store: Store, callers: Callers):
    row = store.put("sk-one")
    store.is_away = True
    with pytest.raises(DatabaseUnavailable):
        await callers.look_up("sk-one")
    store.is_away = False
    assert await callers.look_up("sk-one") is row
