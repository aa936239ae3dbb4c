"""`airouter serve`: the API without a console, for production."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from airouter.running.metrics import metrics_served
from airouter.running.migration import bring_up_to_date
from airouter.running.operators import setup_link
from airouter.running.workers import Say, Workers
from airouter.settings import Settings


def run(main: Coroutine[Any, Any, None], on_second_signal: Callable[[], None] = lambda: None) -> int:
    """Run until done or told to stop by a signal: `main` is cancelled once, its cleaning up is left alone."""

    async def guarded() -> int:
        task = asyncio.create_task(main)
        is_told = False

        def stop() -> None:
            nonlocal is_told
            if is_told:
                on_second_signal()
            else:
                is_told = True
                task.cancel()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop)
        try:
            await task
        except asyncio.CancelledError:
            if not is_told:
                raise
        return 0

    return asyncio.run(guarded())


def stop_if_told() -> None:
    """Ends the task that was told to, although a library swallowed its cancellation: `asyncio.wait_for` may, before
    Python 3.12, when what it waits for happens at that very moment. To be asked before waiting for long.

    Raises: asyncio.CancelledError.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def serve(settings: Settings, say: Say, *, migrates: bool, environ: Mapping[str, str] = os.environ) -> None:
    """Serve until cancelled, then drain.

    Raises: CannotStart.
    """
    workers = Workers(
        host=settings.host,
        port=settings.port,
        count=settings.workers,
        environ=environ,
        stop_seconds=settings.drain_notice_seconds + settings.drain_seconds,
        say=say,
    )
    try:
        if migrates:
            for name in await bring_up_to_date(settings):
                say(f"migrated: {name}")
        await workers.start()
        say(f"ready: {settings.workers} worker(s) on {workers.host}:{workers.port}")
        link = await setup_link(settings)
        if link is not None:
            say(f"nobody runs this instance yet; whoever opens this within a day becomes its owner: {link}")
        async with metrics_served(settings.metrics_addr, workers, say):
            stop_if_told()
            await asyncio.Event().wait()
    finally:
        await workers.stop()
