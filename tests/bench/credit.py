"""What a hold and its settlement cost in Python, journal included. Not a test: figures of a busy machine prove nothing.

python -m tests.bench.credit
"""

import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from airouter.domain.ids import NodeId, RateCardId, WalletId
from airouter.domain.usage import UsageRecord
from airouter.gateway.leases.book import Book
from airouter.gateway.leases.credit import Credit, CreditSettings
from airouter.gateway.leases.journal import Journal
from airouter.world import new_id

CALLS = 20_000
ROUNDS = 5


def measured(is_limited: bool) -> list[float]:  # noqa: FBT001
    """Microseconds of CPU per call, by round: `try_hold` and `settle` against a lease that never runs dry."""
    with tempfile.TemporaryDirectory() as folder:
        credit = Credit(dsn="", journal_directory=Path(folder), host="bench")
        book = Book(NodeId(new_id()), CreditSettings())
        book.journal = Journal(Path(folder), book.node_id, credit.settings)
        credit._book = book
        book.registered(credit._clock.now())
        wallet, key = WalletId(100), new_id()
        for purse_id in (wallet, key):
            book._open_purse(purse_id, 0).leased = 10**15
        rounds = []
        for _ in range(ROUNDS):
            records = [_record(wallet, key) for _ in range(CALLS)]
            began = time.process_time()
            for record in records:
                hold = credit.try_hold(wallet, key, is_limited, 1_000)
                assert hold is not None
                credit.settle(hold, record)
            rounds.append((time.process_time() - began) / CALLS * 1e6)
            book.pending.clear()
        book.journal.remove()
        return rounds


def _record(wallet: WalletId, key: object) -> UsageRecord:
    return UsageRecord(
        request_id=new_id(),
        account_id=uuid4(),
        wallet_id=wallet,
        key_id=key,
        model="bench",
        endpoint="chat",
        status="ok",
        usage_source="provider",
        quantities={"input": 1_200, "output": 300},
        rate_card_id=RateCardId(uuid4()),
        multiplier_micros=1_000_000,
        group="default",
        cost=900,
    )


if __name__ == "__main__":
    for what, is_limited in (("key without a limit", False), ("key with a limit", True)):
        rounds = measured(is_limited)
        print(
            f"try_hold + settle, {what}: {statistics.median(rounds):.1f} us CPU per call"
            f" ({min(rounds):.1f}-{max(rounds):.1f})"
        )
