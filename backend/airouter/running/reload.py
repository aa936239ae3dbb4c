"""For `make dev`: notices changed sources, and runs the console's own server, which reloads by itself."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from airouter.running.errors import CannotStart

CONSOLE_PORT = 5173


class Reload:
    """Watches `backend/` of the project at `project`."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._seen = self._latest()

    def has_changed(self) -> bool:
        """Whether a source or query file was changed, added or removed since the last time this was asked."""
        before, self._seen = self._seen, self._latest()
        return before != self._seen

    def _latest(self) -> tuple[int, int]:
        files = [p for kind in ("*.py", "*.sql") for p in (self._project / "backend").rglob(kind)]
        times = [0]
        for path in files:
            with contextlib.suppress(FileNotFoundError):  # editors replace files while we look
                times.append(path.stat().st_mtime_ns)
        return len(files), max(times)

    async def start_console_server(self, environ: Mapping[str, str], stack: AsyncExitStack) -> None:
        """Run `npm run dev`, which sends the API's addresses to us, until `stack` unwinds."""
        npm = shutil.which("npm")
        if npm is None:
            raise CannotStart("The console's own server needs npm, and there is none on the PATH.")
        process = await asyncio.create_subprocess_exec(
            npm, "run", "dev", "--", "--host", "127.0.0.1", "--port", str(CONSOLE_PORT), "--strictPort",
            cwd=self._project / "frontend",
            env={**environ, "AIROUTER_DEV_API": f"http://127.0.0.1:{environ['AIROUTER_PORT']}"},
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

        async def stop() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            await process.wait()

        stack.push_async_callback(stop)
