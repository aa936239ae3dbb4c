"""Alerts: once per crossing whoever looks, and webhooks that prove where they come from and reach nothing internal."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from airouter.domain import alert as alerts_of_domain
from airouter.domain.alert import PAUSES, pause_after, shown
from airouter.domain.errors import Conflict, InvalidRequest
from airouter.domain.ids import AccountId, UserId
from airouter.domain.policy import Display
from airouter.services import webhook_deliveries
from airouter.services.alerts import ALERTS_MAX, AlertChanges, AlertDraft, Alerts
from airouter.services.budgets import Budget, Budgets
from airouter.services.mailbox import Mailbox
from airouter.services.vault import Vault
from airouter.services.wallets import Wallets
from airouter.services.webhook_deliveries import WebhookDeliveries, checked_webhook_url
from airouter.storage.database import Database
from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.guarded import guarded_client
from airouter.world import new_id
from tests.builders import run_sql
from tests.customers import Customer, customer
from tests.patience import PATIENCE_SECONDS
from tests.upstream.server import Line, Upstream, running


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver is waited for, and not tried again, as long as a slow machine takes."""
    monkeypatch.setattr(webhook_deliveries, "_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(alerts_of_domain, "PAUSES", (timedelta(minutes=10), *PAUSES[1:]))


class Key(msgspec.Struct, frozen=True):
    id: str = "test"
    material: bytes = b"k" * 32


class Office:
    """Keeps what is posted: enough to be a mailbox that is configured."""

    keeps_letters = True


class NoHurry:
    def hurry(self, name: str) -> None:
        del name


async def local(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


FRIENDLY = AddressGuard(AddressClass.OPERATOR, AddressPolicy(private_allowed=True), local)
VAULT = Vault([Key()])


@asynccontextmanager
async def house(dsn: str, guard: AddressGuard = FRIENDLY) -> AsyncIterator[tuple[Alerts, WebhookDeliveries, Database]]:
    database = await Database.open(dsn, size_max=5)
    mailbox = Mailbox(database, VAULT, Office(), "https://console.test")  # type: ignore[arg-type]
    try:
        async with guarded_client(guard) as http:
            yield Alerts(database, VAULT, mailbox, NoHurry()), WebhookDeliveries(database, VAULT, http), database
    finally:
        await database.close()


async def thanks(line: Line) -> None:
    await line.json(b"{}")


async def made(
    alerts: Alerts, who: Customer, kind: str = "low_balance", threshold: int = 500, url: str | None = None
) -> tuple[Any, str | None]:
    draft = msgspec.convert({"kind": kind, "threshold": threshold, "webhook_url": url}, AlertDraft)
    return await alerts.create(AccountId(who.account_id), UserId(who.user_id), draft, new_id())


async def mails(dsn: str) -> list[str]:
    return [row["letter"] for row in await run_sql(dsn, "SELECT letter FROM mails ORDER BY mail_id")]


async def take(database: Database, who: Customer, amount: int) -> None:
    """The balance falls."""
    await Wallets(database).adjust(who.account_id, -amount, reason="test", reference=str(new_id()), made_by=who.user_id)


async def give(database: Database, who: Customer, amount: int) -> None:
    await Wallets(database).grant(who.account_id, amount, reference=str(new_id()))


async def test_a_low_balance_is_told_once_per_crossing(database: str) -> None:
    who = await customer(database, 1_000)
    async with house(database) as (alerts, _, rows):
        await made(alerts, who)
        assert await alerts.look() == 0
        await take(rows, who, 600)
        assert [await alerts.look(), await alerts.look()] == [1, 0]
        await take(rows, who, 100)
        assert await alerts.look() == 0
        await give(rows, who, 200)
        assert await alerts.look() == 0  # well again, and armed
        await take(rows, who, 10)
        assert await alerts.look() == 1
    assert await mails(database) == ["low_balance", "low_balance"]


async def test_two_processes_that_look_at_once_tell_once(database: str) -> None:
    who = await customer(database, 100)
    async with house(database) as (one, _, _a), house(database) as (two, _, _b):
        await made(one, who)
        told = await asyncio.gather(*(alerts.look() for alerts in (one, two) * 5))
    assert sum(told) == 1
    assert await mails(database) == ["low_balance"]


async def test_a_budget_is_told_again_in_its_next_period(database: str) -> None:
    who = await customer(database, 10_000)
    async with house(database) as (alerts, _, rows):
        await Budgets(rows).set_member(who.account_id, who.user_id, [Budget(period="day", limit=1_000)])
        await made(alerts, who, "member_budget", 80)
        await made(alerts, who, "key_budget", 80)
        await run_sql(database, "UPDATE budgets SET spent = 799")
        assert await alerts.look() == 0
        await run_sql(database, "UPDATE budgets SET spent = 800")
        assert [await alerts.look(), await alerts.look()] == [1, 0]
        await run_sql(database, "UPDATE budgets SET window_start = window_start + interval '1 day', window_end = now()")
        assert await alerts.look() == 0  # nobody has called in the new period
        await run_sql(database, "UPDATE budgets SET window_end = now() + interval '1 day', spent = 900")
        assert await alerts.look() == 1
        await run_sql(database, "UPDATE budgets SET spent = 0")
    assert await mails(database) == ["budget_reached", "budget_reached"]


async def test_a_keys_spend_limit_is_a_budget_too(database: str) -> None:
    who = await customer(database, 10_000, [100])
    async with house(database) as (alerts, _, _rows):
        await made(alerts, who, "key_budget", 50)
        await run_sql(database, "UPDATE keys SET spent = 50 WHERE spend_limit = 100")
        assert [await alerts.look(), await alerts.look()] == [1, 0]
        await run_sql(database, "UPDATE keys SET spent = 0")


async def test_a_webhook_is_signed_over_its_time_and_body(database: str) -> None:
    who = await customer(database, 100)
    async with running(thanks) as server, house(database) as (alerts, deliveries, _):
        alert, secret = await made(alerts, who, url=f"http://hooks.test:{server.port}/x?y=1")
        assert secret is not None
        assert secret.startswith("whsec_")
        stored = await run_sql(database, "SELECT alerts::text AS all FROM alerts")
        assert secret not in stored[0]["all"]
        assert await alerts.look() == 1
        await asyncio.gather(deliveries.deliver(), deliveries.deliver())
        assert len(server.received) == 1
        arrived = server.received[0]
        assert arrived.line.startswith("POST /x?y=1 ")
        parts = dict(part.split("=", 1) for part in arrived.headers["x-airouter-signature"].split(","))
        expected = hmac.new(secret.encode(), f"{parts['t']}.".encode() + arrived.body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(parts["v1"], expected)
        assert abs(int(parts["t"]) - datetime.now(UTC).timestamp()) < 600
        body = json.loads(arrived.body)
        assert (body["type"], body["data"]) == ("alert.low_balance", {"threshold": 500, "balance": 100})
        assert body["id"] == arrived.headers["x-airouter-delivery"]
        log = await alerts.deliveries(who.account_id, after_time=None, after_id=None, limit=10)
        assert [(row.state, row.status, row.attempts) for row in log] == [("delivered", 200, 1)]
        _, renewed = await alerts.rotate_secret(who.account_id, alert.alert_id)
        assert renewed != secret
        await alerts.test(who.account_id, alert.alert_id)
        await deliveries.deliver()
        again = server.received[1]
        moment = dict(part.split("=", 1) for part in again.headers["x-airouter-signature"].split(","))
        signed = hmac.new(renewed.encode(), f"{moment['t']}.".encode() + again.body, hashlib.sha256).hexdigest()
        assert moment["v1"] == signed


async def test_a_failing_receiver_is_tried_again_with_the_same_words_and_given_up_after_a_day(database: str) -> None:
    who = await customer(database, 100)

    async def broken(line: Line) -> None:
        await line.raw(b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n")

    async with running(broken) as server, house(database) as (alerts, deliveries, _):
        await made(alerts, who, url=f"http://hooks.test:{server.port}/")
        await alerts.look()
        for attempt in range(len(PAUSES) + 1):
            await deliveries.deliver()
            assert len(server.received) == attempt + 1
            await deliveries.deliver()
            assert len(server.received) == attempt + 1, "not before its time"
            await run_sql(database, "UPDATE alert_deliveries SET due_at = now()")
        await deliveries.deliver()
        assert len({received.body for received in server.received}) == 1
        log = await alerts.deliveries(who.account_id, after_time=None, after_id=None, limit=10)
        assert [(row.state, row.status, row.error) for row in log] == [("failed", 500, "the receiver answered 500")]
    assert pause_after(len(PAUSES) + 1) is None


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1", "169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fe80::1"],
    ],
)
async def test_a_name_that_leads_inside_is_never_connected_to(database: str, addresses: list[str]) -> None:
    """A name may lead elsewhere each time it is asked for: what counts is the address that is connected to."""
    who = await customer(database, 100)

    async def rebound(_host: str, _port: int) -> Sequence[str]:
        return addresses

    async with running(thanks) as server:
        strict = AddressGuard(AddressClass.PUBLIC, AddressPolicy(private_allowed=True), rebound)
        async with house(database, strict) as (alerts, deliveries, _):
            await made(alerts, who, url=f"http://hooks.test:{server.port}/")
            await alerts.look()
            await deliveries.deliver()
            log = await alerts.deliveries(who.account_id, after_time=None, after_id=None, limit=10)
        assert (log[0].state, log[0].status) == ("pending", None)
        assert "may be connected to" in str(log[0].error)
        assert server.accepted == 0


async def test_a_redirect_is_a_failure_and_leads_nowhere(database: str) -> None:
    who = await customer(database, 100)
    async with running(thanks) as inside:

        async def elsewhere(line: Line) -> None:
            await line.raw(
                b"HTTP/1.1 307 Go\r\nlocation: http://in.test:%d/\r\ncontent-length: 0\r\n\r\n" % inside.port
            )

        async with running(elsewhere) as server, house(database) as (alerts, deliveries, _):
            await made(alerts, who, url=f"http://hooks.test:{server.port}/")
            await alerts.look()
            await deliveries.deliver()
            log = await alerts.deliveries(who.account_id, after_time=None, after_id=None, limit=10)
        assert log[0].status == 307
        assert (len(server.received), inside.accepted) == (1, 0)


async def test_of_a_long_answer_little_is_read(database: str) -> None:
    who = await customer(database, 100)

    async def endless(line: Line) -> None:
        await line.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n")
        for _ in range(1_000):
            await line.raw(b"x" * 100_000)

    async def checked(server: Upstream) -> None:
        async with house(database) as (alerts, deliveries, _):
            await made(alerts, who, url=f"http://hooks.test:{server.port}/")
            await alerts.look()
            await deliveries.deliver()
            log = await alerts.deliveries(who.account_id, after_time=None, after_id=None, limit=10)
        assert (log[0].state, log[0].status) == ("delivered", 200)

    async with running(endless) as server:
        await checked(server)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "http://", "https://user:pass@example.com/", "http://127.0.0.1/", "http://2130706433/",
        "http://0x7f.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data/",
        "http://10.1.2.3:8080/", "http://example.com:99999/", "http://exa mple.com/", "http://0/",
    ],
)  # fmt: skip
async def test_an_address_that_cannot_be_called_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidRequest):
        await checked_webhook_url(url)


