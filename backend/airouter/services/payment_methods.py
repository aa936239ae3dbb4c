"""Payment methods: what is sold through which processor. Their secrets go in and never come out again."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import UNSET

from airouter.domain.currency import exponent_of
from airouter.domain.errors import AlreadyExists, InUse, InvalidRequest, NotFound
from airouter.domain.quote import Terms, is_for, quote
from airouter.payments.contract import Access, AnyProcessor
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.payment_method_forms import (
    Fee,
    MethodChanges,
    MethodDraft,
    MethodView,
    NewSecrets,
    Off,
    ProcessorView,
    field_error,
)
from airouter.services.payment_secrets import PaymentSecrets, shown
from airouter.services.vault import SecretUnreadable, Vault
from airouter.storage import payment_methods as rows
from airouter.storage.database import Connection, Database
from airouter.storage.payment_methods import MethodRow, SecretRow
from airouter.world import now

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class OpenMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A method as orders use it. `access` has everything that its processor needs."""

    row: MethodRow
    processor: AnyProcessor
    access: Access[Any, Any]

    @property
    def terms(self) -> Terms:
        return terms_of(self.row)


def terms_of(row: MethodRow) -> Terms:
    """What a method sells for."""
    return Terms(
        currency=row.currency,
        exponent=exponent_of(row.currency) or 0,
        quota_per_minor_unit=row.quota_per_minor_unit,
        minimum=row.minimum,
        maximum=row.maximum,
        custom_amount=row.custom_amount,
        packages=row.packages,
        bonus_tiers=row.bonus_tiers,
        fee_fixed=row.fee_fixed,
        fee_micros=row.fee_micros,
    )


