"""Callers and terms as the limiter sees them, with whatever limits a test gives them."""

from uuid import UUID

from airouter.domain.catalogue import Group, Model
from airouter.domain.ids import AccountId, KeyId, RateCardId, UserId, WalletId
from airouter.domain.key import Caller
from airouter.domain.policy import Limits
from airouter.domain.pricing import Ceiling
from airouter.domain.quota import MICROS
from airouter.domain.rate_card import RateCard
from airouter.domain.rate_limit import RateLimits
from airouter.gateway.admit import Terms


class Clock:
    """Seconds, as the test sets them."""

    def __init__(self, at: float = 0.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def caller(
    *, key: int = 1, account: int = 2, limits: RateLimits | None = None, account_limits: RateLimits | None = None
) -> Caller:
    return Caller(
        key_id=KeyId(UUID(int=key)),
        account_id=AccountId(UUID(int=account)),
        wallet_id=WalletId(100),
        user_id=UserId(UUID(int=3)),
        status="active",
        account_status="active",
        account_group="default",
        key_group=None,
        is_operator=False,
        is_limited=False,
        rate_limits=limits,
        account_rate_limits=account_limits,
    )


def terms(
    *,
    input_tokens: int = 10,
    output_tokens: int = 90,
    group: RateLimits | None = None,
    model: RateLimits | None = None,
) -> Terms:
    card = RateCard(rate_card_id=RateCardId(UUID(int=4)), model="demo", version=1, rates={"input": 1})
    return Terms(
        model=Model(model="demo", card=card, rate_limits=model),
        card=card,
        group=Group(name="default", rate_limits=group),
        multiplier_micros=MICROS,
        ceiling=Ceiling(input_tokens=input_tokens, output_tokens=output_tokens),
        is_output_stated=True,
        limits=Limits(),
    )
