"""Refusals around personal data."""

from airouter.domain.errors import Conflict


class TeamsNeedOwner(Conflict):
    """`account_ids` names the teams."""

    code = "teams_need_owner"
    default_message = "You are the only owner of a team. Make another member its owner first, or delete the team."


class BalanceRemains(Conflict):
    """`balance` is what is left in the wallets."""

    code = "balance_remains"
    default_message = "There is still quota in your account, and this installation does not take it. Use it first."


class DeletionUnderWay(Conflict):
    code = "deletion_under_way"
    default_message = "The deletion is due and being carried out; it cannot be stopped any more."


class LastInstanceOwner(Conflict):
    code = "last_instance_owner"
    default_message = "You are the only owner of this installation. Appoint another one first."
