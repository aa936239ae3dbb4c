"""`airouter up`: everything on one machine: Postgres where none is configured, migrations, demo, API and console."""

import asyncio
import base64
import os
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from airouter import settings as environment
from airouter.running.banner import banner
from airouter.running.binaries import server_user
from airouter.running.demo import Demo, seed
from airouter.running.errors import CannotStart
from airouter.running.home import Home, Instance
from airouter.running.metrics import metrics_served
from airouter.running.migration import bring_up_to_date
from airouter.running.operators import setup_link
from airouter.running.postgres import EmbeddedPostgres
from airouter.running.reload import Reload
from airouter.running.serve import stop_if_told
from airouter.running.workers import APPLICATION, PROTOCOL, Say, Workers
from airouter.settings import Settings

PROJECT = Path(__file__).parents[3]
CONSOLE = PROJECT / "frontend" / "dist"
LOOK_SECONDS = 0.3


class Up:
    """One run of `airouter up`."""

    def __init__(
        self,
        environ: Mapping[str, str],
        say: Say,
        *,
        console: Path = CONSOLE,
        reloads: bool = False,
        application: str = APPLICATION,
        http: str = PROTOCOL,
    ) -> None:
        self._environ = dict(environ)
        self._say = say
        self._console = console
        self._application = application
        self._http = http
        self._reload = Reload(PROJECT) if reloads else None
        self._postgres: EmbeddedPostgres | None = None
        self._workers: Workers | None = None
        self._started_at = time.monotonic()

    def hurry(self) -> None:
        """Do not wait for calls in flight."""
        if self._workers is not None:
            self._workers.hurry()

    async def run(self) -> None:
        """Bring everything up, stay until cancelled, take everything down in the opposite order.

        Raises: CannotStart, SettingsInvalid.
        """
        async with AsyncExitStack() as stack:
            settings = environment.load(self._environ)
            home = Home(settings.home)
            home.take()
            home.forget("demo.json", "instance.json")
            workers = self._workers = self._prepare_workers(settings)
            stack.callback(workers.release)
            settings = await self._prepare_environment(settings, home, stack)
            demo = await self._prepare_database(settings, home)
            workers.set_environment(self._environ)
            if self._reload is not None:
                await self._reload.start_console_server(self._environ, stack)
            stack.push_async_callback(workers.stop)  # before Postgres: what calls cost is still to be written
            await workers.start()
            stack.callback(home.forget, "demo.json", "instance.json")
            base_url = f"{settings.public_url}/v1"
            home.write("instance.json", Instance(pid=os.getpid(), database_url=settings.database, base_url=base_url))
            if demo is not None:
                home.write("demo.json", demo.card(settings.console_url, base_url))
            self._say(banner(settings, demo, seconds=time.monotonic() - self._started_at))
            link = None if settings.is_demo else await setup_link(settings)
            if link is not None:
                self._say(f"Nobody runs this instance yet; whoever opens this within a day becomes its owner: {link}")
            async with metrics_served(settings.metrics_addr, workers, self._say):
                await self._watch(workers)

    def _prepare_workers(self, settings: Settings) -> Workers:
        """Takes the port at once: whoever has it already should be named before anything else is begun."""
        workers = Workers(
            host=settings.host,
            port=settings.port,
            count=settings.workers,
            stop_seconds=settings.drain_notice_seconds + settings.drain_seconds,
            say=self._say,
            console=self._console,
            application=self._application,
            http=self._http,
        )
        self._environ["AIROUTER_PORT"] = str(workers.port)
        return workers

    async def _prepare_environment(self, settings: Settings, home: Home, stack: AsyncExitStack) -> Settings:
        """Fill in what a demo does not have to bring: a database and secret keys."""
        if settings.database_url is None:
            self._say("Starting Postgres …")
            postgres = self._postgres = EmbeddedPostgres(home.postgres_place(server_user()))
            stack.push_async_callback(postgres.stop)
            await postgres.start()
            self._environ["AIROUTER_DATABASE_URL"] = postgres.dsn()
        if not settings.secret_keys:
            self._environ["AIROUTER_SECRET_KEYS"] = _secret_keys(home)
        # Relative paths mean ours, wherever a worker is started.
        self._environ["AIROUTER_HOME"] = str(settings.home)
        return environment.load(self._environ)

    async def _prepare_database(self, settings: Settings, home: Home) -> Demo | None:
        applied = await bring_up_to_date(settings)
        if applied:
            self._say(f"Migrated the database ({len(applied)} steps).")
        if not settings.is_demo:
            return None
        return await seed(settings, home)

    async def _watch(self, workers: Workers) -> None:
        while True:
            stop_if_told()
            await asyncio.sleep(LOOK_SECONDS)
            if self._postgres is not None and not self._postgres.is_alive():
                self._say("Postgres ended; starting it again.")
                try:
                    await self._postgres.start()
                except CannotStart as error:
                    self._say(f"{error} Trying again in 5 s.")
                    await asyncio.sleep(5)
            if self._reload is not None and self._reload.has_changed():
                self._say("Sources changed; restarting the workers.")
                workers.restart()


def _secret_keys(home: Home) -> str:
    """A demo's own keys, made once."""
    kept = home.path / "secret-keys"
    if not kept.exists():
        home.write_text(kept.name, environment.generate_secret_key("demo", os.urandom(environment.SECRET_KEY_BYTES)))
    text = kept.read_text().strip()
    if len(base64.b64decode(text.partition(":")[2])) != environment.SECRET_KEY_BYTES:
        raise CannotStart(f"{kept} is damaged. `make clean-data` starts afresh.")
    return text
