"""Runs the project's checks on two lanes and says at the end what passed.

    .venv/bin/python backend/checks.py check    the fast half: lint, imports, types, the console's checks
    .venv/bin/python backend/checks.py test     that and every test

Pytest runs in one lane and speaks as it goes; the other checks run one after the other in the second and are shown when
they are done. Pytest's closing line is printed last.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FRONTEND = ROOT / "frontend"
PROGRAMS = Path(sys.executable).parent

CHECKS: list[tuple[str, list[str | Path], Path]] = [
    ("lint", [PROGRAMS / "ruff", "check", "backend", "tests"], ROOT),
    ("format", [PROGRAMS / "ruff", "format", "--check", "backend", "tests"], ROOT),
    ("imports", [PROGRAMS / "lint-imports"], ROOT),
    ("console check", ["npm", "run", "--silent", "check"], FRONTEND),
    ("console tests", ["npm", "run", "--silent", "test"], FRONTEND),
    ("types", [FRONTEND / "node_modules" / ".bin" / "pyright", "--warnings"], ROOT),
]


class Lane:
    """The checks of the second lane; `results` fills as they end."""

    def __init__(self) -> None:
        self.results: list[tuple[str, int, float, str]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._stopped = False
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin, in the background."""
        self._thread.start()

    def wait(self) -> None:
        """Until every check has ended."""
        while self._thread.is_alive():
            self._thread.join(0.2)

    def stop(self) -> None:
        """End what runs and begin nothing more."""
        self._stopped = True
        if self._process is not None:
            self._process.terminate()

    def _run(self) -> None:
        for name, command, folder in CHECKS:
            if self._stopped:
                return
            started = time.monotonic()
            self._process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env={**os.environ, "NO_COLOR": "1"},
            )
            told, _ = self._process.communicate()
            self.results.append((name, self._process.returncode, time.monotonic() - started, told))


def show(results: Sequence[tuple[str, int, float, str]]) -> bool:
    """Print what the checks said, in full where they failed; whether all passed."""
    for name, code, _, told in results:
        if code:
            print(f"\n--- {name} failed ---\n{told.strip()}")
    print("\n" + "\n".join(f"{'✗' if code else '✓'} {name} {seconds:.1f} s" for name, code, seconds, _ in results))
    return not any(code for _, code, _, _ in results)


def pytest(arguments: Sequence[str]) -> tuple[int, str]:
    """Run every test, passing its output through; its exit code and closing line."""
    # Hundreds of processes are started: none of them compiles again what another one has compiled.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ.setdefault("AIROUTER_TEST_EFFORT", "full")
    # One process more than there are cores: tests of a gateway wait more than they compute. A file stays together,
    # because its tests may share one server; tests/conftest.py puts the long files first, so that none is left alone.
    workers = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", *workers, *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
    )
    closing = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            closing = line.strip() or closing
    finally:
        process.wait()
    return process.returncode, closing


def main(arguments: Sequence[str]) -> int:
    """Run `check` or `test`; further arguments go to pytest."""
    lane = Lane()
    lane.start()
    code, closing = 0, ""
    try:
        if arguments[:1] == ["test"]:
            code, closing = pytest(arguments[1:])
        lane.wait()
    except KeyboardInterrupt:
        lane.stop()
        return 130
    passed = show(lane.results)
    if closing:
        print(f"\n{closing}")
    return code or (0 if passed else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
