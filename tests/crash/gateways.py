"""Several workers on one ledger, and what must be true when they are gone."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import asyncpg
import msgspec

from airouter.gateway.leases.credit import CreditSettings
from tests.crash.worker import Plan
from tests.customers import Customer
from tests.patience import PATIENCE_WITH_PROCESSES_SECONDS, until

ROOT = Path(__file__).parents[2]
QUICK = CreditSettings(
    ttl_ms=20_000,
    margin_ms=1_000,
    beat_ms=300,
    idle_return_ms=500,
    tight_ms=2_000,
    horizon_ms=2_000,
    adopt_every_ms=300,
    observer_gap_ms=2_000,
)


class Gateways:
    """Processes on one machine: they share a directory of journals."""

    def __init__(self, folder: Path, dsn: str, customers: list[Customer], *, seed: int = 0, **plan: object) -> None:
        self.folder, self.dsn, self.customers = folder, dsn, customers
        self.rng = random.Random(seed)
        self.plan = plan
        self.settings = QUICK
        self.running: list[subprocess.Popen[bytes]] = []
        self.stats: Counter[str] = Counter()
        self._started = 0
        self._ready: dict[int, Path] = {}

    @property
    def answers_file(self) -> Path:
        return self.folder / "answers"

    @property
    def journals(self) -> Path:
        return self.folder / "journal"

    def start(self) -> subprocess.Popen[bytes]:
        self._started += 1
        plan = Plan(
            dsn=self.dsn,
            journal_directory=str(self.journals),
            answers=str(self.answers_file),
            customers=self.customers,
            settings=self.settings,
            seed=self.rng.randrange(2**32),
            ready=str(self.folder / f"ready{self._started}"),
            **self.plan,
        )
        path = self.folder / f"plan{self._started}.json"
        path.write_bytes(msgspec.json.encode(plan))
        errors = (self.folder / f"errors{self._started}").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.worker", str(path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        errors.close()
        self.running.append(process)
        self._ready[process.pid] = self.folder / f"ready{self._started}"
        return process

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, f"a worker ended by itself, exit {process.returncode}: {self.errors()}"
        return self._ready[process.pid].exists()

    async def kill_one(self) -> None:
        """One that works; kills between import statements prove little."""
        ready: list[subprocess.Popen[bytes]] = []

        def one_is_ready() -> bool:
            ready[:] = [process for process in self.running if self.is_ready(process)]
            return bool(ready)

        await until(one_is_ready, PATIENCE_WITH_PROCESSES_SECONDS)
        process = self.rng.choice(ready)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        self.running.remove(process)

    async def are_alone(self) -> bool:
        """Whether those that run are all that is left: each has its node and its journal, the killed have neither."""
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch("SELECT node_id FROM nodes WHERE state <> 'closed'")
        finally:
            await connection.close()
        nodes = {str(row["node_id"]) for row in rows}
        return len(nodes) == len(self.running) and nodes == {path.name for path in self.journals.iterdir()}

    def wait(self) -> None:
        """Until all have ended by themselves."""
        for process in list(self.running):
            out, _ = process.communicate(timeout=PATIENCE_WITH_PROCESSES_SECONDS)
            assert process.returncode == 0, f"exit {process.returncode}: {self.errors()}"
            self.stats.update(msgspec.json.decode(out))
            self.running.remove(process)

    def stop(self) -> None:
        """Orderly: SIGTERM, and every one of them closes its node."""
        for process in self.running:
            process.send_signal(signal.SIGCONT)
            while not self.is_ready(process):
                time.sleep(0.02)
            process.terminate()
        self.wait()

    def end(self) -> None:
        """Whatever still runs, at the end of a test."""
        for process in self.running:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def errors(self) -> str:
        texts = [path.read_text(errors="replace") for path in sorted(self.folder.glob("errors*"))]
        return "\n".join(text[-3000:] for text in texts if "Traceback" in text)

    def answers(self) -> dict[str, int]:
        """Complete answers that clients got, with their cost. A line cut off by a kill is no complete answer."""
        if not self.answers_file.exists():
            return {}
        lines = self.answers_file.read_text().splitlines(keepends=True)
        parts = (line.split() for line in lines if line.endswith("\n"))
        return {words[0]: int(words[1]) for words in parts}


async def assert_settled(dsn: str, gateways: Gateways) -> int:
    """Every complete answer is charged at its cost, nothing is leased, no journal is left. Answers how many there
    were.
    """
    connection = await asyncpg.connect(dsn)
    try:
        rows = {str(row[0]): row[1] for row in await connection.fetch("SELECT request_id, cost FROM usage_records")}
        leased = await connection.fetchval(
            "SELECT (SELECT coalesce(sum(leased), 0) FROM wallets) + (SELECT coalesce(sum(leased), 0) FROM keys)"
        )
        open_nodes = await connection.fetchval("SELECT count(*) FROM nodes WHERE state <> 'closed'")
    finally:
        await connection.close()
    answers = gateways.answers()
    lost = {request: cost for request, cost in answers.items() if rows.get(request) != cost}
    assert not lost, f"{len(lost)} of {len(answers)} answers are not charged at their cost"
    assert leased == 0
    assert open_nodes == 0
    left = [path.name for path in gateways.journals.iterdir()]
    assert not left, f"left in the journal's directory: {left}"
    return len(answers)
