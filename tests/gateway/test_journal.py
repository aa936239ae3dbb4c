"""The journal on a real disk: what is in it survives, and nothing else is believed."""

import contextlib
import os
import resource
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from airouter.domain.ids import NodeId, RateCardId
from airouter.domain.usage import Attempt, UsageRecord
from airouter.gateway.leases import journal as journals
from airouter.gateway.leases.journal import Journal, JournalFailed
from airouter.gateway.leases.orphan import JournalLocked, Orphan, orphan_folders
from airouter.gateway.leases.segment import read_segment
from airouter.gateway.leases.settings import CreditSettings
from airouter.world import new_id

SETTINGS = CreditSettings()


def record(cost: int = 5) -> UsageRecord:
    return UsageRecord(
        request_id=new_id(),
        account_id=uuid4(),
        wallet_id=100,
        key_id=uuid4(),
        model="m",
        endpoint="chat",
        status="ok",
        usage_source="provider",
        quantities={"input": 3, "output": 7},
        rate_card_id=RateCardId(uuid4()),
        multiplier_micros=1_500_000,
        group="default",
        cost=cost,
        covered=cost,
        attempts=(Attempt(channel_id=uuid4(), channel="c", status=500, reason="no"),),
    )


def new_journal(folder: Path, **changes: object) -> Journal:
    return Journal(folder, NodeId(new_id()), msgspec.structs.replace(SETTINGS, **changes))


def read(folder: Path, journal: Journal) -> list[UsageRecord]:
    orphan = Orphan.take(folder / str(journal.node_id))
    try:
        return [r for chunk in orphan.chunks(3) for r in chunk]
    finally:
        orphan.release()


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    written = [record(n) for n in range(10)]
    for r in written:
        journal.append(r)
    journal.release()
    assert read(tmp_path, journal) == written


def test_a_record_is_on_its_way_to_the_disk_when_append_returns(tmp_path: Path) -> None:
    journal = new_journal(tmp_path, journal_sync="always")
    written = record()
    journal.append(written)
    (segment,) = (tmp_path / str(journal.node_id)).glob("*.log")
    assert read_segment(segment) == ([written], False)
    journal.release()


def test_the_journal_of_a_living_process_cannot_be_taken(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    (folder,) = orphan_folders(tmp_path)
    with pytest.raises(JournalLocked):
        Orphan.take(folder)
    journal.release()
    Orphan.take(folder).release()


def test_the_kernel_drops_the_lock_of_a_killed_process(tmp_path: Path) -> None:
    code = (
        "import os, sys, signal; from pathlib import Path; from airouter.gateway.leases.journal import Journal;"
        "from airouter.gateway.leases.settings import CreditSettings; from airouter.world import new_id;"
        "j = Journal(Path(sys.argv[1]), new_id(), CreditSettings()); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (folder,) = orphan_folders(tmp_path)
    Orphan.take(folder).release()


def test_a_journal_cut_off_at_any_byte_gives_all_whole_records_and_never_a_wrong_one(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    written, ends = [], [0]
    path = tmp_path / str(journal.node_id) / "1.log"
    for n in range(4):
        written.append(record(n))
        journal.append(written[-1])
        ends.append(path.stat().st_size)
    journal.release()
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        complete = max(n for n, end in enumerate(ends) if end <= length)
        assert read_segment(path) == (written[:complete], False), f"cut at {length}"


def test_reading_stops_at_a_bad_record_and_the_segment_is_kept_for_a_person(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    written = [record(n) for n in range(4)]
    for r in written:
        journal.append(r)
    journal.release()
    path = tmp_path / str(journal.node_id) / "1.log"
    spoiled = bytearray(path.read_bytes())
    spoiled[len(spoiled) // 2] ^= 1
    path.write_bytes(spoiled)
    found = read(tmp_path, journal)
    assert found == written[: len(found)]
    assert len(found) in (1, 2)
    (kept,) = (tmp_path / "quarantine").iterdir()
    assert kept.read_bytes() == bytes(spoiled)


@pytest.mark.parametrize("tail", [b"\x00" * 4096, b"\xff" * 100, b"\x10\x00\x00\x00"])
def test_rubbish_after_the_last_record_is_ignored(tmp_path: Path, tail: bytes) -> None:
    journal = new_journal(tmp_path)
    written = record()
    journal.append(written)
    journal.release()
    with (tmp_path / str(journal.node_id) / "1.log").open("ab") as file:
        file.write(tail)
    assert read(tmp_path, journal) == [written]


def test_a_full_segment_is_followed_by_another_and_removed_when_confirmed_and_old(tmp_path: Path) -> None:
    journal = new_journal(tmp_path, journal_segment_bytes=1_000, journal_keep_ms=0)
    segments = [journal.append(record()) for _ in range(12)]
    folder = tmp_path / str(journal.node_id)
    assert len(list(folder.glob("*.log"))) > 2
    journal.confirmed(segments[0])
    journal.trim()
    assert segments[0].path.exists(), "another record of it is not confirmed"
    for segment in segments[1:]:
        journal.confirmed(segment)
    journal.trim()
    assert len(list(folder.glob("*.log"))) == 1
    assert journal.unconfirmed_bytes == 0
    journal.release()


def test_a_confirmed_segment_stays_for_a_while_in_case_postgres_forgets(tmp_path: Path) -> None:
    journal = new_journal(tmp_path, journal_segment_bytes=100)
    segments = [journal.append(record()) for _ in range(3)]
    for segment in segments:
        journal.confirmed(segment)
    journal.trim()
    assert all(segment.path.exists() for segment in segments)
    journal.release()


def test_a_full_disk_is_said_at_once_and_spoils_nothing_that_was_written(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    first, second, third = record(1), record(2), record(3)
    journal.append(first)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.size_bytes + 30, hard))
    try:
        with pytest.raises(JournalFailed) as failed:
            journal.append(second)
        assert failed.value.record is second
        assert not journal.probe() or journal.failure is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert journal.probe()
    assert journal.failure is None
    journal.append(third)
    journal.release()
    assert read(tmp_path, journal) == [first, third]


def test_a_failing_fdatasync_fails_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(5, "input/output error")

    journal = new_journal(tmp_path)
    journal.append(record())
    monkeypatch.setattr(journals.os, "fdatasync", broken)
    journal.sync_to_disk()
    assert journal.failure is not None
    monkeypatch.undo()
    assert journal.probe()
    journal.release()


def test_an_unfinished_removal_is_finished_and_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / str(uuid4())).mkdir()
    (tmp_path / "notes").mkdir()
    assert orphan_folders(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
    assert orphan_folders(tmp_path / "missing") == []


def test_a_journal_of_an_unknown_node_is_set_aside(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    journal.append(record())
    journal.release()
    orphan = Orphan.take(tmp_path / str(journal.node_id))
    target = orphan.set_aside()
    orphan.release()
    assert (target / "1.log").exists()
    assert orphan_folders(tmp_path) == []


def test_nobody_else_may_read_the_journal(tmp_path: Path) -> None:
    journal = new_journal(tmp_path / "journal")
    journal.append(record())
    for path in (tmp_path / "journal").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
    with contextlib.suppress(FileNotFoundError):
        journal.remove()
    assert not (tmp_path / "journal" / str(journal.node_id)).exists()
    assert isinstance(journal.node_id, UUID)
    assert os.listdir(tmp_path / "journal") == []
