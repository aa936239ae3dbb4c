"""A real server on a real socket, in the test's own loop: the application, the hot protocol, a database, a key."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import uvicorn

from airouter.api.hot import HotProtocol
from airouter.app import Application, create_app
from airouter.domain.catalogue import ChannelOptions
from airouter.domain.ids import KeyId
from airouter.running.worker import KEEP_ALIVE_SECONDS
from airouter.services.audit_log import SYSTEM
from airouter.services.channels import ChannelDraft, Channels
from airouter.services.keys import KeyDraft, KeyOwner, Keys
from airouter.services.models import ModelDraft, Models
from airouter.services.policies import PolicyBook
from airouter.services.rate_cards import RateCardDraft, RateCards
from airouter.services.vault import Vault
from airouter.storage.database import Database
from airouter.world import new_id
from tests import paid
from tests.builders import person
from tests.jobs import jobs_wait
from tests.patience import until
from tests.settings import SECRET, settings_for

RATES = {"input": 2_500_000_000, "cached_input": 1_250_000_000, "output": 10_000_000_000, "request": 7}
"""Quota per million tokens, and a fixed part: figures that make every bucket visible in a cost."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """An account with a key."""

    email: str
    account_id: UUID
    user_id: UUID
    wallet_id: int
    key_id: KeyId
    key: str


class Furniture:
    """Puts models, channels, policies and people into a database, through the services that the console uses."""

    SECRET_KEYS = f"{SECRET.id}:{base64.b64encode(SECRET.material).decode()}"
    """What AIROUTER_SECRET_KEYS has to be for a gateway on this database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._owner: asyncpg.Connection | None = None
        self._vault = Vault((SECRET,))

    async def sql(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Straight into the database, as its owner, over one connection."""
        if self._owner is None:
            self._owner = await asyncpg.connect(self.dsn)
        return await self._owner.fetch(statement, *arguments)

    async def close(self) -> None:
        if self._owner is not None:
            await self._owner.close()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        opened = await Database.open(self.dsn)
        try:
            yield opened
        finally:
            await opened.close()

    async def model(self, name: str = "demo", rates: dict[str, int] | None = None, **facts: Any) -> None:
        """A model with a rate card in force."""
        async with self.database() as database:
            await Models(database).save(ModelDraft(model=name, **facts))
            draft = msgspec.convert({"model": name, "rates": rates or RATES}, RateCardDraft)
            await RateCards(database).add(draft, SYSTEM)

    async def channel(self, name: str = "scripted", provider: str = "scripted", **facts: Any) -> UUID:
        """A channel; without an address it is the scripted one."""
        facts.setdefault("models", ["demo"])
        options = facts.pop("options", {})
        async with self.database() as database:
            draft = ChannelDraft(
                name=name, provider=provider, options=msgspec.convert(options, ChannelOptions), **facts
            )
            return UUID(str((await Channels(database, self._vault).create(draft)).id))

    async def policy(self, value: msgspec.Struct) -> None:
        async with self.database() as database:
            await PolicyBook(database).put(value)

    async def holder(self, quota: int = 10**12, group: str = "default", **draft: Any) -> Holder:
        """A person with a balance and a key."""
        email, joined = await person(self.dsn, group=group)
        rows = await self.sql(
            "SELECT wallet_id FROM wallets WHERE account_id = $1 AND kind = 'main'", joined.account_id
        )
        wallet_id = rows[0]["wallet_id"]
        await self.grant(wallet_id, quota)
        owner = KeyOwner(account_id=joined.account_id, wallet_id=wallet_id, user_id=joined.user_id, account_group=group)
        async with self.database() as database:
            row, secret = await Keys(database).create(
                owner, msgspec.convert({"name": "test", **draft}, KeyDraft), KeyId(new_id())
            )
        assert secret is not None
        return Holder(
            email=email,
            account_id=joined.account_id,
            user_id=joined.user_id,
            wallet_id=wallet_id,
            key_id=row.key_id,
            key=secret,
        )

    async def grant(self, wallet_id: int, quota: int) -> None:
        """Quota out of nothing, booked."""
        if quota:
            await self.sql(
                """WITH w AS (UPDATE wallets SET balance = balance + $2 WHERE wallet_id = $1 RETURNING balance)
                INSERT INTO transfers
                  (transfer_id, kind, reference, debit_wallet, credit_wallet, amount, credit_balance)
                SELECT gen_random_uuid(), 'grant', gen_random_uuid()::text, 2, $1, $2, balance FROM w""",
                wallet_id,
                quota,
            )

    async def balance(self, holder: Holder) -> int:
        rows = await self.sql("SELECT balance FROM wallets WHERE wallet_id = $1", holder.wallet_id)
        return rows[0]["balance"]


class Live(Furniture):
    """A running gateway and the means to furnish it."""

    def __init__(self, app: Application, dsn: str, port: int) -> None:
        super().__init__(dsn)
        self.app = app
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def in_force(self) -> None:
        """Returns when the gateway works by everything that was committed before."""
        await self.app._house.catch_up()

    async def model(self, name: str = "demo", rates: dict[str, int] | None = None, **facts: Any) -> None:
        """A model with a rate card, in force when this returns."""
        await super().model(name, rates, **facts)
        await self.in_force()

    async def channel(self, name: str = "scripted", provider: str = "scripted", **facts: Any) -> UUID:
        """A channel, in force when this returns; without an address it is the scripted one."""
        made = await super().channel(name, provider, **facts)
        await self.in_force()
        return made

    async def policy(self, value: msgspec.Struct) -> None:
        """In force when this returns."""
        await super().policy(value)
        await self.in_force()

    async def record(self, request_id: str) -> dict[str, Any]:
        """The usage record of an answer, as soon as Postgres has it."""
        rows: list[asyncpg.Record] = []

        async def is_there() -> bool:
            rows[:] = await self.sql("SELECT * FROM usage_records WHERE request_id = $1", UUID(request_id))
            return bool(rows)

        await until(is_there)
        row = dict(rows[0])
        row["quantities"] = msgspec.json.decode(row["quantities"])
        row["attempts"] = msgspec.json.decode(row["attempts"])
        return row


async def takes_calls(app: Application) -> bool:
    """Whether all is there that a start waits for only a few seconds."""
    return not await app._house.services().readiness.reasons()


@asynccontextmanager
async def serving(
    dsn: str, home: Path, *, hot: bool = True, asks_for_records: bool = True, **changes: Any
) -> AsyncIterator[Live]:
    """A server on a port of its own; `hot=False` leaves the doors to ASGI.

    When the test is over, every call that a door answered with success has to have a usage record.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # as the workers do
    bound.bind(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    settings = settings_for(dsn, home, **changes)
    app = create_app(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=HotProtocol if hot else "httptools",  # type: ignore[arg-type]
            ws="none",
            interface="asgi3",
            lifespan="on",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,  # or we might close under a client's next request
            timeout_graceful_shutdown=5,
        )
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    with jobs_wait():
        task = asyncio.create_task(server._serve(sockets=[bound]))

        async def has_started() -> bool:
            if task.done():
                await task
                raise AssertionError("the server ended instead of starting")
            return server.started and await takes_calls(app)

        await until(has_started)
    live = Live(app, dsn, port)
    answered = paid.watch()
    try:
        yield live
        if asks_for_records:
            await answered.assert_all_recorded(dsn)
    finally:
        paid.unwatch(answered)
        await live.close()
        server.should_exit = True
        await task
