"""Alerts: told once per crossing, by mail and by signed webhook.

The figures are looked at in the books by a job, never on a call's way. An alert is armed; it fires when its figure has
crossed the threshold, and is armed again when the figure is well or the budget's next period begins. What is told
leaves in the transaction that marks it as told: mail through the outbox, webhooks through the deliveries.
"""

import logging
import secrets
import string
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, UnsetType

from airouter.domain.alert import AlertKind, shown
from airouter.domain.alert_errors import TooManyAlerts
from airouter.domain.errors import InvalidRequest, NotFound
from airouter.domain.ids import AccountId, UserId
from airouter.domain.permission import PERMISSIONS
from airouter.domain.policy import Display
from airouter.domain.quota import WALLET_MAX
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.jobs import Job, Jobs
from airouter.services.mailbox import Mailbox
from airouter.services.policies import policy_in_force
from airouter.services.vault import Vault
from airouter.services.webhook_deliveries import JOB as WEBHOOKS_JOB
from airouter.services.webhook_deliveries import PURPOSE, TABLE, WebhookDeliveries, checked_webhook_url
from airouter.storage import alerts as rows
from airouter.storage.alerts import AlertRow, DeliveryRow, FiredRow
from airouter.storage.database import Connection, Database
from airouter.world import new_id, now

logger = logging.getLogger(__name__)

JOB: Final = "alerts"
LOOK: Final = timedelta(seconds=5)
"""How often the figures are looked at."""
ALERTS_MAX: Final = 50
"""Per account."""
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how every secret begins is none
_ALPHABET: Final = string.ascii_letters + string.digits
_SECRET_LENGTH: Final = 40

Threshold = Annotated[int, Meta(ge=0, le=WALLET_MAX)]
Url = Annotated[str, Meta(min_length=1, max_length=2000, examples=["https://example.com/hooks/airouter"])]


class AlertDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`threshold` is quota for `low_balance`, percent (1 to 100) for the others."""

    kind: AlertKind
    threshold: Threshold
    to_mail: bool = True
    webhook_url: Url | None = None


class AlertChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays; null takes the address away."""

    threshold: Threshold | UnsetType = UNSET
    to_mail: bool | UnsetType = UNSET
    webhook_url: Url | UnsetType | None = UNSET
    is_enabled: bool | UnsetType = UNSET


class Hasty(Protocol):
    """Who can be told that work was left."""

    def hurry(self, name: str) -> None: ...


