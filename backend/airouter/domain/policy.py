"""Policies: what an operator edits while the gateway runs, one struct a topic (domain/policies/)."""

import msgspec

from airouter.domain.policies.compat import Compat
from airouter.domain.policies.display import Display
from airouter.domain.policies.limits import Limits
from airouter.domain.policies.network import Network
from airouter.domain.policies.privacy import Privacy
from airouter.domain.policies.referral import Referral
from airouter.domain.policies.routing import Routing
from airouter.domain.policies.sign_in import SignInRules
from airouter.domain.policies.signup import SignUp
from airouter.domain.policies.teams import Teams
from airouter.domain.policies.topic import Topic
from airouter.domain.policies.topup import TopUp

TOPICS: dict[str, type[Topic]] = {
    "signup": SignUp,
    "sign_in": SignInRules,
    "display": Display,
    "limits": Limits,
    "routing": Routing,
    "network": Network,
    "topup": TopUp,
    "referral": Referral,
    "privacy": Privacy,
    "compat": Compat,
    "teams": Teams,
}


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """All topics together, as one snapshot carries them."""

    signup: SignUp = SignUp()
    sign_in: SignInRules = SignInRules()
    display: Display = Display()
    limits: Limits = Limits()
    routing: Routing = Routing()
    network: Network = Network()
    topup: TopUp = TopUp()
    referral: Referral = Referral()
    privacy: Privacy = Privacy()
    compat: Compat = Compat()
    teams: Teams = Teams()


__all__ = [
    "TOPICS",
    "Compat",
    "Display",
    "Limits",
    "Network",
    "Policies",
    "Privacy",
    "Referral",
    "Routing",
    "SignInRules",
    "SignUp",
    "Teams",
    "TopUp",
    "Topic",
]
