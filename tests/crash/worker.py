"""A gateway process that is nothing but its credit: clients call at random until it is told to stop, or killed.

    python -m tests.crash.worker <plan.json>

A line in the file of answers stands for the last byte of an answer: it is written after `settle`, and never without.
"""

import asyncio
import faulthandler
import logging
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from uuid import UUID

import msgspec

from airouter.domain.errors import DomainError, LedgerUnavailable, QuotaInUse
from airouter.domain.ids import KeyId, WalletId
from airouter.gateway.leases.credit import Credit, CreditSettings, Hold
from airouter.storage.listener import Listener
from tests.customers import Customer


class Plan(msgspec.Struct, kw_only=True):
    """What a worker is told."""

    dsn: str
    journal_directory: str
    answers: str
    customers: list[Customer]
    settings: CreditSettings
    seed: int = 0
    clients: int = 20
    calls_max: int | None = None
    """Calls per client; None: until told to stop."""
    hold_max: int = 2_000
    exact: bool = False
    """Every call holds and costs `hold_max`."""
    call_seconds: float = 0.02
    excess_share: float = 0.03
    overrun_max: int | None = None
    ready: str = ""
    """A file that is made when calls are taken."""


class Worker:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = random.Random(plan.seed)
        self.stats: Counter[str] = Counter()
        self.stopping = asyncio.Event()
        self.answers = os.open(plan.answers, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self.credit = Credit(
            dsn=plan.dsn, journal_directory=Path(plan.journal_directory), host="test", settings=plan.settings
        )

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stopping.set)
        credit = self.credit
        credit.overrun_max = self.plan.overrun_max
        listener = Listener(self.plan.dsn)
        listener.on("recall", lambda purse: credit.recalled(purse) if purse else None)
        listener.on("wallet", lambda wallet: credit.wallet_changed(WalletId(int(wallet))) if wallet else None)
        await credit.start()
        await listener.start()
        while credit.not_ready and not self.stopping.is_set():
            await asyncio.sleep(0.02)
        Path(self.plan.ready).touch()
        clients = [asyncio.create_task(self.client()) for _ in range(self.plan.clients)]
        if self.plan.calls_max is None:
            await self.stopping.wait()
        else:
            await asyncio.gather(*clients)
        self.stopping.set()
        await credit.stop(drain_seconds=60)
        await asyncio.gather(*clients)
        await listener.stop()
        self.stats.update({f"overrun {k}": v for k, v in (("above_hold", credit.figures().overrun_above_hold),) if v})
        self.stats["retries"] += credit.figures().retries
        self.stats["fenced"] += credit.figures().fenced
        print(msgspec.json.encode(dict(self.stats)).decode())

    async def client(self) -> None:
        calls = 0
        while not self.stopping.is_set() and (self.plan.calls_max is None or calls < self.plan.calls_max):
            calls += 1
            await self.call()
            await asyncio.sleep(0)

    async def call(self) -> None:
        rng, credit, plan = self.rng, self.credit, self.plan
        customer = rng.choice(plan.customers)
        number = rng.randrange(len(customer.keys))
        key = KeyId(UUID(str(customer.keys[number])))
        amount = plan.hold_max if plan.exact else rng.randint(0, plan.hold_max)
        try:
            hold = credit.try_hold(customer.wallet_id, key, number > 0, amount) or await credit.hold(
                customer.wallet_id, key, number > 0, amount
            )
        except DomainError as error:
            self.stats[error.code] += 1
            await asyncio.sleep(0.05 if isinstance(error, LedgerUnavailable | QuotaInUse) else 0.01)
            return
        await asyncio.sleep(rng.expovariate(1 / plan.call_seconds))
        if rng.random() < 0.05 and not plan.exact:
            credit.release(hold)
            return
        if plan.exact:
            cost = amount
        elif rng.random() < plan.excess_share:
            cost = self.outgrow(hold, rng.randint(1, 500))
        else:
            cost = rng.randint(0, amount)
        record = credit.settle(hold, customer.record(cost, key))
        os.write(self.answers, f"{record.request_id} {cost}\n".encode())
        self.stats["ok"] += 1

    def outgrow(self, hold: Hold, more: int) -> int:
        """A stream goes on beyond its hold: extended, else at the house's expense, else cut."""
        if self.credit.extend(hold, more):
            return hold.amount
        if self.credit.overdraw(hold, more):
            return hold.amount + more
        self.stats["cut"] += 1
        return hold.amount


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    faulthandler.register(signal.SIGUSR1)
    asyncio.run(Worker(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)).run())
