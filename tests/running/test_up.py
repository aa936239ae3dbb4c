"""One command brings everything up and takes everything down, whatever happens in between."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from airouter.running import home as homes
from airouter.running.binaries import ServerUser
from airouter.running.home import Home
from tests.effort import EFFORT
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os
from pathlib import Path
from airouter.running.serve import run
from airouter.running.up import Up
from airouter.cli import refusing

up = Up(os.environ, lambda text: print(text, flush=True), console=Path(os.environ["CONSOLE"]),
        application="tests.running.stand_in:create_app", http="httptools")
raise SystemExit(refusing(lambda: run(up.run(), up.hurry)))
"""


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # We were started in the background, where shells have it ignored, and what we start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="airouter-up-"))  # pytest's own closes with every run of pytest
    folder.chmod(0o755)  # root runs Postgres as somebody else, who must get through
    (folder / "console").mkdir()
    (folder / "console" / "index.html").write_text("the console")
    yield folder / "home"
    while left := processes_in(folder):
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
    while STARTED:
        up = STARTED.pop()
        up.kill()
        up.wait()
        assert up.stdout is not None
        up.stdout.close()
    shutil.rmtree(folder)


def start(home: Path, **environ: str) -> subprocess.Popen[str]:
    up = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("AIROUTER_")},
            "PYTHONPATH": str(ROOT),
            "CONSOLE": str(home.parent / "console"),
            "AIROUTER_MODE": "demo",
            "AIROUTER_HOME": str(home),
            "AIROUTER_PORT": "0",
            "AIROUTER_METRICS_ADDR": "off",
            **environ,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    STARTED.append(up)
    return up


def card_of(home: Path, up: subprocess.Popen[str]) -> dict[str, Any]:
    """Waits for demo.json."""
    while not (home / "demo.json").exists():
        assert up.poll() is None, up.communicate()[0]
        time.sleep(0.02)
    return json.loads((home / "demo.json").read_text())


def end(up: subprocess.Popen[str], number: int = signal.SIGINT) -> tuple[int, str]:
    up.send_signal(number)
    told, _ = up.communicate(timeout=180)
    return up.returncode, told


def get(url: str) -> str:
    return httpx.get(url, timeout=PATIENCE_SECONDS).text


def interrupt(up: subprocess.Popen[str]) -> tuple[int, str]:
    """As a person does: in the middle of an import Python may lose an interrupt, and then they press again."""
    for _ in range(4):
        up.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            told, _ = up.communicate(timeout=PATIENCE_SECONDS)
            return up.returncode, told
    raise AssertionError("it does not end")


def left_in(folder: Path) -> list[int]:
    """Who stays there; whoever was ended may take a moment to be gone."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while (found := processes_in(folder)) and time.monotonic() < give_up:
        time.sleep(0.02)
    return found


def processes_in(folder: Path) -> list[int]:
    """Who was started with something of `folder` in its arguments or works there."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                is_there = str(folder) in command or str(entry.joinpath("cwd").readlink()).startswith(str(folder))
            except OSError:
                continue
            if is_there:
                found.append(int(entry.name))
    return found


def test_a_start_tells_what_is_needed_and_an_interrupt_ends_everything(home: Path) -> None:
    up = start(home)
    card = card_of(home, up)
    assert (home / "demo.json").stat().st_mode & 0o777 == 0o600
    assert set(card) == {"console_url", "base_url", "key", "model", "operator"}
    assert card["base_url"] == f"{card['console_url']}/v1"
    assert get(card["console_url"]) == "the console"
    assert get(f"{card['console_url']}/readyz") == "yes"
    code, told = end(up)
    assert code == 0
    for needed in (
        card["console_url"],
        card["key"],
        card["operator"]["password"],
        "curl ",
        "urllib.request",
        str(home),
    ):
        assert needed in told
    assert not left_in(home.parent)
    assert not (home / "demo.json").exists()


def test_a_second_start_finds_everything_as_it_was(home: Path) -> None:
    first = start(home)
    before = card_of(home, first)
    end(first, signal.SIGTERM)
    second = start(home)
    after = card_of(home, second)
    end(second)
    assert (after["key"], after["operator"]) == (before["key"], before["operator"])


