"""Leaving: a deletion that was asked for can be cancelled for a while, then a job takes away who somebody was.

What stays are ids: the ledger, usage and orders refer to them, and the audit log says what happened when. What goes is
everything that says whose ids they are. Each step can be repeated, so a process that dies in the middle is resumed.
"""

import logging
from datetime import timedelta
from typing import Final

import msgspec

from airouter.domain.errors import NotFound
from airouter.domain.ids import AccountId, UserId
from airouter.domain.policies.privacy import Privacy
from airouter.domain.privacy_errors import BalanceRemains, DeletionUnderWay, LastInstanceOwner, TeamsNeedOwner
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.forfeits import forfeit
from airouter.services.jobs import Job, Jobs
from airouter.services.mailbox import Mailbox
from airouter.services.policies import policy_in_force
from airouter.services.sessions import Sessions
from airouter.storage import audit_log as acts
from airouter.storage import erasure as rows
from airouter.storage import invitations, users, wallets
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.erasure import DeletionRow

logger = logging.getLogger(__name__)

JOB: Final = "deletions"
_POSTPONED_BY: Final = timedelta(hours=6)
"""When somebody cannot be erased just now: a team needs them, or something is left that may not be taken."""


class Erasure:
    """Asks for, cancels and carries out deletions."""

    def __init__(self, database: Database, sessions: Sessions, jobs: Jobs, *, mailbox: Mailbox) -> None:
        self._database = database
        self._mailbox = mailbox
        self._sessions = sessions
        self._jobs = jobs
        jobs.add(Job(name=JOB, run=self.work, pause=timedelta(minutes=1)))

    async def request(self, user_id: UserId, actor: Actor, *, ends_keys_now: bool) -> DeletionRow:
        """From now on the person leaves, unless it is cancelled before it is due (policy `privacy`).

        Raises:
            NotFound
            TeamsNeedOwner, LastInstanceOwner: somebody depends on them.
            BalanceRemains: what is left is not taken here.
        """
        async with self._database.transaction() as connection:
            await users.lock_owners(connection)
            user = await users.lock_user(connection, user_id)
            if user is None:
                raise NotFound("There is no such user.")
            policy = await policy_in_force(connection, Privacy)
            await self._check(connection, user_id, policy)
            by_another = actor.user_id if actor.user_id != user_id else None
            grace = timedelta(days=policy.deletion_grace_days)
            if not await rows.put_deletion(connection, user_id, by_another, grace, ends_keys_now=ends_keys_now):
                raise NotFound("There is no such user.")
            if ends_keys_now:
                await self._end_keys(connection, user_id, await rows.accounts_left_behind(connection, user_id))
            found = await rows.find_deletion(connection, user_id)
            assert found is not None, "it was put there just now"
            said = {"due_at": found.due_at, "ends_keys_now": ends_keys_now}
            await record(connection, actor, _act(user_id, "deletion_requested", said))
            await self._mailbox.post(
                connection,
                to=user.email,
                locale=user.locale,
                letter="deletion_requested",
                facts={
                    "due": f"{found.due_at:%Y-%m-%d %H:%M} UTC",
                    "link": f"{self._mailbox.console_url}/console/settings?section=data",
                },
            )
        if policy.deletion_grace_days == 0:
            self._jobs.hurry(JOB)
        return found

    async def pending(self, user_id: UserId) -> DeletionRow | None:
        """The deletion that waits for its day; None: there is none. Raises NotFound: nor is there such a person."""
        async with self._database.connection() as connection:
            if await users.find_user(connection, user_id) is None:
                raise NotFound
            return await rows.find_deletion(connection, user_id)

    async def cancel(self, user_id: UserId, actor: Actor) -> None:
        """The person stays. Keys that were ended stay ended. No deletion at all is no error.

        Raises:
            DeletionUnderWay
        """
        async with self._database.transaction() as connection:
            if await rows.cancel_deletion(connection, user_id):
                await record(connection, actor, _act(user_id, "deletion_cancelled"))
            elif await rows.find_deletion(connection, user_id) is not None:
                raise DeletionUnderWay

    async def work(self) -> None:
        """Carries out what is due."""
        async with self._database.connection() as connection:
            due = await rows.due_deletions(connection)
        for deletion in due:
            try:
                await self._carry_out(deletion)
            except (TeamsNeedOwner, LastInstanceOwner, BalanceRemains) as refusal:
                async with self._database.transaction() as connection:
                    await rows.postpone_deletion(connection, deletion.user_id, _POSTPONED_BY)
                    said = {"reason": refusal.code, **refusal.details}
                    await record(connection, SYSTEM, _act(deletion.user_id, "deletion_postponed", said))
                logger.warning("deletion.postponed", extra={"user_id": str(deletion.user_id), "reason": refusal.code})

    async def _carry_out(self, deletion: DeletionRow) -> None:
        user_id = deletion.user_id
        async with self._database.transaction() as connection:
            await users.lock_owners(connection)
            if await rows.lock_due_deletion(connection, user_id) is None:
                return
            await self._check(connection, user_id, await policy_in_force(connection, Privacy))
            accounts = await rows.accounts_left_behind(connection, user_id)
            for account_id in await rows.pause_accounts(connection, accounts):
                await announce(connection, "accounts", account_id)
            for account_id in accounts:
                await invitations.revoke_all(connection, account_id)
            await self._end_keys(connection, user_id, accounts)
            purses = await rows.purses_left_behind(connection, accounts)
        for purse in purses:
            if not await forfeit(self._database, purse):
                return  # calls still hold some of it: the next run goes on here
        async with self._database.transaction() as connection:
            await users.lock_owners(connection)
            user = await users.lock_user(connection, user_id)
            if user is None or await rows.lock_due_deletion(connection, user_id) is None:
                return
            await wallets.lock_all_of(connection, accounts)
            if await rows.purses_left_behind(connection, accounts):
                return  # something came in meanwhile
            await acts.erase_person_from_acts(connection, user_id, user.email, accounts)
            await rows.erase_person(connection, user_id, user.email, accounts)
            await rows.finish_deletion(connection, user_id)
            await record(connection, SYSTEM, _act(user_id, "erased"))
            await announce(connection, "sessions")
            await announce(connection, "keys")
        self._sessions.forget()

    async def _check(self, connection: Connection, user_id: UserId, policy: Privacy) -> None:
        teams = await rows.teams_that_need_them(connection, user_id)
        if teams:
            raise TeamsNeedOwner(account_ids=[str(account_id) for account_id in teams])
        if await rows.is_last_instance_owner(connection, user_id):
            raise LastInstanceOwner
        if policy.remaining_balance == "keep_refusing":
            accounts = await rows.accounts_left_behind(connection, user_id)
            left = sum(purse.balance for purse in await rows.purses_left_behind(connection, accounts))
            if left > 0:
                raise BalanceRemains(balance=left)

    async def _end_keys(self, connection: Connection, user_id: UserId, accounts: list[AccountId]) -> None:
        """And management tokens: what works without the person."""
        for key_id in await rows.end_keys_of(connection, user_id, accounts):
            await announce(connection, "keys", key_id)
        await rows.end_management_tokens(connection, user_id)
        await announce(connection, "sessions")  # tokens are remembered beside them


def _act(user_id: UserId, done: str, after: object = None) -> Act:
    return Act(action=f"user.{done}", subject="user", subject_id=str(user_id), after=msgspec.to_builtins(after))
