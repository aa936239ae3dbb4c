"""Alerts of an account, and how its webhooks went."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from airouter.api.callers import AccountHolder
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import Paging, cursor_of
from airouter.domain.alert import AlertKind, DeliveryState
from airouter.services.alerts import AlertChanges, AlertDraft, Alerts
from airouter.services.audit_log import Actor
from airouter.storage.alerts import AlertRow


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """`threshold` is quota for `low_balance`, percent for the others. `fired_at`: it was told, and still holds."""

    id: UUID
    kind: AlertKind
    threshold: int
    to_mail: bool
    webhook_url: str | None
    is_enabled: bool
    created_at: datetime
    fired_at: datetime | None


class AlertWithSecret(AlertView, frozen=True, kw_only=True):
    """`secret` signs the webhooks and is shown only now; null when there is nothing new to show."""

    secret: str | None


class AlertList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[AlertView]
    next_cursor: str | None


class AlertTest(msgspec.Struct, frozen=True, kw_only=True):
    """The webhook that is on its way; null: the alert has none."""

    delivery_id: UUID | None


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is the receiver's last answer, `error` why the last attempt failed, `due_at` when the next one is."""

    id: UUID
    alert_id: UUID
    event: str
    state: DeliveryState
    attempts: int
    status: int | None
    error: str | None
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None


class DeliveryList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[DeliveryView]
    next_cursor: str | None


class AlertsController(Controller):
    """Below /alerts."""

    path = "/alerts"
    tags = ("Alerts",)

    @post(
        "/",
        operation_id="createAlert",
        permission="alerts.write",
        summary="Be told of a low balance or of a budget that is nearly spent",
        responses=refusals(401, 403, 404, 409, 422),
        opt={"secret_fields": ("secret",)},
    )
    async def create(
        self,
        *,
        data: JSONBody[AlertDraft],
        holder: NamedDependency[AccountHolder],
        alerts: NamedDependency[Alerts],
        new_id: NamedDependency[NewId],
        actor: NamedDependency[Actor],
    ) -> AlertWithSecret:
        """Told once per crossing, by mail to those who may see alerts, by a signed webhook, or both."""
        alert, secret = await alerts.create(holder.account_id, holder.user_id, data, new_id.value, actor)
        return _with_secret(alert, secret)

    @get(
        "/",
        operation_id="listAlerts",
        permission="alerts.read",
        summary="The account's alerts",
        responses=refusals(401, 403, 404, 422),
    )
    async def list_alerts(
        self, holder: NamedDependency[AccountHolder], paging: NamedDependency[Paging], alerts: NamedDependency[Alerts]
    ) -> AlertList:
        rows = await alerts.list(
            holder.account_id, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(rows)
        return AlertList(
            items=[_view(alert) for alert in shown], next_cursor=last and cursor_of(last.created_at, last.alert_id)
        )

    @patch(
        "/{alert_id:uuid}",
        operation_id="updateAlert",
        permission="alerts.write",
        summary="Change an alert; it is armed anew",
        responses=refusals(401, 403, 404, 422),
        opt={"secret_fields": ("secret",)},
    )
    async def update(
        self,
        *,
        alert_id: FromPath[UUID],
        data: JSONBody[AlertChanges],
        holder: NamedDependency[AccountHolder],
        alerts: NamedDependency[Alerts],
        actor: NamedDependency[Actor],
    ) -> AlertWithSecret:
        return _with_secret(*await alerts.change(holder.account_id, alert_id, data, actor))

    @delete(
        "/{alert_id:uuid}",
        operation_id="deleteAlert",
        permission="alerts.write",
        summary="Delete an alert, and what it has yet to deliver",
        responses=refusals(401, 403, 404),
    )
    async def delete_alert(
        self,
        alert_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        alerts: NamedDependency[Alerts],
        actor: NamedDependency[Actor],
    ) -> None:
        await alerts.delete(holder.account_id, alert_id, actor)

    @post(
        "/{alert_id:uuid}/rotate-secret",
        operation_id="rotateAlertSecret",
        permission="alerts.write",
        summary="Sign an alert's webhooks with a new secret, shown only now",
        status_code=200,
        responses=refusals(401, 403, 404, 422),
        opt={"secret_fields": ("secret",)},
    )
    async def rotate_secret(
        self,
        alert_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        alerts: NamedDependency[Alerts],
        actor: NamedDependency[Actor],
    ) -> AlertWithSecret:
        return _with_secret(*await alerts.rotate_secret(holder.account_id, alert_id, actor))

    @post(
        "/{alert_id:uuid}/test",
        operation_id="testAlert",
        permission="alerts.write",
        summary="Try out every way that an alert uses",
        status_code=200,
        responses=refusals(401, 403, 404),
    )
    async def test(
        self, alert_id: FromPath[UUID], holder: NamedDependency[AccountHolder], alerts: NamedDependency[Alerts]
    ) -> AlertTest:
        return AlertTest(delivery_id=await alerts.test(holder.account_id, alert_id))

    @get(
        "/deliveries",
        operation_id="listAlertDeliveries",
        permission="alerts.read",
        summary="How the account's webhooks went, newest first",
        responses=refusals(401, 403, 404, 422),
    )
    async def deliveries(
        self, holder: NamedDependency[AccountHolder], paging: NamedDependency[Paging], alerts: NamedDependency[Alerts]
    ) -> DeliveryList:
        rows = await alerts.deliveries(
            holder.account_id, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(rows)
        return DeliveryList(
            items=[
                DeliveryView(
                    id=row.delivery_id,
                    alert_id=row.alert_id,
                    event=row.event,
                    state=row.state,
                    attempts=row.attempts,
                    status=row.status,
                    error=row.error,
                    created_at=row.created_at,
                    due_at=row.due_at,
                    ended_at=row.ended_at,
                )
                for row in shown
            ],
            next_cursor=last and cursor_of(last.created_at, last.delivery_id),
        )


def _view(alert: AlertRow) -> AlertView:
    return AlertView(
        id=alert.alert_id,
        kind=alert.kind,
        threshold=alert.threshold,
        to_mail=alert.to_mail,
        webhook_url=alert.webhook_url,
        is_enabled=alert.is_enabled,
        created_at=alert.created_at,
        fired_at=alert.fired_at,
    )


def _with_secret(alert: AlertRow, secret: str | None) -> AlertWithSecret:
    return AlertWithSecret(**msgspec.structs.asdict(_view(alert)), secret=secret)
