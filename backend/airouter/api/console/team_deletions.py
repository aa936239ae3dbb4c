"""The end of a team that is not empty: asked for by an owner of it, or by an operator."""

from typing import Any, Final
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from airouter.api.callers import AccountHolder, Operator
from airouter.api.deletions import DeletionBody, DeletionState, DeletionView, deletion_view
from airouter.api.documents import refusals
from airouter.domain.ids import AccountId
from airouter.services.audit_log import Actor
from airouter.services.step_up import StepUp
from airouter.services.team_deletions import TeamDeletions


class TeamDeletionController(Controller):
    """Below /accounts: by those who own the team."""

    path = "/accounts/{account_id:uuid}/deletion"
    tags = ("Teams",)

    @get(
        "/",
        operation_id="getTeamDeletion",
        permission="me.read",
        summary="Whether a team is about to go",
        responses=refusals(401, 403, 404),
    )
    async def deletion(
        self,
        account_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        team_deletions: NamedDependency[TeamDeletions],
    ) -> DeletionState:
        del account_id
        found = await team_deletions.pending(holder.account_id)
        return DeletionState(deletion=found and deletion_view(found))

    @post(
        "/",
        operation_id="requestTeamDeletion",
        permission="account.write",
        summary="Delete a team with everything in it when the grace period is over",
        status_code=202,
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def request(
        self,
        *,
        account_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        actor: NamedDependency[Actor],
        team_deletions: NamedDependency[TeamDeletions],
        step_up: NamedDependency[StepUp],
        data: JSONBody[DeletionBody] = DeletionBody(),  # noqa: B008 - frozen
    ) -> DeletionView:
        """Needs a fresh proof of who one is. Carried out when policy `privacy` says; until then it can be cancelled.

        Members, keys, tokens, invitations and alerts end; what is left in the wallets goes back to the house, or where
        the installation does not take it the deletion is refused until it is used (`balance_remains`). Orders that are
        still paid afterwards are credited to nobody and put in review.
        """
        del account_id
        await step_up.require(None, holder.person)
        found = await team_deletions.request(
            holder.account_id, holder.user_id, actor, is_by_operator=False, ends_keys_now=data.end_keys_now
        )
        return deletion_view(found)

    @delete(
        "/",
        operation_id="cancelTeamDeletion",
        permission="account.write",
        summary="Keep the team after all",
        responses=refusals(401, 403, 404, 409),
    )
    async def cancel(
        self,
        account_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        actor: NamedDependency[Actor],
        team_deletions: NamedDependency[TeamDeletions],
    ) -> None:
        """Keys that were ended do not come back. One that is due cannot be cancelled any more."""
        del account_id
        await team_deletions.cancel(holder.account_id, actor)


class AccountDeletionController(Controller):
    """Below /admin/accounts: teams only; somebody's own account ends with the person."""

    path = "/admin/accounts/{account_id:uuid}/deletion"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="getAccountDeletion",
        permission="operator.read",
        summary="Whether a team is about to go",
        responses=refusals(401, 403, 404),
    )
    async def deletion(
        self,
        account_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        team_deletions: NamedDependency[TeamDeletions],
    ) -> DeletionState:
        del operator
        found = await team_deletions.pending(AccountId(account_id))
        return DeletionState(deletion=found and deletion_view(found))

    @post(
        "/",
        operation_id="requestAccountDeletion",
        permission="accounts.write",
        summary="Delete a team with everything in it when the grace period is over",
        status_code=202,
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def request(
        self,
        *,
        account_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        team_deletions: NamedDependency[TeamDeletions],
        step_up: NamedDependency[StepUp],
        data: JSONBody[DeletionBody] = DeletionBody(),  # noqa: B008 - frozen
    ) -> DeletionView:
        """Needs a fresh proof of who asks. 409 `not_a_team` for somebody's own account."""
        await step_up.require(None, operator.person)
        found = await team_deletions.request(
            AccountId(account_id), operator.user_id, actor, is_by_operator=True, ends_keys_now=data.end_keys_now
        )
        return deletion_view(found)

    @delete(
        "/",
        operation_id="cancelAccountDeletion",
        permission="accounts.write",
        summary="Keep a team after all",
        responses=refusals(401, 403, 404, 409),
    )
    async def cancel(
        self,
        account_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        team_deletions: NamedDependency[TeamDeletions],
    ) -> None:
        """Whoever asked for it."""
        del operator
        await team_deletions.cancel(AccountId(account_id), actor)


TEAM_DELETIONS: Final[tuple[Any, ...]] = (TeamDeletionController, AccountDeletionController)
"""Every route of the end of a team."""