async def test_an_ordinary_address_is_taken_as_it_is() -> None:
    assert await checked_webhook_url("https://example.com:8443/a?b=c") == "https://example.com:8443/a?b=c"


async def test_an_alert_that_tells_nobody_or_means_nothing_is_refused(database: str) -> None:
    who = await customer(database, 0)
    async with house(database) as (alerts, _, _rows):
        with pytest.raises(InvalidRequest, match="percentage"):
            await made(alerts, who, "key_budget", 101)
        alert, _ = await made(alerts, who)
        with pytest.raises(InvalidRequest, match="mail, a webhook, or both"):
            await alerts.change(who.account_id, alert.alert_id, AlertChanges(to_mail=False))


async def test_an_account_has_only_so_many_alerts(database: str) -> None:
    who = await customer(database, 0)
    async with house(database) as (alerts, _, _rows):
        done = await asyncio.gather(*(made(alerts, who) for _ in range(ALERTS_MAX + 3)), return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in done) == 3
    assert (await run_sql(database, "SELECT count(*) AS n FROM alerts"))[0]["n"] == ALERTS_MAX


def test_an_amount_is_shown_as_the_operator_says() -> None:
    assert shown(12_345_678_901, Display(), "USD") == "12.35 USD"
    assert shown(-5_000_000, Display(symbol="¥", decimals=2), "CNY") == "¥-0.01"
    assert shown(2_000_000_000, Display(factor_micros=7_100_000, decimals=0), "USD") == "14 USD"
