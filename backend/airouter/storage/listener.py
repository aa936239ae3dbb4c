"""Hearing of changes: one LISTEN connection per process, on the direct URL because a pooler cannot carry it.

A notification can be lost only together with its connection, so after every reconnect the version rows are compared
with what was heard, and everything remembered about a name that moved on is dropped. The same comparison after silence
finds a connection that died without a word, and a version that was bumped by hand.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from airouter.domain.errors import DatabaseUnavailable
from airouter.storage import changes
from airouter.storage.database import Connection, Database, connect
from airouter.world import new_id

Heard = Literal["catalogue", "keys", "accounts", "sessions", "wallet", "recall", "mail", "shares"]
Callback = Callable[[str | None], None]

SILENCE_SECONDS: Final = 5.0
BACK_OFF_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_COMMAND_SECONDS: Final = 5.0
_UNVERSIONED: Final = ("wallet", "recall", "mail", "shares")

logger = logging.getLogger(__name__)


class Listener:
    """Tells this process what the others changed.

    A callback gets the subject of the change (an id in its text form; `w<wallet_id>` or `k<key_id>` for `recall`;
    `want|free <node_id> <subject>` for `shares`), or None: then anything under that name may have changed. It runs on
    the event loop and must not block; an error in it is logged and keeps nobody else from hearing.
    """

    def __init__(self, dsn: str, *, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._dsn = dsn
        self._silence_seconds = silence_seconds
        self._callbacks: dict[str, list[Callback]] = defaultdict(list)
        self._heard: dict[str, int] = {}
        """The version of each name that what we heard amounts to."""
        self._echoes: dict[str, asyncio.Future[None]] = {}
        self._stirred = asyncio.Event()
        self._connected = asyncio.Event()
        self._ended = False
        self._task: asyncio.Task[None] | None = None

    def on(self, name: Heard, callback: Callback) -> None:
        """Calls `callback` on each change of `name`, and with None after a time in which one may have been missed."""
        self._callbacks[name].append(callback)

    @property
    def is_connected(self) -> bool:
        """Whether changes are heard at this moment. False: what is remembered may be out of date."""
        return self._connected.is_set()

    async def start(self, *, wait_seconds: float = 5.0) -> None:
        """Connects, in the background if Postgres is away for longer than `wait_seconds`."""
        self._task = asyncio.create_task(self._run(), name="listener")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._connected.wait(), wait_seconds)

    async def catch_up(self, database: Database, *, wait_seconds: float) -> None:
        """Returns when all that was committed before the call has been heard here, or could not be: after so long a
        silence, or because Postgres is away.
        """
        word = str(new_id())
        heard = self._echoes[word] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(wait_seconds):
                async with database.connection() as connection:
                    await changes.echo(connection, word)
                await heard
        except (TimeoutError, DatabaseUnavailable):
            logger.warning("listener.behind")
        finally:
            del self._echoes[word]

    async def stop(self) -> None:
        """Hangs up."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001 - whatever ended the conversation, the answer is to begin another
                was_connected = self._connected.is_set()
                self._connected.clear()
                failures = 0 if was_connected else failures + 1
                logger.warning("listener.disconnected", extra={"error": repr(error), "failures": failures})
            await asyncio.sleep(BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)])

    async def _listen(self) -> None:
        connection = await connect(self._dsn, command_seconds=_COMMAND_SECONDS)
        try:
            self._ended = False
            connection.add_termination_listener(self._on_end)
            await connection.add_listener(changes.CHANGED, self._on_changed)
            await connection.add_listener(changes.RECALL, self._on_recall)
            await self._compare(connection)  # after LISTEN: what commits from here on is heard
            for name in _UNVERSIONED:
                self._tell(name, None)
            self._connected.set()
            logger.info("listener.connected")
            while True:
                await self._stir_or_silence(connection)
        finally:
            connection.terminate()  # LISTEN ends with it, and nothing waits for a peer that may be gone

    async def _stir_or_silence(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(self._silence_seconds):  # before 3.12 wait_for can swallow a cancellation
                await self._stirred.wait()
        except TimeoutError:
            await self._compare(connection)
        self._stirred.clear()
        if self._ended:
            raise ConnectionResetError("Postgres closed the listening connection")

    async def _compare(self, connection: Connection) -> None:
        """Drops what is remembered under a name whose version is not the one that was heard of."""
        for name, version in (await changes.versions(connection)).items():
            was_missed = self._heard.get(name, -1) < version
            self._heard[name] = version
            if was_missed:
                self._tell(name, None)

    def _on_changed(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        name, _, subject = payload.partition(" ")
        if name == "echo":
            if (heard := self._echoes.get(subject)) is not None and not heard.done():
                heard.set_result(None)
            return
        if name in self._heard:
            self._heard[name] += 1
        self._tell(name, subject or None)
        self._stirred.set()

    def _on_recall(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        self._tell("recall", payload)
        self._stirred.set()

    def _on_end(self, _connection: object) -> None:
        self._ended = True
        self._stirred.set()

    def _tell(self, name: str, subject: str | None) -> None:
        for callback in self._callbacks.get(name, ()):
            try:
                callback(subject)
            except Exception:  # the caller is asyncpg, which can do nothing about it
                logger.exception("listener.callback_failed", extra={"change": name})