class PaymentMethods:
    """The owner's verbs, and what orders and webhooks ask for."""

    def __init__(
        self, database: Database, vault: Vault, processors: Mapping[str, AnyProcessor], *, public_url: str
    ) -> None:
        self._database = database
        self._secrets = PaymentSecrets(vault)
        self._processors = processors
        self._public_url = public_url

    def processors(self) -> list[ProcessorView]:
        """Those that a method can be made for."""
        return [
            ProcessorView(
                name=processor.name,
                has_webhook=processor.has_webhook,
                can_ask=processor.can_ask,
                can_refund=processor.can_refund,
                secrets=list(processor.secrets_type.__struct_fields__),
                config=msgspec.json.schema(processor.config_type),
            )
            for _, processor in sorted(self._processors.items())
        ]

    def notify_url(self, method_id: str) -> str:
        """The address of a method's webhook."""
        return f"{self._public_url}/api/v1/webhooks/{method_id}"

    async def all(self) -> list[MethodView]:
        """In the order in which buyers see them."""
        async with self._database.transaction(is_read_only=True) as connection:
            found = await rows.every_method(connection)
            secrets = await rows.secrets_of(connection, [row.method_id for row in found])
        return [self._view(row, secrets[row.method_id]) for row in found]

    async def get(self, method_id: str) -> MethodView:
        """Raises NotFound."""
        async with self._database.transaction(is_read_only=True) as connection:
            row = await rows.find_method(connection, method_id)
            if row is None:
                raise _unknown()
            return self._view(row, (await rows.secrets_of(connection, [method_id]))[method_id])

    async def create(self, draft: MethodDraft, actor: Actor = SYSTEM) -> MethodView:
        """A new method; without its secrets it is off until they are there.

        Raises:
            AlreadyExists: there is one of that id.
            InvalidRequest: something does not fit; `field` says where.
        """
        processor = self._processor(draft.processor)
        row = MethodRow(
            method_id=draft.id,
            processor=draft.processor,
            fee_fixed=draft.fee.fixed,
            fee_micros=draft.fee.micros,
            is_enabled=draft.enabled,
            created_at=now(),  # Postgres writes its own
            updated_at=now(),
            **{name: getattr(draft, name) for name in _SAME},
        )
        async with self._database.transaction() as connection:
            await self._check(connection, row, processor)
            try:
                stored = await rows.insert_method(connection, row)
            except asyncpg.UniqueViolationError:
                raise AlreadyExists("Another payment method has this id.", field="id") from None
            await self._enter(connection, stored, processor, draft.secrets, timedelta(0))
            return await self._told(connection, actor, "payment_method.created", None, stored, entered=draft.secrets)

    async def change(self, method_id: str, changes: MethodChanges, actor: Actor = SYSTEM) -> MethodView:
        """The method with these changes. Orders keep what they were promised.

        Raises:
            NotFound
            InUse: the currency of a method with open orders stays.
            InvalidRequest: something does not fit; `field` says where.
        """
        async with self._database.transaction() as connection:
            row = await rows.lock_method(connection, method_id)
            if row is None:
                raise _unknown()
            before = self._view(row, (await rows.secrets_of(connection, [method_id]))[method_id])
            processor = self._processor(row.processor)
            new = _merged(row, changes)
            if new.currency != row.currency and await rows.has_open_orders(connection, method_id):
                raise InUse("Orders of this method wait in its currency. Make another method.", field="currency")
            await self._check(connection, new, processor)
            stored = await rows.update_method(connection, new)
            secrets = changes.secrets if changes.secrets is not UNSET else {}
            hours = timedelta(hours=changes.previous_secret_hours)
            await self._enter(connection, stored, processor, secrets, hours)
            return await self._told(connection, actor, "payment_method.changed", before, stored, entered=secrets)

    async def delete(self, method_id: str, actor: Actor = SYSTEM) -> None:
        """Gone, its secrets too. Its orders stay.

        Raises:
            NotFound
            InUse: orders of it wait for something.
        """
        async with self._database.transaction() as connection:
            row = await rows.lock_method(connection, method_id)
            if row is None:
                raise _unknown()
            if await rows.has_open_orders(connection, method_id):
                raise InUse("Orders of this method are open. Switch it off, and delete it when they are decided.")
            before = self._view(row, (await rows.secrets_of(connection, [method_id]))[method_id])
            await rows.delete_method(connection, method_id)
            act = Act(action="payment_method.deleted", subject="payment_method", subject_id=method_id, before=before)
            await record(connection, actor, act)

    async def offered(self, group: str) -> list[OpenMethod]:
        """Methods that are on, for accounts of this group, in their order."""
        return [method for method in await self._on() if is_for(method.row.groups, group)]

    async def is_any_on(self) -> bool:
        """Whether any account could buy anything."""
        return bool(await self._on())

    async def open(self, method_id: str) -> OpenMethod | None:
        """A method that is on; None: unknown, disabled, or without its secrets."""
        method = await self.known(method_id)
        return method if method is not None and method.row.is_enabled else None

    async def known(self, method_id: str) -> OpenMethod | None:
        """The same, though it be disabled: of its orders one is still told, and they are asked about and refunded."""
        if _SLUG.fullmatch(method_id) is None:
            return None
        async with self._database.transaction(is_read_only=True) as connection:
            row = await rows.find_method(connection, method_id)
            if row is None:
                return None
            opened = self._open(row, (await rows.secrets_of(connection, [method_id]))[method_id])
        return opened if isinstance(opened, OpenMethod) else None

    async def _on(self) -> list[OpenMethod]:
        async with self._database.transaction(is_read_only=True) as connection:
            found = await rows.every_method(connection)
            secrets = await rows.secrets_of(connection, [row.method_id for row in found])
        opened = [self._open(row, secrets[row.method_id]) for row in found if row.is_enabled]
        return [method for method in opened if isinstance(method, OpenMethod)]

    def _open(self, row: MethodRow, secrets: list[SecretRow]) -> OpenMethod | Off:
        processor = self._processors.get(row.processor)
        if processor is None:
            return "processor_unknown"
        try:
            config = msgspec.convert(row.config, processor.config_type)
        except msgspec.ValidationError:
            return "config_invalid"
        try:
            accepted = self._secrets.accepted(processor, secrets)
        except SecretUnreadable:
            return "secrets_unreadable"
        if not accepted:
            return "secrets_missing"
        exponent = exponent_of(row.currency) or 0
        access = Access(config=config, secrets=accepted, currency=row.currency, exponent=exponent)
        return OpenMethod(row=row, processor=processor, access=access)

    async def _enter(
        self, connection: Connection, row: MethodRow, processor: AnyProcessor, secrets: NewSecrets, hours: timedelta
    ) -> None:
        whole = await self._secrets.enter(connection, row.method_id, processor, secrets, hours)
        if whole is not None:
            self._objection(row, processor, (whole,))

    async def _check(self, connection: Connection, row: MethodRow, processor: AnyProcessor) -> None:
        if exponent_of(row.currency) is None:
            raise InvalidRequest(f"currency: {row.currency!r} is no currency of ISO 4217.", field="currency")
        if row.maximum is not None and row.maximum < (row.minimum or 1):
            raise InvalidRequest("maximum: this is below the minimum.", field="maximum")
        if not row.custom_amount and not row.packages:
            raise InvalidRequest("packages: without custom amounts there must be one.", field="packages")
        ids = [package.id for package in row.packages]
        tiered = sorted({group for tier in row.bonus_tiers for group in tier.groups or ()})
        for number, package in enumerate(row.packages):
            if package.id in ids[:number]:
                raise InvalidRequest(f"packages: {package.id!r} stands twice.", field=f"packages[{number}].id")
            for group in package.groups or ("", *tiered):  # what cannot be sold is refused here, not at the till
                quote(terms_of(row), group, package_id=package.id)
        named = {
            *(row.groups or ()),
            *(group for part in (*row.packages, *row.bonus_tiers) for group in part.groups or ()),
        }
        unknown = named - await rows.known_groups(connection, sorted(named))
        if unknown:
            raise InvalidRequest(f"groups: there is no group {min(unknown)!r}.", field="groups")
        try:
            msgspec.convert(row.config, processor.config_type)
        except msgspec.ValidationError as error:
            raise field_error(error, "config") from None
        self._objection(row, processor, ())

    def _objection(self, row: MethodRow, processor: AnyProcessor, secrets: tuple[Any, ...]) -> None:
        config = msgspec.convert(row.config, processor.config_type)
        exponent = exponent_of(row.currency) or 0
        access = Access(config=config, secrets=secrets, currency=row.currency, exponent=exponent)
        words = processor.objection(access)
        if words is not None:
            raise InvalidRequest(words, field="config")

    def _processor(self, name: str) -> AnyProcessor:
        if name not in self._processors:
            known = ", ".join(sorted(self._processors))
            raise InvalidRequest(f"processor: {name!r} is not known here; known are {known}.", field="processor")
        return self._processors[name]

    async def _told(
        self,
        connection: Connection,
        actor: Actor,
        action: str,
        before: MethodView | None,
        row: MethodRow,
        *,
        entered: NewSecrets,
    ) -> MethodView:
        """The audit log hears which secrets were entered, and nothing of them."""
        after = self._view(row, (await rows.secrets_of(connection, [row.method_id]))[row.method_id])
        told = {**msgspec.to_builtins(after), "entered": sorted(entered)}
        act = Act(action=action, subject="payment_method", subject_id=row.method_id, before=before, after=told)
        await record(connection, actor, act)
        return after

    def _view(self, row: MethodRow, secrets: list[SecretRow]) -> MethodView:
        opened = self._open(row, secrets)
        off: Off | None = None if isinstance(opened, OpenMethod) else opened
        processor = self._processors.get(row.processor)
        return MethodView(
            id=row.method_id,
            exponent=exponent_of(row.currency) or 0,
            fee=Fee(fixed=row.fee_fixed, micros=row.fee_micros),
            secrets=shown(processor, secrets),
            enabled=row.is_enabled,
            off_because=off if row.is_enabled else "disabled",
            webhook_url=self.notify_url(row.method_id) if processor and processor.has_webhook else None,
            created_at=row.created_at,
            updated_at=row.updated_at,
            processor=row.processor,
            packages=list(row.packages),
            bonus_tiers=list(row.bonus_tiers),
            groups=None if row.groups is None else list(row.groups),
            **{name: getattr(row, name) for name in _SAME if name not in {"packages", "bonus_tiers", "groups"}},
        )


_SAME: Final = (
    "label",
    "text",
    "currency",
    "quota_per_minor_unit",
    "minimum",
    "maximum",
    "custom_amount",
    "packages",
    "bonus_tiers",
    "groups",
    "order_minutes",
    "config",
    "position",
)
"""What has one name in a draft, in a row and in what is shown."""


def _merged(row: MethodRow, changes: MethodChanges) -> MethodRow:
    given = {name: value for name in _SAME if (value := getattr(changes, name)) is not UNSET}
    if changes.fee is not UNSET:
        given |= {"fee_fixed": changes.fee.fixed, "fee_micros": changes.fee.micros}
    if changes.enabled is not UNSET:
        given["is_enabled"] = changes.enabled
    return msgspec.structs.replace(row, **given)


def _unknown() -> NotFound:
    return NotFound("There is no such payment method.")
