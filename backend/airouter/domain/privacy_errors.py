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


class AccountDeleted(Conflict):
    """Also for money that comes for one of its orders: that is given back by who took it."""

    code = "account_deleted"
    default_message = "This account was deleted: nobody would have what is given to it."


class LastInstanceOwner(Conflict):
    code = "last_instance_owner"
    default_message = "You are the only owner of this installation. Appoint another one first."
