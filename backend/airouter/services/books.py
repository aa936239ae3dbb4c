"""The audit: do the books balance, to the last unit, at this moment?"""

from collections.abc import Callable
from typing import Final

import msgspec

from airouter.domain import pricing
from airouter.domain.usage import priced
from airouter.storage import books, nodes, partitions
from airouter.storage.books import Row
from airouter.storage.database import Connection

SAMPLE: Final = 100
"""Unless everything is recomputed, one record of so many is."""
_PROBLEMS_PER_QUESTION: Final = 5


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What `airouter audit --json` prints. `drift` is the sum of all differences, in quota."""

    ok: bool
    wallets: int
    transfers: int
    usage_records: int
    drift: int
    problems: list[str]


class _Question(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    fact: str
    drift: Callable[[Row], int] = lambda _: 0
    is_costly: bool = False


_QUESTIONS: Final = (
    _Question(name="wallets_out_of_bounds", fact="a wallet is not within 0 <= leased <= balance, or a debt above zero"),
    _Question(name="keys_out_of_bounds", fact="a key is above its limit"),
    _Question(
        name="wallet_leases_drift",
        fact="a wallet's leased is not the sum of its leases",
        drift=lambda row: abs((row["leased"] or 0) - int(row["rows"])),
    ),
    _Question(
        name="key_leases_drift",
        fact="a key's leased is not the sum of its leases",
        drift=lambda row: abs((row["leased"] or 0) - int(row["rows"])),
    ),
    _Question(name="leases_of_the_dead", fact="a node that is not live has leases"),
    _Question(
        name="balance_drift",
        fact="a balance is not the sum of its transfers",
        drift=lambda row: abs(row["balance"] - int(row["transfers"])),
    ),
    _Question(name="balances_after_below_zero", fact="a transfer left a balance below zero"),
    _Question(
        name="orders_against_transfers",
        fact="what an order credited and took back is not what its transfers moved",
        drift=lambda row: abs(int(row["kept"]) - int(row["moved"])),
    ),
    _Question(name="orders_credited_unpaid", fact="a top-up was credited for an order that was not paid"),
    _Question(
        name="reserved_drift",
        fact="a reserved wallet does not hold what open background jobs reserved",
        drift=lambda row: abs(row["balance"] - int(row["rows"])),
    ),
    _Question(
        name="job_leases_drift",
        fact="a key has not lent what its open background jobs reserved",
        drift=lambda row: abs(row["leased"] - int(row["rows"])),
    ),
    _Question(name="reserves_unreleased", fact="a reserve is not released exactly as its job ended"),
    _Question(name="unknown_wallets", fact="a transfer names a wallet that does not exist"),
    _Question(
        name="usage_against_transfers",
        fact="what records were charged is not what their transfer moved",
        drift=lambda row: abs(int(row["charged"] or 0) - (row["amount"] or 0)),
    ),
    _Question(name="uncharged_with_transfer", fact="a record without a charge names a transfer"),
    _Question(name="transfers_twice", fact="a usage transfer stands twice", is_costly=True),
    _Question(name="requests_twice", fact="a request was recorded twice", is_costly=True),
    _Question(
        name="spent_drift",
        fact="a key's spent is not the sum of its records",
        drift=lambda row: abs(row["spent"] - int(row["charged"])),
    ),
    _Question(name="budgets_out_of_bounds", fact="a budget is above its limit"),
    _Question(
        name="budget_leases_drift",
        fact="a budget's leased is not the sum of its keys' leases",
        drift=lambda row: abs(row["leased"] - int(row["rows"])),
    ),
    _Question(
        name="budget_spent_drift",
        fact="a budget's spent is not the sum of its window's records",
        drift=lambda row: abs(row["spent"] - int(row["charged"])),
    ),
    _Question(name="keys_unaware_of_budgets", fact="a key does not know whether a budget counts it"),
)


async def audit(connection: Connection, *, full: bool = True) -> Audit:
    """Recompute the books from transfers, leases and usage records, in one snapshot. May run while calls are served.

    Not `full`: one record of a hundred is priced anew instead of each, and the costly searches for doubles are left
    out.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL statement_timeout = 0")
        counts = await books.counts(connection)
        problems: list[str] = []
        drift = 0
        for question in _QUESTIONS:
            if full or not question.is_costly:
                rows = await books.contradictions(connection, question.name)
                problems += _described(question.fact, rows)
                drift += sum(question.drift(row) for row in rows)
        uncharged, borne = await books.overrun_drift(connection)
        if uncharged != borne:
            problems.append(f"records were not charged {uncharged}, the house bore {borne}")
            drift += abs(uncharged - borne)
        mispriced = await _mispriced(connection, 1 if full else SAMPLE)
        problems += _described("a cost is not what its record says it should be", mispriced)
        drift += sum(abs(row["cost"] - row["recomputed"]) for row in mispriced if row["recomputed"] is not None)
        for table, rows_in_default in (await partitions.rows_in_default(connection)).items():
            if rows_in_default:
                problems.append(f"{rows_in_default} rows of {table} lie in no partition of their own")
        problems += [
            f"node {node.node_id} on {node.host} died at {node.seen_at}, and nobody has brought in its journal"
            for node in await nodes.dead_for_long(connection)
        ]
    return Audit(
        ok=not problems,
        wallets=counts.wallets,
        transfers=counts.transfers,
        usage_records=counts.usage_records,
        drift=drift,
        problems=problems,
    )


async def _mispriced(connection: Connection, one_of: int) -> list[Row]:
    """Records whose cost does not follow from their own quantities, rate card and multiplier."""
    cards = await books.rate_cards(connection)
    wrong: list[Row] = []
    async for record in books.records_to_price(connection, one_of):
        card = cards.get(record.rate_card_id)
        recomputed: int | None = None
        if card is not None:
            recomputed, _ = pricing.cost(
                priced(record.quantities),
                card,
                record.multiplier_micros,
                record.service_tier,
                record.endpoint,
            )
        if recomputed != record.cost:
            wrong.append({"request_id": record.request_id, "cost": record.cost, "recomputed": recomputed})
    return wrong


def _described(fact: str, rows: list[Row]) -> list[str]:
    shown = [
        f"{fact}: " + ", ".join(f"{name}={value}" for name, value in row.items())
        for row in rows[:_PROBLEMS_PER_QUESTION]
    ]
    if len(rows) > _PROBLEMS_PER_QUESTION:
        shown.append(f"{fact}: and {len(rows) - _PROBLEMS_PER_QUESTION} more")
    return shown
