"""The last check of every run finds a planted leak, in one process and in the workers of several."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from tests.leaks import Leaks

ROOT = Path(__file__).parent.parent
PLANTED = """
import logging

from airouter.services.keys import hash_secret
from airouter.services import keys


def test_that_leaks():
    secret = keys.new_secret()
    assert hash_secret(secret)
    logging.getLogger("airouter.somewhere").info("made", extra={"made": secret[:LENGTH]})
"""


def run_with(tmp_path: Path, shown: str, *more: str) -> subprocess.CompletedProcess[str]:
    """A run of one test that logs so much of a key."""
    (tmp_path / "test_planted.py").write_text(PLANTED.replace("LENGTH", shown))
    (tmp_path / "conftest.py").write_text(
        "import pytest\nfrom tests.leaks import LeakPlugin\n"
        "def pytest_configure(config):\n    config.pluginmanager.register(LeakPlugin(config), 'leaks')\n"
    )
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", f"--basetemp={tmp_path / 'temporary'}"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path), *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("more", [(), ("-n", "1")])
def test_a_key_in_a_log_fails_the_run_without_being_shown_once_more(tmp_path: Path, more: tuple[str, ...]) -> None:
    done = run_with(tmp_path, "None", *more)
    assert done.returncode != 0, done.stdout
    assert "SECRETS WERE LOGGED" in done.stdout
    assert "an API key" in done.stdout


def test_its_prefix_is_no_secret(tmp_path: Path) -> None:
    done = run_with(tmp_path, "11")
    assert done.returncode == 0, done.stdout


def logged(words: str, error: Exception | None = None) -> logging.LogRecord:
    trace = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("airouter.x", logging.ERROR, __file__, 1, words, (), trace)


def test_a_secret_is_found_wherever_it_stands_and_whenever_it_was_noted() -> None:
    leaks = Leaks()
    leaks.emit(logged("it is correct horse battery staple!"))
    assert leaks.found() == []
    leaks.note("correct horse battery staple", "a password")
    assert [line.partition(" in:")[0] for line in leaks.found()] == ["a password"]
    leaks.note("short", "a password")
    assert "short" not in leaks.secrets


def test_a_traceback_counts() -> None:
    leaks = Leaks()
    leaks.note("hush-hush-hush", "a secret")
    leaks.emit(logged("failed", ValueError("hush-hush-hush")))
    assert leaks.found()


def test_the_log_lines_of_other_processes_are_read_but_not_what_commands_print(tmp_path: Path) -> None:
    leaks, key = Leaks(), "sk-air-" + "a" * 40
    path = tmp_path / "serve.txt"
    path.write_text(f"the demo's key is {key}\n2030-01-01 00:00:00,1 INFO airouter.x nothing\n")
    leaks.logs = [path]
    assert leaks.found() == []
    path.write_text(f"2030-01-01 00:00:00,1 INFO airouter.x {key}\n")
    assert leaks.found()
    path.unlink()
    assert leaks.found() == [], "what was removed meanwhile is no error"
