"""Writing usage records and their transfers, a batch at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from airouter.domain.ids import KeyId, RequestId, TransferId, UserId, WalletId
from airouter.domain.ledger import UsageTransferKind
from airouter.domain.usage import UsageRecord
from airouter.storage.database import Connection
from airouter.storage.queries import load

QUERIES = load("usage_writes")

_INTEGER_MAX: Final = 2**31 - 1
_encode = msgspec.json.Encoder().encode


class UsageTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """The payment of all records of one wallet in one sync, or (`overrun`) of what the operator bears in it."""

    transfer_id: TransferId
    kind: UsageTransferKind
    reference: str
    debit_wallet: WalletId
    credit_wallet: WalletId
    amount: int
    debit_balance: int | None = None


async def insert_transfers(connection: Connection, transfers: Sequence[UsageTransfer]) -> None:
    """Dated by the transaction."""
    columns = zip(
        *(
            (t.transfer_id, t.kind, t.reference, t.debit_wallet, t.credit_wallet, t.amount, t.debit_balance)
            for t in transfers
        ),
        strict=True,
    )
    await connection.execute(QUERIES.insert_usage_transfers, *map(list, columns))


async def insert_usage(
    connection: Connection,
    records: Sequence[UsageRecord],
    charges: Sequence[int],
    transfers: dict[WalletId, TransferId],
    users: Mapping[KeyId, UserId],
) -> None:
    """`charges` beside `records`; a record that was charged anything belongs to the transfer of its wallet, and each to
    who is responsible for its key now: whose budget paid for it.
    """
    rows = [
        (*_row(record, charged, transfers.get(record.wallet_id) if charged else None), users.get(record.key_id))
        for record, charged in zip(records, charges, strict=True)
    ]
    await connection.execute(QUERIES.insert_usage, *map(list, zip(*rows, strict=True)))


def _row(record: UsageRecord, charged: int, transfer_id: TransferId | None) -> tuple[object, ...]:
    latency, first_token = record.latency_ms, record.first_token_ms
    return (
        record.created_at,
        record.request_id,
        record.account_id,
        record.wallet_id,
        record.key_id,
        transfer_id,
        record.model,
        record.endpoint,
        record.status,
        record.usage_source,
        _encode(record.quantities).decode(),
        record.rate_card_id,
        record.multiplier_micros,
        record.group,
        record.service_tier and _text(record.service_tier),
        record.cost,
        charged,
        record.channel_id,
        record.upstream_model and _text(record.upstream_model),
        record.client_request_id and _text(record.client_request_id),
        record.is_streaming,
        min(latency, _INTEGER_MAX),
        first_token if first_token is None else min(first_token, _INTEGER_MAX),
        record.error and _text(record.error),
        "{" + ",".join(record.unpriced) + "}" if record.unpriced else "{}",
        _attempts(record) if record.attempts else "[]",
        record.provider_cost,
        record.requested_model and _text(record.requested_model),
    )


def _text(value: str) -> str:
    """Postgres' text holds everything but the zero character, which an upstream may have sent."""
    return value.replace("\x00", "") if "\x00" in value else value


def _attempts(record: UsageRecord) -> str:
    encoded = _encode(record.attempts)
    if b"\\u0000" in encoded:
        clean = [
            msgspec.structs.replace(a, reason=a.reason and _text(a.reason), channel=_text(a.channel))
            for a in record.attempts
        ]
        encoded = _encode(clean)
    return encoded.decode()


async def known_requests(connection: Connection, records: Sequence[UsageRecord]) -> set[RequestId]:
    """Which of these records stand in Postgres already."""
    if not records:
        return set()
    times: list[datetime] = [record.created_at for record in records]
    ids: list[UUID] = [record.request_id for record in records]
    return {RequestId(row["request_id"]) for row in await connection.fetch(QUERIES.known_requests, times, ids)}
