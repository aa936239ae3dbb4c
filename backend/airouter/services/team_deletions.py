"""The end of a team: at once when it is empty, else when its grace period is over, and until then it can be cancelled.

When the day comes the team ends in one transaction: nobody belongs to it, keys, tokens, invitations and alerts are
gone, and nothing is credited to it any more (money that still comes for one of its orders puts the order in review).
What was left in its wallets goes back to the house as soon as no running call holds any of it. Usage, orders, what it
owes and the audit log stay in the books.

Locks: the deletion's row, then wallets by id, then the account, then keys by id.
"""

import logging
from datetime import timedelta
from typing import Final

import msgspec

from airouter.domain.access_errors import AccountNotEmpty, NotATeam
from airouter.domain.errors import NotFound
from airouter.domain.ids import AccountId, UserId
from airouter.domain.policies.privacy import Privacy
from airouter.domain.privacy_errors import BalanceRemains, DeletionUnderWay
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.forfeits import forfeit
from airouter.services.jobs import Job, Jobs
from airouter.services.mailbox import Mailbox
from airouter.services.policies import policy_in_force
from airouter.storage import invitations, teams, tokens, wallets
from airouter.storage import team_deletions as rows
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.erasure import PurseRow, purses_left_behind
from airouter.storage.team_deletions import TeamDeletionRow
from airouter.storage.teams import TeamRow

logger = logging.getLogger(__name__)

JOB: Final = "team_deletions"
_POSTPONED_BY: Final = timedelta(hours=6)
"""When a team cannot be deleted just now, because something is left that may not be taken."""


