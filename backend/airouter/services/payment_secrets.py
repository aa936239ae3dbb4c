"""The secrets of payment methods: they go in encrypted, are opened for a processor alone, and never come out again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.payments.contract import AnyProcessor
from airouter.services.payment_method_forms import NewSecrets, SecretView, field_error
from airouter.services.vault import Vault
from airouter.storage import payment_methods as rows
from airouter.storage.database import Connection
from airouter.storage.payment_methods import SecretRow
from airouter.world import now

_PURPOSE: Final = "payment-secret"
_TABLE: Final = "payment_secrets"


class PaymentSecrets:
    """What a processor's `secrets_type` is filled from."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def accepted(self, processor: AnyProcessor, secrets: Sequence[SecretRow]) -> tuple[Any, ...]:
        """The current secrets first, then with each one that was replaced and still counts. Empty: one is missing.

        Raises:
            SecretUnreadable
        """
        current = {one.field: self._opened(one, one.ciphertext) for one in secrets}
        older = [
            {**current, one.field: self._opened(one, one.previous)}
            for one in secrets
            if one.previous is not None and (one.previous_accepted_until or now()) > now()
        ]
        try:
            return tuple(msgspec.convert(values, processor.secrets_type) for values in (current, *older))
        except msgspec.ValidationError:
            return ()

    async def enter(
        self, connection: Connection, method_id: str, processor: AnyProcessor, secrets: NewSecrets, hours: timedelta
    ) -> Any | None:
        """Keep these; what they replace is accepted for `hours` more. Answers them whole; None: some are missing still.

        Raises:
            InvalidRequest: something does not fit; `field` says where.
        """
        known = processor.secrets_type.__struct_fields__
        for field, secret in secrets.items():
            if field not in known:
                raise InvalidRequest(f"secrets.{field}: this processor has no such secret.", field=f"secrets.{field}")
            if secret is None:
                await rows.delete_secret(connection, method_id, field)
                continue
            if not secret.strip():
                raise InvalidRequest(f"secrets.{field}: this is empty.", field=f"secrets.{field}")
            blob = self._vault.encrypt(_PURPOSE, _TABLE, f"{method_id}/{field}", secret.strip())
            await rows.put_secret(connection, method_id, field, blob, hours)
        kept = (await rows.secrets_of(connection, [method_id]))[method_id]
        values = {one.field: self._opened(one, one.ciphertext) for one in kept}
        if not _required(processor) <= values.keys():
            return None
        try:
            return msgspec.convert(values, processor.secrets_type)
        except msgspec.ValidationError as error:
            raise field_error(error, "secrets") from None

    def _opened(self, one: SecretRow, ciphertext: bytes) -> str:
        return self._vault.decrypt(_PURPOSE, _TABLE, f"{one.method_id}/{one.field}", ciphertext)


def shown(processor: AnyProcessor | None, secrets: Sequence[SecretRow]) -> list[SecretView]:
    """What may be known of each that the processor has; of a processor that is gone, of each that is there."""
    by_field = {one.field: one for one in secrets}
    fields = processor.secrets_type.__struct_fields__ if processor else tuple(by_field)
    required = _required(processor) if processor else frozenset[str]()
    return [_shown(field, by_field.get(field), is_required=field in required) for field in fields]


def _shown(field: str, row: SecretRow | None, *, is_required: bool) -> SecretView:
    until = row.previous_accepted_until if row is not None else None
    return SecretView(
        field=field,
        is_required=is_required,
        is_set=row is not None,
        set_at=row.set_at if row is not None else None,
        previous_accepted_until=until if until is not None and until > now() else None,
    )


def _required(processor: AnyProcessor) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(processor.secrets_type) if field.required)
