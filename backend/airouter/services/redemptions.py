"""Redeeming codes, and making them. Codes are stored as keyed hashes; they are shown once, when they are made."""

import os
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from airouter.domain import redemption
from airouter.domain.errors import (
    CodeAlreadyRedeemed,
    CodeUnknown,
    InvalidRequest,
    NotFound,
    RedemptionDisabled,
)
from airouter.domain.ids import AccountId, BatchId, CodeId, UserId, WalletId
from airouter.domain.policy import TopUp
from airouter.domain.quota import WALLET_MAX
from airouter.services.attempts import Attempts, Budget, neighbourhood
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.policies import policy_in_force
from airouter.services.vault import Vault
from airouter.services.wallets import credit
from airouter.storage import groups
from airouter.storage import redemptions as rows
from airouter.storage.database import Connection, Database
from airouter.storage.redemptions import BatchRow, Filters, NewBatch, NewCode, RedemptionRow
from airouter.world import new_id, now

BY_USER: Final = Budget(scope="code.user", failures_max=10, window=timedelta(minutes=15))
BY_ADDRESS: Final = Budget(scope="code.address", failures_max=200, window=timedelta(minutes=15))
_PURPOSE: Final = "redemption-code"
_HINT_LENGTH: Final = 4


class Redeemer(msgspec.Struct, frozen=True, kw_only=True):
    """Who redeems, for which account, from where."""

    account_id: AccountId
    wallet_id: WalletId
    account_group: str
    user_id: UserId
    address: str


class Redeemed(msgspec.Struct, frozen=True, kw_only=True):
    """What was credited, and the balance after it."""

    amount: int
    balance: int


class BatchDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Codes to be. `amount` is quota per use. `groups` null: accounts of every group."""

    name: Annotated[str, Meta(min_length=1, max_length=120, examples=["Spring workshop"])]
    amount: Annotated[int, Meta(ge=1, le=WALLET_MAX, description="Quota per use", examples=[5_000_000_000])]
    count: Annotated[int, Meta(ge=1, le=10_000, examples=[50])]
    expires_at: datetime | None = None
    uses_per_code: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    uses_per_account: Annotated[int, Meta(ge=1, le=1000)] = 1
    groups: Annotated[list[str], Meta(min_length=1, max_length=1000)] | None = None
    code: Annotated[str, Meta(max_length=64, examples=["SPRING-2026"])] | None = None
    """A campaign code in words of one's own, instead of codes drawn at random; `count` is 1 and `expires_at` is set."""


