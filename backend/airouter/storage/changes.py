"""Telling the other processes. A change bumps a version row and notifies in the same transaction, so that it holds
everywhere within a second.

Payloads on channel `airouter_changed`: `catalogue`, `keys <key_id>`, `accounts <account_id>`, `sessions <session_id>`,
`wallet <wallet_id>`, `mail`, `shares want|free <node_id> <subject>`.
`wallet`, `mail` and `shares` have no version row: missing one costs time only. Channel `credit_recall` carries
`w<wallet_id>` or `k<key_id>`.
"""

from contextvars import ContextVar
from typing import Final, Literal

from airouter.domain.ids import NodeId
from airouter.storage.database import Connection, put_off
from airouter.storage.queries import load

CHANGED: Final = "airouter_changed"
RECALL: Final = "credit_recall"
QUERIES = load("changes")


class Announced:
    """Whether something was announced within a request; made by who asks, filled in by `announce`."""

    __slots__ = ("is_any",)

    def __init__(self) -> None:
        self.is_any = False


ANNOUNCED: ContextVar[Announced | None] = ContextVar("announced", default=None)

Versioned = Literal["catalogue", "keys", "accounts", "sessions"]


async def announce(connection: Connection, name: Versioned, subject: object = "") -> None:
    """Within the transaction of the change: heard when it commits.

    The version's row is locked last, whatever is locked after this: every other change wants it, too.
    """
    if (announced := ANNOUNCED.get()) is not None:
        announced.is_any = True
    await put_off(connection, QUERIES.bump_version, name)
    await connection.execute(QUERIES.notify, CHANGED, f"{name} {subject}".rstrip())


async def announce_wallet(connection: Connection, wallet_id: int) -> None:
    """More may be spent from this wallet than somebody remembers."""
    await connection.execute(QUERIES.notify, CHANGED, f"wallet {wallet_id}")


async def announce_mail(connection: Connection) -> None:
    """There is mail to send."""
    await connection.execute(QUERIES.notify, CHANGED, "mail")


async def announce_share(connection: Connection, what: Literal["want", "free"], node_id: NodeId, subject: str) -> None:
    """A node misses something of a limit; or gave some back that others miss."""
    await connection.execute(QUERIES.notify, CHANGED, f"shares {what} {node_id} {subject}")


async def recall(connection: Connection, purse: str) -> None:
    """Asks every process to return what it does not need of `w<wallet_id>` or `k<key_id>`."""
    await connection.execute(QUERIES.notify, RECALL, purse)


async def echo(connection: Connection, word: str) -> None:
    """Comes back to every listener after all that was committed before it."""
    await connection.execute(QUERIES.notify, CHANGED, f"echo {word}")


async def versions(connection: Connection) -> dict[str, int]:
    """What a listener compares after a reconnect, or when nothing was heard for a while."""
    return {row["name"]: row["version"] for row in await connection.fetch(QUERIES.versions)}
