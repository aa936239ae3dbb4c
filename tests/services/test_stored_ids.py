"""Names that providers minted: known with the charge of their call, once, to one account, for as long as they last."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, ChannelId, CredentialId, KeyId, NodeId, RateCardId, RequestId, WalletId
from airouter.domain.stored_id import Minted
from airouter.domain.usage import UsageRecord
from airouter.gateway.leases.journal import Journal
from airouter.gateway.leases.orphan import Orphan
from airouter.gateway.leases.settings import CreditSettings
from airouter.services.housekeeping import Housekeeping
from airouter.services.stored_ids import StoredIds, keep_minted, minted_in
from airouter.storage.database import Database
from airouter.world import new_id

MINE, YOURS = AccountId(new_id()), AccountId(new_id())
LATER = datetime.now(UTC) + timedelta(days=30)
A_YEAR = timedelta(days=365)


def record(account_id: AccountId, *minted: Minted) -> UsageRecord:
    return UsageRecord(
        request_id=RequestId(new_id()),
        account_id=account_id,
        wallet_id=WalletId(100),
        key_id=KeyId(UUID(int=1)),
        model="demo",
        endpoint="responses",
        status="ok",
        usage_source="provider",
        quantities={"input": 1},
        rate_card_id=RateCardId(UUID(int=2)),
        multiplier_micros=1_000_000,
        group="default",
        cost=0,
        channel_id=ChannelId(new_id()),
        minted=minted,
    )


def name(text: str, expires_at: datetime | None = LATER) -> Minted:
    return Minted(name=text, kind="response", credential_id=CredentialId(UUID(int=3)), expires_at=expires_at)


async def test_a_name_belongs_to_one_account_and_stays_where_it_was_first(database: str):
    opened = await Database.open(database)
    first, again, other = record(MINE, name("resp_1")), record(MINE, name("resp_1")), record(YOURS, name("resp_1"))
    async with opened.transaction() as connection:
        await keep_minted(connection, [first, other])
    async with opened.transaction() as connection:  # a journal that is brought in late
        await keep_minted(connection, [again, record(MINE)])
    found = await StoredIds(opened).find(MINE, ["resp_1", "resp_2"], A_YEAR)
    assert [(one.name, one.channel_id, one.request_id) for one in found] == [
        ("resp_1", first.channel_id, first.request_id)
    ]
    assert (await StoredIds(opened).find(YOURS, ["resp_1"], A_YEAR))[0].channel_id == other.channel_id
    await opened.close()


async def test_a_name_is_forgotten_when_it_is_over(database: str):
    opened = await Database.open(database)
    over = datetime.now(UTC) - timedelta(seconds=1)
    async with opened.transaction() as connection:
        await keep_minted(connection, [record(MINE, name("old", over), name("new"), name("for_ever", None))])
    stored = StoredIds(opened)
    assert {one.name for one in await stored.find(MINE, ["old", "new", "for_ever"], A_YEAR)} == {"new", "for_ever"}
    await Housekeeping(opened).clean()
    async with opened.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM stored_ids") == 2
    await stored.forget(MINE, "new")
    assert [one.name for one in await stored.find(MINE, ["new", "for_ever"], A_YEAR)] == ["for_ever"]
    await opened.close()


def test_the_journal_carries_names_and_reads_lines_without_them(tmp_path: Path):
    node_id = NodeId(new_id())
    journal = Journal(tmp_path, node_id, CreditSettings())
    with_names, without = record(MINE, name("resp_1")), record(MINE)
    for line in (with_names, without):
        journal.append(line)
    journal.release()
    orphan = Orphan.take(tmp_path / str(node_id))
    read = [line for chunk in orphan.chunks(10) for line in chunk]
    orphan.release()
    assert read == [with_names, without]
    assert "minted" not in msgspec.to_builtins(without), "a line of a call that minted nothing is as it always was"


async def test_a_conversation_lasts_while_it_is_used_and_is_forgotten_when_it_was_not(database: str):
    opened = await Database.open(database)
    names, today = StoredIds(opened), datetime.now(UTC)
    lives = {"conv_new": 300, "conv_used": 100, "conv_left": -1, "resp_1": 10}
    await names.keep(
        [
            msgspec.structs.replace(minted, kind="conversation") if minted.name.startswith("conv") else minted
            for text, days in lives.items()
            for minted in minted_in(record(MINE, name(text, today + timedelta(days=days))))
        ]
    )
    found = {one.name: one.expires_at for one in await names.find(MINE, list(lives), A_YEAR)}
    left = {text: round((at - today) / timedelta(days=1)) for text, at in found.items() if at is not None}
    assert left == {"conv_new": 300, "conv_used": 365, "resp_1": 10}
    await Housekeeping(opened).clean()
    async with opened.connection() as connection:
        rows = await connection.fetch("SELECT name FROM stored_ids ORDER BY name")
    assert [row["name"] for row in rows] == ["conv_new", "conv_used", "resp_1"]
    await opened.close()
