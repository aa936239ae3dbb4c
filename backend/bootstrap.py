"""Makes what the project needs to run on this machine, and nothing twice.

    python3 backend/bootstrap.py run    libraries and the built console
    python3 backend/bootstrap.py test   the same with the tests' libraries, and a browser

Standard library only: this runs before anything is installed. Each part has a stamp that says from what it was made;
the stamp is removed first and written last, so an interrupted part is simply made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
FRONTEND = ROOT / "frontend"
CONSOLE = FRONTEND / "dist"
BROWSERS = CACHE / "playwright"
BROWSER_FILE = CACHE / "chromium.path"  # tests/conftest.py reads it
PYTHON_MIN = (3, 11)
NODE_MIN = (20, 19)
LOCKS = {"run": "requirements-run.lock", "test": "requirements-dev.lock"}
CONSOLE_SOURCES = (
    "src",
    "public",
    "index.html",
    "vite.config.ts",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
)
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER_PLACES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/snap/bin/chromium")
BROWSER_DOWNLOAD_SECONDS = 240


class Impossible(Exception):
    """Something that only the person at the keyboard can put right; the text says how."""


class Step:
    """One line of progress: what is being done, its latest output on a terminal, and how long it took."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = time.monotonic()
        self._lines: list[str] = []
        self._is_live = sys.stdout.isatty()
        if not self._is_live:
            print(f"· {title} …", flush=True)

    def run(self, command: Sequence[str | Path], *, cwd: Path = ROOT, environ: dict[str, str] | None = None) -> None:
        """Run a program; its output is kept and shown when it fails.

        Raises: Impossible.
        """
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        ticker = threading.Thread(target=self._tick, args=(process,), daemon=True)
        ticker.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                self._lines.append(line.rstrip())
            process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        ticker.join()
        if process.returncode:
            self._clear()
            told = "\n".join(f"    {line}" for line in _ends(self._lines))
            raise Impossible(f"{self._title}: `{' '.join(map(str, command))}` failed:\n{told}")

    def done(self, note: str = "") -> None:
        """Close the line."""
        self._clear()
        seconds = time.monotonic() - self._started
        print(f"✓ {self._title}{f' ({note})' if note else ''} {seconds:.1f} s", flush=True)

    def _tick(self, process: subprocess.Popen[str]) -> None:
        while self._is_live and process.poll() is None:
            last = self._lines[-1].strip() if self._lines else ""
            text = f"· {self._title} {time.monotonic() - self._started:.0f} s  {last}"
            print(f"\r\033[K{text[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
            time.sleep(0.2)

    def _clear(self) -> None:
        if self._is_live:
            print("\r\033[K", end="", flush=True)


def _ends(lines: list[str]) -> list[str]:
    """What is worth showing of a failure: npm says it first, everybody else last."""
    return lines if len(lines) <= 50 else [*lines[:15], "…", *lines[-35:]]


# -- Python ------------------------------------------------------------------------------------------------------------


def environment(kind: str) -> None:
    """`.venv` with the locked libraries of `kind` and the package itself, editable."""
    stamp = VENV / ".made-from.json"
    made_from = _read_json(stamp)
    if made_from and made_from.get("kind") == "test":
        kind = "test"  # which has everything that a run needs; a run does not take the tests' libraries away
    if made_from == _environment_inputs(kind):
        return
    step = Step("Python environment")
    if not made_from or made_from.get("python") != sys.version or made_from.get("path") != str(VENV):
        shutil.rmtree(VENV, ignore_errors=True)
    stamp.unlink(missing_ok=True)
    lock = ROOT / LOCKS[kind]
    uv = shutil.which("uv")
    how = "uv" if uv else "pip"
    try:
        (_with_uv if uv else _with_pip)(step, lock)
    except Impossible as problem:
        if uv is None:
            raise
        print(f"  uv did not manage, trying pip. {problem}", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        how = "pip"
        _with_pip(step, lock)
    stamp.write_text(json.dumps(_environment_inputs(kind)))
    step.done(how)


def _environment_inputs(kind: str) -> dict[str, str]:
    files = [ROOT / LOCKS[kind], ROOT / "pyproject.toml"]
    return {"kind": kind, "inputs": _digest(files), "python": sys.version, "path": str(VENV)}


def _with_uv(step: Step, lock: Path) -> None:
    uv, python = "uv", VENV / "bin" / "python"
    if not python.exists():
        step.run([uv, "venv", "--no-project", "--python", sys.executable, VENV])
    step.run([uv, "pip", "sync", "--python", python, "--require-hashes", lock])
    step.run([uv, "pip", "install", "--python", python, "--no-deps", "--no-build-isolation", "-e", ROOT])


def _with_pip(step: Step, lock: Path) -> None:
    python = VENV / "bin" / "python"
    if not python.exists():
        if importlib.util.find_spec("ensurepip") is None:
            version = ".".join(map(str, sys.version_info[:2]))
            raise Impossible(
                f"This Python ({sys.executable}) cannot make environments: its ensurepip is missing. "
                f"On Debian or Ubuntu: apt-get install python{version}-venv. Or install uv."
            )
        step.run([sys.executable, "-m", "venv", "--clear", VENV])
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar=off", "--no-input"]
    step.run([*pip, "--require-hashes", "-r", lock])
    step.run([*pip, "--no-deps", "--no-build-isolation", "--no-index", "-e", ROOT])


# -- the console -------------------------------------------------------------------------------------------------------


def node_modules() -> None:
    """`frontend/node_modules` as package-lock.json says."""
    stamp = FRONTEND / "node_modules" / ".made-from.json"
    inputs = {"inputs": _digest([FRONTEND / "package-lock.json", FRONTEND / "package.json"])}
    if _read_json(stamp) == inputs:
        return
    npm = _npm()
    step = Step("Node modules")
    stamp.unlink(missing_ok=True)
    step.run([npm, "ci", "--no-audit", "--no-fund", "--prefer-offline"], cwd=FRONTEND)
    stamp.write_text(json.dumps(inputs))
    step.done()


def console() -> None:
    """`frontend/dist`, built from the sources as they are now."""
    stamp = CONSOLE / ".made-from.json"
    inputs = {"inputs": _digest(_console_sources())}
    if _read_json(stamp) == inputs:
        return
    node_modules()
    npm = _npm()
    step = Step("Console")
    fresh = FRONTEND / "dist.unfinished"
    shutil.rmtree(fresh, ignore_errors=True)
    step.run([npm, "run", "build", "--", "--outDir", fresh.name, "--emptyOutDir"], cwd=FRONTEND)
    (fresh / stamp.name).write_text(json.dumps(inputs))
    # Exchanged, not overwritten: an instance that serves the old files meanwhile never sees half a console.
    stale = FRONTEND / "dist.stale"
    shutil.rmtree(stale, ignore_errors=True)
    if CONSOLE.exists():
        CONSOLE.rename(stale)
    fresh.rename(CONSOLE)
    shutil.rmtree(stale, ignore_errors=True)
    step.done()


def _console_sources() -> Iterable[Path]:
    for name in CONSOLE_SOURCES:
        path = FRONTEND / name
        yield from sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def _npm() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    wanted = ".".join(map(str, NODE_MIN))
    if node is None or npm is None:
        raise Impossible(f"The console needs Node {wanted} or newer with npm, and there is none on the PATH.")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(int(part) for part in told.lstrip("v").split(".")[:2]) < NODE_MIN:
        raise Impossible(f"The console needs Node {wanted} or newer; {node} is {told}.")
    return npm


# -- a browser for the journeys ----------------------------------------------------------------------------------------


def browser() -> None:
    """Writes the path of a working Chromium to `.cache/chromium.path`: the one there is, else one that is got."""
    if BROWSER_FILE.exists() and Path(BROWSER_FILE.read_text()).exists():
        return
    found = _find_browser() or _download_browser() or _install_browser()
    if found is None:
        raise Impossible(
            "The browser journeys need Chromium. Install it (Debian: `apt-get install chromium`) or name one: "
            "AIROUTER_CHROMIUM=/path/to/chromium make test"
        )
    BROWSER_FILE.write_text(str(found))


def _find_browser() -> Path | None:
    named = os.environ.get("AIROUTER_CHROMIUM")
    on_path = [found for name in BROWSER_NAMES if (found := shutil.which(name))]
    caches = [BROWSERS, Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")]
    caches.append(Path.home() / "Library" / "Caches" / "ms-playwright")
    in_caches = [p for cache in caches for p in sorted(cache.glob("chromium*/chrome-*/*"), reverse=True)]
    candidates = [named] if named else [*on_path, *BROWSER_PLACES]
    candidates += [str(p) for p in in_caches if p.name in {"chrome", "headless_shell", "chrome-headless-shell"}]
    return next((Path(c) for c in candidates if _works(c)), None)


def _works(program: str) -> bool:
    """Whether it starts here: a browser without its system libraries does not."""
    try:
        asked = subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _download_browser() -> Path | None:
    step = Step("Chromium into .cache, through Playwright")
    playwright = ["timeout", str(BROWSER_DOWNLOAD_SECONDS)] if shutil.which("timeout") else []
    playwright += [str(VENV / "bin" / "playwright"), "install", "chromium"]
    try:
        step.run(playwright, environ={"PLAYWRIGHT_BROWSERS_PATH": str(BROWSERS)})
    except Impossible:
        print("  It could not be had that way.", flush=True)
        return None
    found = _find_browser()
    if found is None:
        print("  It came, but does not start here: system libraries are missing.", flush=True)
    else:
        step.done()
    return found


def _install_browser() -> Path | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    print(
        "! No Chromium anywhere: installing Debian's package `chromium` (apt-get update, apt-get install).", flush=True
    )
    step = Step("Chromium from Debian")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        step.run(["apt-get", "update"], environ=quiet)
        step.run(["apt-get", "install", "-y", "--no-install-recommends", "chromium"], environ=quiet)
    except Impossible as problem:
        print(problem, flush=True)
        return None
    step.done()
    return _find_browser()


# -- shared by the parts -----------------------------------------------------------------------------------------------


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes() if path.exists() else b"-").digest())
    return digest.hexdigest()


def _read_json(path: Path) -> dict[str, str] | None:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def _alone() -> Generator[None]:
    """Two starts at once take turns, and the second finds everything made."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "bootstrap.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("· waiting for another start in this folder to finish", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _interpreter() -> str | None:
    """The Python to make the environment with: ourselves, unless too old or of the very environment to be made."""
    if sys.version_info < PYTHON_MIN:
        names = (f"python3.{minor}" for minor in range(20, PYTHON_MIN[1] - 1, -1))
        return next((found for name in names if (found := shutil.which(name))), None)
    if Path(sys.prefix) == VENV:
        return getattr(sys, "_base_executable", sys.executable)
    return sys.executable


def main(arguments: Sequence[str]) -> int:
    """Make everything that `arguments[0]` needs."""
    kind = arguments[0] if arguments else ""
    if kind not in LOCKS:
        print(__doc__)
        return 2
    interpreter = _interpreter()
    if interpreter is None:
        print(f"AI Router needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    if interpreter != sys.executable:
        os.execv(interpreter, [interpreter, str(Path(__file__)), *arguments])  # noqa: S606 - the same script again
    try:
        with _alone():
            environment(kind)
            console()
            if kind == "test":
                node_modules()
                browser()
    except Impossible as problem:
        print(f"✗ {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the next start goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