class Redemptions:
    """The account holder's verb, and the operator's."""

    def __init__(self, database: Database, vault: Vault, attempts: Attempts) -> None:
        self._database = database
        self._vault = vault
        self._attempts = attempts

    async def is_enabled(self) -> bool:
        """Whether codes are redeemed here at the moment."""
        async with self._database.connection() as connection:
            return (await policy_in_force(connection, TopUp)).redemption_enabled

    async def redeem(self, who: Redeemer, typed: str) -> Redeemed:
        """Credits a code, in one transaction: the use, the transfer and the balance, or nothing.

        Raises:
            CodeUnknown: `is_mistyped` when its checksum says so, which needs no look-up and counts as no guess.
            CodeAlreadyRedeemed (`by_you`), CodeUsesExhausted, CodeExpired, CodeRevoked, CodeNotForGroup,
            RedemptionDisabled
            AmountTooLarge: the wallet cannot hold that much more.
            TooManyAttempts: too many unknown codes by this person or from this network.
        """
        if redemption.is_mistyped(typed):
            raise CodeUnknown("There is a typing mistake in this code.", is_mistyped=True)
        subject, network = str(who.user_id), neighbourhood(who.address)
        await self._attempts.take(BY_USER, subject)
        await self._attempts.take(BY_ADDRESS, network)
        is_guess = False
        try:
            hashes = self.hashes(typed)
            async with self._database.transaction() as connection:
                return await self._redeem(connection, who, hashes)
        except CodeUnknown:
            is_guess = True
            raise
        finally:
            if not is_guess:
                await self._attempts.give_back(BY_USER, subject)
                await self._attempts.give_back(BY_ADDRESS, network)

    async def _redeem(self, connection: Connection, who: Redeemer, hashes: tuple[bytes, ...]) -> Redeemed:
        if not (await policy_in_force(connection, TopUp)).redemption_enabled:
            raise RedemptionDisabled
        code = await rows.lock_code(connection, hashes, who.account_id)
        if code is None:
            raise CodeUnknown
        code.check(who.account_group, await rows.clock(connection))
        if not await rows.use_code(connection, code):  # the guard behind the check
            raise CodeAlreadyRedeemed(by_you=False)
        nth = code.uses_by_account + 1
        moved = await credit(
            connection,
            kind="redemption",
            reference=f"{code.code_id}/{who.account_id}/{nth}",
            wallet_id=who.wallet_id,
            amount=code.amount,
            made_by=who.user_id,
        )
        await rows.insert_redemption(
            connection,
            code.code_id,
            who.account_id,
            nth=nth,
            user_id=who.user_id,
            transfer_id=moved.transfer.transfer_id,
        )
        assert moved.transfer.credit_balance is not None, "an account's wallet has a balance"
        return Redeemed(amount=code.amount, balance=moved.transfer.credit_balance - moved.repaid)

    async def create_batch(
        self, draft: BatchDraft, batch_id: BatchId, made_by: UserId | None, actor: Actor = SYSTEM
    ) -> tuple[BatchRow, list[str] | None]:
        """The batch and its codes, which nobody can show again. The same `batch_id` once more: no codes.

        Raises:
            InvalidRequest: a group that does not exist, an end that is over, or words that make no campaign code.
            AlreadyExists: a campaign code of these words.
        """
        if draft.expires_at is not None and (draft.expires_at.tzinfo is None or draft.expires_at <= now()):
            raise InvalidRequest("expires_at: this must be a time to come, with its zone.", field="expires_at")
        codes = _chosen(draft) or [
            redemption.code_from(int.from_bytes(os.urandom(17), "big")) for _ in range(draft.count)
        ]
        async with self._database.transaction() as connection:
            for name in draft.groups or ():
                if await groups.find_group(connection, name) is None:
                    raise InvalidRequest(f"groups: there is no group {name!r}.", field="groups")
            is_new = await rows.insert_batch(
                connection,
                NewBatch(
                    batch_id=batch_id,
                    name=draft.name,
                    amount=draft.amount,
                    count=draft.count,
                    uses_per_code=draft.uses_per_code,
                    uses_per_account=draft.uses_per_account,
                    groups=None if draft.groups is None else tuple(dict.fromkeys(draft.groups)),
                    expires_at=draft.expires_at,
                    created_by=made_by,
                    is_campaign=draft.code is not None,
                ),
                [self._stored(code) for code in codes],
            )
            batch = await rows.find_batch(connection, batch_id)
            assert batch is not None
            if is_new:
                act = Act(action="batch.created", subject="batch", subject_id=str(batch_id), after=draft)
                await record(connection, actor, act)
        return batch, codes if is_new else None

    async def batches(self, *, after_time: datetime | None, after_id: UUID | None, limit: int) -> list[BatchRow]:
        """Newest first."""
        async with self._database.connection() as connection:
            return await rows.batches(connection, after_time=after_time, after_id=after_id, limit=limit)

    async def batch(self, batch_id: BatchId) -> BatchRow:
        """Raises NotFound."""
        async with self._database.connection() as connection:
            found = await rows.find_batch(connection, batch_id)
        if found is None:
            raise NotFound
        return found

    async def revoke_batch(self, batch_id: BatchId, actor: Actor = SYSTEM) -> BatchRow:
        """What was not redeemed until now never will be. Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await rows.revoke_batch(connection, batch_id):
                raise NotFound
            found = await rows.find_batch(connection, batch_id)
            assert found is not None
            said = {"name": found.name, "count": found.count, "redeemed": found.redeemed}
            act = Act(action="batch.revoked", subject="batch", subject_id=str(batch_id), after=said)
            await record(connection, actor, act)
        return found

    async def redemptions(
        self, filters: Filters, *, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[RedemptionRow]:
        """Who redeemed what, newest first. Raises NotFound for a batch that does not exist."""
        if filters.batch_id is not None:
            await self.batch(BatchId(filters.batch_id))
        async with self._database.connection() as connection:
            return await rows.redemption_page(
                connection, filters, after_time=after_time, after_id=after_id, limit=limit
            )

    def hashes(self, typed: str) -> tuple[bytes, ...]:
        """What a code that was typed is found by. Raises CodeUnknown for what can be none."""
        code = redemption.normal_form(typed) or redemption.campaign_form(typed)
        if code is None:
            raise CodeUnknown
        return self._vault.macs(_PURPOSE, code.encode())

    def _stored(self, code: str) -> NewCode:
        normal = redemption.normal_form(code) or redemption.campaign_form(code)
        assert normal is not None, "made or checked by ourselves"
        return NewCode(
            code_id=CodeId(new_id()),
            code_hash=self._vault.mac(_PURPOSE, normal.encode()),
            hint=normal[-_HINT_LENGTH:],
        )


def _chosen(draft: BatchDraft) -> list[str] | None:
    """The campaign code of a draft that has one. Its words can be guessed, so it is bounded: a count, and an end."""
    if draft.code is None:
        return None
    redemption.check_campaign(draft.code)
    if draft.count != 1:
        raise InvalidRequest("count: a campaign code is one code; say in uses_per_code how often.", field="count")
    if draft.expires_at is None:
        raise InvalidRequest("expires_at: a campaign code has an end.", field="expires_at")
    return [draft.code]