class Alerts:
    """An account's alerts, and the look at its figures."""

    def __init__(self, database: Database, vault: Vault, mailbox: Mailbox, jobs: Hasty) -> None:
        self._database = database
        self._vault = vault
        self._mailbox = mailbox
        self._jobs = jobs

    async def create(
        self, account_id: AccountId, user_id: UserId, draft: AlertDraft, alert_id: UUID, actor: Actor = SYSTEM
    ) -> tuple[AlertRow, str | None]:
        """The alert and, if it has an address, the secret that signs for it. The same id once more: without the secret.

        Raises:
            InvalidRequest. TooManyAlerts: the account has ALERTS_MAX.
        """
        _check(draft.kind, draft.threshold, to_mail=draft.to_mail, webhook_url=draft.webhook_url)
        secret = None if draft.webhook_url is None else _new_secret()
        url = draft.webhook_url and await checked_webhook_url(draft.webhook_url)
        async with self._database.transaction() as connection:
            if await rows.count_alerts(connection, account_id) >= ALERTS_MAX:
                raise TooManyAlerts(limit=ALERTS_MAX)
            is_new = await rows.insert_alert(
                connection,
                alert_id,
                account_id,
                kind=draft.kind,
                threshold=draft.threshold,
                to_mail=draft.to_mail,
                webhook_url=url,
                secret_sealed=None if secret is None else self._sealed(alert_id, secret),
                created_by=user_id,
            )
            alert = await _found(connection, alert_id, account_id)
            if is_new:
                await record(connection, actor, _act("alert.created", account_id, alert_id, after=_told(alert)))
        self._jobs.hurry(JOB)
        return alert, secret if is_new else None

    async def change(
        self, account_id: AccountId, alert_id: UUID, changes: AlertChanges, actor: Actor = SYSTEM
    ) -> tuple[AlertRow, str | None]:
        """The alert, armed anew, and the secret if it has got an address that it had not.

        Raises:
            NotFound, InvalidRequest
        """
        url = changes.webhook_url
        if url is not UNSET and url is not None:
            url = await checked_webhook_url(url)
        async with self._database.transaction() as connection:
            alert = await rows.lock_alert(connection, alert_id, account_id)
            if alert is None:
                raise NotFound
            given = {name: value for name, value in _given(changes).items() if value is not UNSET}
            changed = msgspec.structs.replace(alert, **given | ({} if url is UNSET else {"webhook_url": url}))
            _check(changed.kind, changed.threshold, to_mail=changed.to_mail, webhook_url=changed.webhook_url)
            is_first = changed.webhook_url is not None and alert.webhook_url is None
            secret = _new_secret() if is_first else None
            sealed = None if secret is None else self._sealed(alert_id, secret)
            await rows.change_alert(connection, changed, sealed)
            await rows.forget_firings_of(connection, alert_id)
            act = _act("alert.changed", account_id, alert_id, before=_told(alert), after=_told(changed))
            await record(connection, actor, act)
        self._jobs.hurry(JOB)
        return changed, secret

    async def rotate_secret(self, account_id: AccountId, alert_id: UUID, actor: Actor = SYSTEM) -> tuple[AlertRow, str]:
        """The alert and its new secret; what is sent from now on is signed with that.

        Raises:
            NotFound. InvalidRequest: it has no address.
        """
        secret = _new_secret()
        async with self._database.transaction() as connection:
            alert = await rows.lock_alert(connection, alert_id, account_id)
            if alert is None:
                raise NotFound
            if alert.webhook_url is None:
                raise InvalidRequest("webhook_url: this alert has no address.", field="webhook_url")
            await rows.change_alert(connection, alert, self._sealed(alert_id, secret))
            await record(connection, actor, _act("alert.secret_rotated", account_id, alert_id))
        return alert, secret

    async def delete(self, account_id: AccountId, alert_id: UUID, actor: Actor = SYSTEM) -> None:
        """With what it has yet to deliver. Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await rows.delete_alert(connection, alert_id, account_id):
                raise NotFound
            await record(connection, actor, _act("alert.deleted", account_id, alert_id))

    async def test(self, account_id: AccountId, alert_id: UUID) -> UUID | None:
        """Tell something on every way that the alert uses; the delivery, if one is a webhook. Raises NotFound."""
        async with self._database.transaction() as connection:
            alert = await rows.lock_alert(connection, alert_id, account_id)
            if alert is None:
                raise NotFound
            event = {"kind": alert.kind, "threshold": alert.threshold}
            if alert.to_mail:
                await self._mail(connection, account_id, "alert_test", {}, once=None)
            if alert.webhook_url is None:
                return None
            delivery_id = await _leave(connection, alert.alert_id, account_id, "alert.test", event)
        self._jobs.hurry(WEBHOOKS_JOB)
        return delivery_id

    async def deliveries(
        self, account_id: AccountId, *, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[DeliveryRow]:
        """Newest first, for a month."""
        async with self._database.connection() as connection:
            return await rows.deliveries_of(
                connection, account_id, after_time=after_time, after_id=after_id, limit=limit
            )

    async def look(self) -> int:
        """Tell every crossing that nobody was told about; how many there were."""
        async with self._database.connection() as connection:
            await rows.rearm_alerts(connection)  # on its own: nothing is held while others are waited for
        async with self._database.transaction() as connection:
            fired = await rows.fire_alerts(connection)
            display = await policy_in_force(connection, Display) if fired else Display()
            for crossing in fired:
                await self._tell(connection, crossing, display)
        if any(crossing.webhook_url for crossing in fired):
            self._jobs.hurry(WEBHOOKS_JOB)
        return len(fired)

    async def list(
        self, account_id: AccountId, *, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[AlertRow]:
        """Oldest first."""
        async with self._database.connection() as connection:
            return await rows.alerts_of(connection, account_id, after_time=after_time, after_id=after_id, limit=limit)

    async def _tell(self, connection: Connection, crossing: FiredRow, display: Display) -> None:
        logger.info("alert.fired", extra={"alert": str(crossing.alert_id), "subject": crossing.subject})
        if crossing.to_mail:
            letter = "low_balance" if crossing.kind == "low_balance" else "budget_reached"
            once = f"alert/{crossing.alert_id}/{crossing.subject}/{crossing.fired_at.timestamp()}"
            await self._mail(connection, crossing.account_id, letter, _facts(crossing, display), once=once)
        if crossing.webhook_url is not None:
            event = f"alert.{crossing.kind}"
            await _leave(connection, crossing.alert_id, crossing.account_id, event, _event(crossing))

    async def _mail(
        self, connection: Connection, account_id: AccountId, letter: str, facts: dict[str, str | int], once: str | None
    ) -> None:
        """To everybody who may see the account's alerts, in their language."""
        link = f"{self._mailbox.console_url}/console/settings?section=alerts"
        for reader in await rows.readers_of(connection, account_id, sorted(PERMISSIONS["alerts.read"].team_roles)):
            await self._mailbox.post(
                connection,
                to=reader.email,
                locale=reader.locale,
                letter=letter,
                facts={**facts, "link": link},
                once=once and f"{once}/{reader.email}",
            )

    def _sealed(self, alert_id: UUID, secret: str) -> bytes:
        return self._vault.encrypt(PURPOSE, TABLE, alert_id, secret)