def test_a_lost_home_gets_new_credentials_for_the_same_data(home: Path) -> None:
    first = start(home)
    before = card_of(home, first)
    end(first)
    (home / "demo-secrets.json").unlink()
    second = start(home)
    after = card_of(home, second)
    end(second)
    assert after["operator"]["email"] == before["operator"]["email"]
    assert after["operator"]["password"] != before["operator"]["password"]


def test_a_second_instance_in_the_same_home_is_refused(home: Path) -> None:
    first = start(home)
    card_of(home, first)
    second = start(home)
    told, _ = second.communicate(timeout=180)
    assert second.returncode == 1
    assert f"already runs in {home} (process {first.pid})" in told
    assert (home / "demo.json").exists()
    end(first)


def test_a_taken_port_is_named_before_anything_is_begun(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        up = start(home, AIROUTER_PORT=port)
        told, _ = up.communicate(timeout=180)
    assert up.returncode == 1
    assert f"Port {port}" in told
    assert "AIROUTER_PORT=" in told
    assert "Traceback" not in told
    assert not (home / "postgres").exists()


def test_after_a_kill_the_next_start_takes_over_what_was_left(home: Path) -> None:
    first = start(home)
    before = card_of(home, first)
    first.kill()
    first.communicate()
    (home / "demo.json").unlink()  # not the second's
    second = start(home)
    after = card_of(home, second)
    assert after["key"] == before["key"]
    code, told = end(second)
    assert code == 0, told
    assert not left_in(home.parent)


def postmaster_in(home: Path) -> int | None:
    """By its lock. None: there is none, or nothing in it yet."""
    try:
        lines = (home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    return int(lines[0]) if lines else None


def test_a_killed_postgres_is_started_again(home: Path) -> None:
    up = start(home)
    card_of(home, up)
    killed = postmaster_in(home)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    while postmaster_in(home) in {None, killed}:
        time.sleep(0.02)
    code, told = end(up)
    assert code == 0
    assert "Postgres ended; starting it again." in told
    assert not left_in(home.parent)


def test_an_interrupt_at_any_moment_leaves_nothing_running_and_the_next_start_works(home: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(max(3, EFFORT.kills // 4)):
        up = start(home)
        time.sleep(draw.uniform(0, 2.5))
        code, told = interrupt(up)
        # Before our handler is in place Python or the kernel ends the process; nothing has been begun by then.
        assert code in {0, 1, 130, -signal.SIGINT}, told
        assert "Traceback" not in told or "KeyboardInterrupt" in told, told
        assert not left_in(home.parent), told
    up = start(home)
    card_of(home, up)
    assert end(up)[0] == 0


def test_a_demo_database_is_refused_by_a_production_start(home: Path) -> None:
    up = start(home)
    card_of(home, up)
    dsn = json.loads((home / "instance.json").read_text())["database_url"]
    production = start(
        home.with_name("other"),
        AIROUTER_MODE="production",
        AIROUTER_DATABASE_URL=dsn,
        AIROUTER_SECRET_KEYS=(home / "secret-keys").read_text(),
        AIROUTER_PUBLIC_URL="https://ai.example.com",
    )
    told, _ = production.communicate(timeout=180)
    end(up)
    assert production.returncode == 1
    assert "seeded as a demo" in told


def test_production_names_all_that_is_missing(home: Path) -> None:
    up = start(home, AIROUTER_MODE="production")
    told, _ = up.communicate(timeout=180)
    assert up.returncode == 1
    for name in ("AIROUTER_DATABASE_URL", "AIROUTER_SECRET_KEYS", "AIROUTER_PUBLIC_URL"):
        assert name in told


def test_below_a_closed_directory_postgres_lives_elsewhere_and_that_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homes, "PLACES_ELSEWHERE", (tmp_path / "elsewhere",))
    monkeypatch.setattr(ServerUser, "can", lambda *_: False)
    home = Home(tmp_path / "closed" / ".airouter")
    home.prepare()
    stranger = ServerUser(name="postgres", uid=os.getuid() + 1, gid=os.getgid())
    place = home.postgres_place(stranger)
    assert place.parent == tmp_path / "elsewhere"
    assert Home(home.path).postgres_place(stranger) == place
    home.wipe()
    assert not place.exists()


def test_wiping_removes_what_is_ours_and_nothing_else(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.take()
    (tmp_path / "journal").mkdir()
    (tmp_path / "letter.txt").write_text("dear reader")
    home.wipe()
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
