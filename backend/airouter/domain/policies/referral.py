"""What bringing somebody is worth, to both."""

from typing import Annotated, Literal

from msgspec import Meta

from airouter.domain.errors import InvalidRequest
from airouter.domain.policies.topic import Topic
from airouter.domain.quota import WALLET_MAX

Amount = Annotated[int, Meta(ge=0, le=WALLET_MAX)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Condition = Literal["registration", "first_order", "after_days"]


class Referral(Topic, frozen=True, kw_only=True):
    """What bringing somebody is worth, to both. Off until somebody says how much; it holds for those who join later."""

    is_enabled: bool = False
    reward: Amount = 0
    """Quota for whoever brought somebody."""
    invitee_reward: Amount = 0
    """Quota for whoever was brought."""
    condition: Condition = "first_order"
    """When both are released: at once, with the first paid order, or some days after joining."""
    days: Annotated[int, Meta(ge=1, le=365)] | None = None
    """For the condition `after_days`."""
    first_order_minimum: Amount = 0
    """For the condition `first_order`: the least quota that has to be bought at once."""
    verified_email_only: bool = False
    """Nothing is released before the invitee's e-mail address is verified."""
    share_micros: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Share of the quota that the invitee buys, in millionths, for whoever brought them."""
    share_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    """For so long after joining; None: without end."""
    share_orders_max: Count | None = None
    """For so many orders; None: for every one."""
    minimum_transfer: Annotated[int, Meta(ge=1, le=WALLET_MAX)] = 1
    """The least that is transferred from rewards to the balance at once."""
    referrals_max: Count | None = None
    """Rewarded people per referrer in all; None: no bound. Beyond any of these bounds rewards are withheld."""
    referrals_per_day_max: Count | None = None
    """Rewarded people per referrer within 24 hours."""
    referrals_per_network_max: Count | None = None
    """Rewarded people from one address range within 24 hours, whoever brought them."""

    def check(self) -> None:
        if self.is_enabled and not (self.reward or self.invitee_reward or self.share_micros):
            raise InvalidRequest(
                "is_enabled: nothing would be given. Set reward, invitee_reward or share_micros first.",
                field="is_enabled",
            )
        if self.condition == "after_days" and self.days is None:
            raise InvalidRequest("days: the condition after_days needs a number of days.", field="days")

    def needs_mail(self) -> str | None:
        return "verified_email_only" if self.verified_email_only else None