def alert_jobs(jobs: Jobs, alerts: Alerts, deliveries: WebhookDeliveries) -> None:
    """The look at the figures, and the sending of webhooks."""
    jobs.add(Job(name=JOB, run=alerts.look, pause=LOOK))
    jobs.add(Job(name=WEBHOOKS_JOB, run=deliveries.deliver, pause=LOOK))


def _new_secret() -> str:
    return SECRET_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))


def _check(kind: AlertKind, threshold: int, *, to_mail: bool, webhook_url: str | None) -> None:
    if kind != "low_balance" and not 1 <= threshold <= 100:
        raise InvalidRequest("threshold: for a budget it is a percentage from 1 to 100.", field="threshold")
    if not to_mail and webhook_url is None:
        raise InvalidRequest("to_mail: an alert needs mail, a webhook, or both.", field="to_mail")


def _given(changes: AlertChanges) -> dict[str, Any]:
    return {"threshold": changes.threshold, "to_mail": changes.to_mail, "is_enabled": changes.is_enabled}


async def _found(connection: Connection, alert_id: UUID, account_id: AccountId) -> AlertRow:
    alert = await rows.find_alert(connection, alert_id, account_id)
    if alert is None:
        raise NotFound
    return alert


async def _leave(
    connection: Connection, alert_id: UUID, account_id: AccountId, event: str, data: dict[str, Any]
) -> UUID:
    """A webhook to be sent, its body fixed: every attempt says the same."""
    delivery_id = new_id()
    body = {
        "id": delivery_id,
        "type": event,
        "created_at": now(),
        "account_id": account_id,
        "alert_id": alert_id,
        "data": data,
    }
    told = msgspec.json.encode(body).decode()
    await rows.insert_delivery(connection, delivery_id, alert_id, account_id, event=event, body=told)
    return delivery_id


def _event(crossing: FiredRow) -> dict[str, Any]:
    """For a program: amounts in quota."""
    if crossing.kind == "low_balance":
        return {"threshold": crossing.threshold, "balance": crossing.figure}
    return {
        "threshold_percent": crossing.threshold,
        "period": crossing.period,
        "limit": crossing.quota_max,
        "spent": crossing.figure,
        "resets_at": crossing.resets_at,
        "key_id": crossing.key_id,
        "key_name": crossing.key_name,
        "user_id": crossing.user_id,
    }


def _facts(crossing: FiredRow, display: Display) -> dict[str, str | int]:
    """For a person: amounts as they are shown, times in the account's zone."""
    if crossing.kind == "low_balance":
        return {
            "account": crossing.account_name,
            "balance": shown(crossing.figure, display, crossing.currency),
            "threshold": shown(crossing.threshold, display, crossing.currency),
        }
    resets = "-"
    if crossing.resets_at is not None:
        resets = f"{crossing.resets_at.astimezone(ZoneInfo(crossing.time_zone)):%Y-%m-%d %H:%M} {crossing.time_zone}"
    return {
        "account": crossing.account_name,
        "whose": (crossing.key_name if crossing.key_id else crossing.user_email) or "",
        "spent": shown(crossing.figure, display, crossing.currency),
        "limit": shown(crossing.quota_max or 0, display, crossing.currency),
        "percent": crossing.figure * 100 // max(1, crossing.quota_max or 1),
        "resets": resets,
    }


def _act(action: str, account_id: AccountId, alert_id: UUID, *, before: Any = None, after: Any = None) -> Act:
    return Act(
        action=action,
        subject="alert",
        subject_id=str(alert_id),
        account_id=account_id,
        before=before,
        after=after,
    )


def _told(alert: AlertRow) -> dict[str, Any]:
    """What the audit log tells of an alert; of its address only where it lies, because a path may be a secret."""
    return {
        "kind": alert.kind,
        "threshold": alert.threshold,
        "to_mail": alert.to_mail,
        "webhook": alert.webhook_url and alert.webhook_url.split("?")[0].split("/")[2],
        "is_enabled": alert.is_enabled,
    }