class TeamDeletions:
    """Asks for, cancels and carries out deletions of teams."""

    def __init__(self, database: Database, jobs: Jobs, *, mailbox: Mailbox) -> None:
        self._database = database
        self._mailbox = mailbox
        self._jobs = jobs
        jobs.add(Job(name=JOB, run=self.work, pause=timedelta(minutes=1)))

    async def delete_empty(self, account_id: AccountId, actor: Actor) -> None:
        """The team is gone at once, because there is nothing in it that anybody could miss.

        Raises:
            NotFound. NotATeam: somebody's own account ends with the person.
            AccountNotEmpty: there is quota in a wallet, or a debt.
        """
        async with self._database.transaction() as connection:
            await rows.lock_team_deletion(connection, account_id)
            left = await wallets.lock_all_of(connection, [account_id])
            team = await _locked(connection, account_id)
            if left:
                raise AccountNotEmpty(balance=left)
            await _end(connection, team, actor)
            await rows.finish_team_deletion(connection, account_id)

    async def request(
        self, account_id: AccountId, user_id: UserId, actor: Actor, *, is_by_operator: bool, ends_keys_now: bool
    ) -> TeamDeletionRow:
        """From now on the team is about to go, unless it is cancelled before it is due (policy `privacy`).

        Raises:
            NotFound, NotATeam
            BalanceRemains: what is left is not taken here.
        """
        async with self._database.transaction() as connection:
            await rows.lock_team_deletion(connection, account_id)
            team = await _locked(connection, account_id)
            policy = await policy_in_force(connection, Privacy)
            _check(await purses_left_behind(connection, [account_id]), policy)
            grace = timedelta(days=policy.deletion_grace_days)
            await rows.put_team_deletion(
                connection, account_id, user_id, grace, is_by_operator=is_by_operator, ends_keys_now=ends_keys_now
            )
            if ends_keys_now:
                await teams.end_keys(connection, account_id)
                await announce(connection, "keys")
            found = await rows.find_team_deletion(connection, account_id)
            assert found is not None, "it was put there just now"
            said = {"due_at": found.due_at, "ends_keys_now": ends_keys_now}
            await record(connection, actor, _act(account_id, "deletion_requested", after=said))
            await self._write_to_owners(connection, team, found)
        if policy.deletion_grace_days == 0:
            self._jobs.hurry(JOB)
        return found

    async def pending(self, account_id: AccountId) -> TeamDeletionRow | None:
        """The deletion that waits for its day, or for calls that still run; None: there is none.

        Raises NotFound: nor is there such an account.
        """
        async with self._database.connection() as connection:
            found = await rows.find_team_deletion(connection, account_id)
            if found is None and await teams.find_team(connection, account_id) is None:
                raise NotFound("There is no such account.")
            return found

    async def cancel(self, account_id: AccountId, actor: Actor) -> None:
        """The team stays. Keys that were ended stay ended. No deletion at all is no error.

        Raises:
            NotFound, DeletionUnderWay
        """
        async with self._database.transaction() as connection:
            if await rows.cancel_team_deletion(connection, account_id):
                await record(connection, actor, _act(account_id, "deletion_cancelled"))
            elif await rows.find_team_deletion(connection, account_id) is not None:
                raise DeletionUnderWay
            elif await teams.find_team(connection, account_id) is None:
                raise NotFound("There is no such account.")

    async def work(self) -> None:
        """Carries out what is due."""
        async with self._database.connection() as connection:
            due = await rows.due_team_deletions(connection)
        for deletion in due:
            try:
                await self._carry_out(deletion.account_id)
            except BalanceRemains as refusal:
                async with self._database.transaction() as connection:
                    await rows.postpone_team_deletion(connection, deletion.account_id, _POSTPONED_BY)
                    said = {"reason": refusal.code, **refusal.details}
                    await record(connection, SYSTEM, _act(deletion.account_id, "deletion_postponed", after=said))
                about = {"account_id": str(deletion.account_id), "reason": refusal.code}
                logger.warning("team_deletion.postponed", extra=about)

    async def _carry_out(self, account_id: AccountId) -> None:
        """A process that dies in the middle is resumed: the team has ended then, and its wallets are emptied."""
        async with self._database.transaction() as connection:
            if await rows.lock_due_team_deletion(connection, account_id) is None:
                return
            await wallets.lock_all_of(connection, [account_id])
            team = await teams.lock_team(connection, account_id)
            purses = await purses_left_behind(connection, [account_id])
            if team is not None:
                _check(purses, await policy_in_force(connection, Privacy))
                await _end(connection, team, SYSTEM)
        for purse in purses:
            if not await forfeit(self._database, purse):
                return  # calls still hold some of it: the next run goes on here
        async with self._database.transaction() as connection:
            if await rows.lock_due_team_deletion(connection, account_id) is None:
                return
            await wallets.lock_all_of(connection, [account_id])
            if not await purses_left_behind(connection, [account_id]):
                await rows.finish_team_deletion(connection, account_id)

    async def _write_to_owners(self, connection: Connection, team: TeamRow, deletion: TeamDeletionRow) -> None:
        for owner in await rows.owners_to_tell(connection, team.account_id):
            await self._mailbox.post(
                connection,
                to=owner.email,
                locale=owner.locale,
                letter="team_deletion_requested",
                facts={
                    "team": team.name,
                    "due": f"{deletion.due_at:%Y-%m-%d %H:%M} UTC",
                    "link": f"{self._mailbox.console_url}/console/team",
                },
            )


def _check(purses: list[PurseRow], policy: Privacy) -> None:
    left = sum(purse.balance for purse in purses)
    if left > 0 and policy.remaining_balance == "keep_refusing":
        raise BalanceRemains(balance=left)


async def _end(connection: Connection, team: TeamRow, actor: Actor) -> None:
    """Nobody belongs to it any more, and nothing works for it."""
    await invitations.revoke_all(connection, team.account_id)
    await teams.delete_team(connection, team.account_id)
    for token_id in await tokens.revoke_tokens_in(connection, team.account_id, None):
        await announce(connection, "sessions", token_id)
    await announce(connection, "accounts", team.account_id)
    await record(connection, actor, _act(team.account_id, "deleted", before={"name": team.name}))


async def _locked(connection: Connection, account_id: AccountId) -> TeamRow:
    team = await teams.lock_team(connection, account_id)
    if team is None:
        raise NotFound
    if team.kind != "team":
        raise NotATeam
    return team


def _act(account_id: AccountId, done: str, *, before: object = None, after: object = None) -> Act:
    return Act(
        action=f"account.{done}",
        subject="account",
        subject_id=str(account_id),
        account_id=account_id,
        before=before,
        after=msgspec.to_builtins(after),
    )
