"""Rate limits as the management API shows them, whoever they belong to."""

import msgspec

from airouter.domain.rate_limit import RateLimits


class RateLimitsView(msgspec.Struct, frozen=True, kw_only=True):
    """Null: not limited."""

    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrency: int | None


def limits_view(limits: RateLimits) -> RateLimitsView:
    """Every limit by name, those that are not set included."""
    return RateLimitsView(**msgspec.structs.asdict(limits))
