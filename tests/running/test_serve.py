"""Production: `serve` with an empty database, the first operator, the console on an address of its own, and the end."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from airouter.running.serve import stop_if_told
from airouter.settings import generate_secret_key
from tests.patience import PATIENCE_SECONDS

AIROUTER = [sys.executable, "-m", "airouter"]
PUBLIC = "http://127.0.0.1:1"


def environment(database: str, home: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIROUTER_")},
        "AIROUTER_DATABASE_URL": database,
        "AIROUTER_SECRET_KEYS": generate_secret_key("k1", b"s" * 32),
        "AIROUTER_PUBLIC_URL": PUBLIC,
        "AIROUTER_CONSOLE_URL": "http://127.0.0.1:2",
        "AIROUTER_HOME": str(home),
        "AIROUTER_PORT": "0",
        "AIROUTER_METRICS_ADDR": "off",
        "AIROUTER_DRAIN_NOTICE_SECONDS": "0",
    }


@contextmanager
def started(command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*AIROUTER, *command], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def told(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Reads on until a line matches."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        found = re.search(pattern, line)
        if found is not None:
            return found
    raise AssertionError(f"{pattern!r} was not said in:\n{seen}")


def test_production_serves_lets_the_first_operator_in_and_drains(empty_database: str, tmp_path: Path) -> None:
    environ = environment(empty_database, tmp_path)
    with started(["serve", "--migrate"], environ) as serve:
        api = "http://" + told(serve, r"ready: 1 worker.* on (127\.0\.0\.1:\d+)")[1]
        with httpx.Client(base_url=api, timeout=PATIENCE_SECONDS) as client:
            assert client.get("/readyz").json()["status"] == "ready"
            told(serve, r"becomes its owner: http://127\.0\.0\.1:2/setup#\S{40}")
            made = subprocess.run(
                [*AIROUTER, "operator", "create", "--email", "me@example.com"],
                env=environ, capture_output=True, text=True, check=True,
            )  # fmt: skip
            token = made.stdout.strip().partition("#")[2]
            answer = {"token": token, "password": "a long enough password 7"}
            origin = {"Origin": "http://127.0.0.1:2"}
            assert "access_token" in client.post("/api/v1/auth/accept", json=answer, headers=origin).json()
            assert client.post("/api/v1/auth/accept", json=answer, headers=origin).status_code == 401
        serve.send_signal(signal.SIGTERM)
        ending, _ = serve.communicate(timeout=180)
        assert serve.returncode == 0, ending
        assert "Traceback" not in ending


def test_a_link_for_what_is_no_address_is_refused_in_words(database: str, tmp_path: Path) -> None:
    refused = subprocess.run(
        [*AIROUTER, "operator", "create", "--email", "nonsense"],
        env=environment(database, tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (refused.returncode, refused.stderr) == (1, "airouter: email: this is not an e-mail address.\n")


def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    environ = environment("postgresql://app:hunter2@127.0.0.1:9/airouter", tmp_path)
    refused = subprocess.run([*AIROUTER, "migrate"], env=environ, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "postgresql://app:***@127.0.0.1:9/airouter cannot be used" in refused.stderr
    assert "hunter2" not in refused.stderr


def test_the_console_alone_is_told_where_the_api_is(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("the console")
    environ = environment("postgresql://nowhere/x", tmp_path)
    with started(["console", "--console", str(tmp_path)], environ) as console:
        address = told(console, r"console on (http://\S+) for the API at")[1]
        with httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
            page = client.get("/pricing")
            assert page.text == "the console"
            assert f"connect-src 'self' {PUBLIC}" in page.headers["content-security-policy"]
            assert client.get("/config.json").json() == {"api_base": PUBLIC}
            assert client.get("/api/v1/me").status_code == 421


def test_audit_finds_the_books_of_an_instance_and_says_when_there_are_none(database: str, tmp_path: Path) -> None:
    environ = environment(database, tmp_path)
    found = subprocess.run([*AIROUTER, "audit", "--json"], env=environ, capture_output=True, text=True, check=True)
    assert json.loads(found.stdout)["ok"] is True
    del environ["AIROUTER_DATABASE_URL"]
    nothing = subprocess.run([*AIROUTER, "audit"], env=environ, capture_output=True, text=True, check=False)
    assert nothing.returncode == 1
    assert "There are no books" in nothing.stderr


async def test_a_cancellation_that_was_swallowed_still_ends_the_task() -> None:
    async def deaf() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        stop_if_told()
        await asyncio.Event().wait()

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
