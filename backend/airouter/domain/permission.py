"""Who may do what: one table, kept as data.

Every route that is not public names one of these (`permission="keys.read"` in its decorator); one guard enforces it
before a body is read, the OpenAPI document says it, and tests walk roles x addresses along this table.

A permission is of one of three kinds. A *person's* is had by everybody who is signed in. An *account's* is had by the
team roles that it names, in the account that the call acts for; in a personal account the person is `owner`. An
*instance's* is had by the roles that it names. The names are also the scopes of management tokens, which never exceed
what their maker may do at the moment.
"""

from typing import Final, Literal

import msgspec

Role = Literal["user", "operator", "owner"]
TeamRole = Literal["owner", "admin", "billing", "member"]
Kind = Literal["person", "account", "instance"]

TEAM_ROLES: Final[tuple[TeamRole, ...]] = ("owner", "admin", "billing", "member")
OWN_ONLY: Final[frozenset[TeamRole]] = frozenset({"member"})
"""Team roles that see and change only what is their own: keys, and the usage of these."""


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """`words`: what it lets one do. `is_session_only`: never for a management token."""

    name: str
    words: str
    kind: Kind
    team_roles: frozenset[TeamRole] = frozenset()
    roles: frozenset[Role] = frozenset()
    is_session_only: bool = False

    def allows(self, role: Role, team_role: TeamRole | None) -> bool:
        """Whether somebody with this role has it; `team_role` is theirs in the account that they act for."""
        match self.kind:
            case "person":
                return True
            case "account":
                return team_role in self.team_roles
            case "instance":
                return role in self.roles


_ALL: Final[tuple[TeamRole, ...]] = TEAM_ROLES


def _person(name: str, words: str, *, is_session_only: bool = False) -> Permission:
    return Permission(name=name, words=words, kind="person", is_session_only=is_session_only)


def _account(name: str, team_roles: tuple[TeamRole, ...], words: str, *, is_session_only: bool = False) -> Permission:
    return Permission(
        name=name, words=words, kind="account", team_roles=frozenset(team_roles), is_session_only=is_session_only
    )


def _instance(name: str, roles: tuple[Role, ...], words: str) -> Permission:
    return Permission(name=name, words=words, kind="instance", roles=frozenset(roles))


_OPERATORS: Final[tuple[Role, ...]] = ("operator", "owner")
_OWNERS: Final[tuple[Role, ...]] = ("owner",)

_ROWS: Final[tuple[Permission, ...]] = (
    _person("me.read", "See who one is"),
    _person("me.write", "Profile, password, sessions, tokens, and what else is one's own", is_session_only=True),
    _account("wallet.read", _ALL, "See the balance"),
    _account("transfers.read", ("owner", "admin", "billing"), "See what moved"),
    _account("topup.read", ("owner", "billing"), "See how quota can be bought"),
    _account("topup.write", ("owner", "billing"), "Buy quota"),
    _account("orders.read", ("owner", "billing"), "See orders and receipts"),
    _account("codes.redeem", ("owner", "billing"), "Redeem codes"),
    _account("keys.read", ("owner", "admin", "member"), "See API keys; members their own"),
    _account("keys.write", ("owner", "admin", "member"), "Make, change and take away API keys; members their own"),
    _account("usage.read", _ALL, "See usage and receipts; members their own"),
    _account("members.read", ("owner", "admin"), "See who belongs to the team"),
    _account("members.write", ("owner", "admin"), "Invite, remove, and change roles"),
    _account("account.write", ("owner",), "Rename and delete the team"),
    _account("account.leave", _ALL, "Leave the team", is_session_only=True),
    _account("referral.read", ("owner",), "See referrals and rewards"),
    _account("referral.write", ("owner",), "Transfer rewards to the balance"),
    _account("acts.read", ("owner", "admin"), "See who did what in the account"),
    _account("alerts.read", ("owner", "admin", "billing"), "See alerts"),
    _account("alerts.write", ("owner", "admin", "billing"), "Set alerts"),
    _instance("operator.read", _OPERATORS, "See what operators see"),
    _instance("catalogue.write", _OPERATORS, "Channels, models, rate cards and groups"),
    _instance("accounts.write", _OPERATORS, "Group and status of accounts"),
    _instance("money.write", _OPERATORS, "Adjustments, codes, orders and refunds"),
    _instance("policies.write", _OPERATORS, "Policies"),
    _instance("audit.read", _OPERATORS, "The audit log"),
    _instance("users.write", _OPERATORS, "Ban people and let them in again"),
    _instance("operators.write", _OWNERS, "Appoint, dismiss and ban operators"),
    _instance("payment_methods.write", _OWNERS, "Payment methods and their secrets"),
    _instance("identity_providers.write", _OWNERS, "Identity providers and their secrets"),
    _instance("secrets.write", _OWNERS, "Encryption keys and other secrets of the instance"),
)

PERMISSIONS: Final[dict[str, Permission]] = {row.name: row for row in _ROWS}
"""By name."""

SCOPES: Final[tuple[str, ...]] = tuple(row.name for row in _ROWS if not row.is_session_only)
"""What a management token can be given."""
