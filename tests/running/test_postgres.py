"""The Postgres that comes along starts, stops, survives and refuses as promised."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from airouter.running import binaries as programs
from airouter.running.errors import CannotStart, OtherPostgresMajor
from airouter.running.postgres import NOT_DURABLE, EmbeddedPostgres


@pytest.fixture
def place() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="airouter-place-"))
    directory.chmod(0o711)  # root runs Postgres as somebody else, who must get through
    yield directory
    shutil.rmtree(directory)


def embedded(place: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(place, options=NOT_DURABLE)


async def query(postgres: EmbeddedPostgres, statement: str) -> object:
    connection = await asyncpg.connect(postgres.dsn())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_what_was_written_is_there_after_a_restart(place: Path) -> None:
    first = embedded(place)
    await first.start()
    await query(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    await first.stop()
    second = embedded(place)
    await second.start()
    try:
        assert await query(second, "SELECT answer FROM kept") == 42
    finally:
        await second.stop()
    assert not (place / "data" / "postmaster.pid").exists()


async def test_a_killed_server_with_its_lock_left_behind_starts_again(place: Path) -> None:
    postgres = embedded(place)
    await postgres.start()
    assert postgres.pid is not None
    os.kill(postgres.pid, signal.SIGKILL)
    while postgres.is_alive():
        await asyncio.sleep(0.01)
    assert (place / "data" / "postmaster.pid").exists()
    again = embedded(place)
    await again.start()
    try:
        assert await query(again, "SELECT 1") == 1
    finally:
        await again.stop()


async def test_a_lock_with_a_strangers_process_number_does_not_keep_it_from_starting(place: Path) -> None:
    postgres = embedded(place)
    await postgres.start()
    await postgres.stop()
    lock = place / "data" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{place / 'data'}\n1\n5432\n{place / 'run'}\n\n\nready\n")
    await postgres.start()
    assert await query(postgres, "SELECT 1") == 1
    await postgres.stop()


async def test_a_server_whose_starter_was_killed_is_adopted(place: Path) -> None:
    orphan = embedded(place)
    await orphan.start()
    heir = embedded(place)
    await heir.start()
    assert heir.pid == orphan.pid
    assert await query(heir, "SELECT 1") == 1
    await heir.stop()
    assert not orphan.is_alive()


async def test_data_of_another_major_version_is_refused_in_one_sentence(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "PG_VERSION").write_text("13\n")
    with pytest.raises(
        OtherPostgresMajor, match=r"written by PostgreSQL 13, which the PostgreSQL \d+ here cannot read"
    ):
        await embedded(place).start()


async def test_a_data_directory_that_is_none_is_left_alone(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "letter.txt").write_text("dear reader")
    with pytest.raises(CannotStart, match="is not a Postgres data directory"):
        await embedded(place).start()
    assert (place / "data" / "letter.txt").exists()


@pytest.mark.parametrize("delay_ms", [0, 5, 40, 120, 250, 400, 550, 650])
async def test_a_start_interrupted_anywhere_leaves_nothing_running_and_the_next_one_works(
    place: Path, delay_ms: int
) -> None:
    postgres = embedded(place)
    start = asyncio.create_task(postgres.start())
    await asyncio.sleep(delay_ms / 1000)
    start.cancel()
    await asyncio.gather(start, return_exceptions=True)
    if start.cancelled():
        assert not postgres.is_alive()
        assert not list(place.glob("data.unfinished-*"))
    await postgres.stop()
    await postgres.start()
    assert await query(postgres, "SELECT 1") == 1
    await postgres.stop()


async def test_a_long_path_gets_a_short_socket(place: Path) -> None:
    postgres = embedded(place / ("deep" * 20) / "with space")
    await postgres.start()
    assert await query(postgres, "SELECT 1") == 1
    await postgres.stop()


async def test_only_its_owner_can_enter_the_sockets_directory(place: Path) -> None:
    postgres = embedded(place)
    await postgres.start()
    try:
        assert (place / "run").stat().st_mode & 0o077 == 0
        assert (place / "data").stat().st_mode & 0o077 == 0
    finally:
        await postgres.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as somebody else")
async def test_unreadable_programs_are_copied_to_where_the_servers_user_can_read_them(place: Path) -> None:
    found = programs.find_binaries()
    hidden = place / "hidden"
    shutil.copytree(found.directory.parents[1], hidden / programs.PACKAGE)
    libraries = found.directory.parents[2] / f"{programs.PACKAGE}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, hidden / libraries.name)
    hidden.chmod(0o700)
    unreadable = programs.Binaries(
        directory=hidden / programs.PACKAGE / "pginstall" / "bin",
        major=found.major,
        version=found.version,
        is_wheel=True,
    )
    postgres = EmbeddedPostgres(place / "pg", options=NOT_DURABLE, binaries=unreadable)
    await postgres.start()
    assert await query(postgres, "SELECT 1") == 1
    await postgres.stop()
    assert (place / "pg" / "binaries").is_dir()
