"""How quota is bought."""

from typing import Annotated

from msgspec import Meta

from airouter.domain.policies.topic import Topic


class TopUp(Topic, frozen=True, kw_only=True):
    """How quota is bought."""

    redemption_enabled: bool = True
    order_minutes: Annotated[int, Meta(ge=30, le=43_200)] = 60
    """How long an order waits to be paid, where its payment method says nothing else. Paid later, it still counts."""
    open_orders_max: Annotated[int, Meta(ge=1, le=1000)] = 10
    """Orders of one account that may wait to be paid at once."""
    ask_after_seconds: Annotated[int, Meta(ge=5, le=86_400)] = 120
    """When a processor that has not called is asked about an order for the first time; then ever less often."""
    dispute_takes_back: bool = True
    """A dispute takes the order's quota back at once; when it is won, the quota is given back."""
    pause_on_dispute: bool = False
    """A dispute pauses the account until it is won."""
    pause_on_debt: bool = False
    """An account that owes something after a refund or a dispute is paused; an operator lets it in again."""
    review_email: Annotated[str, Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    """Who hears by mail of payments that need a look: another amount, a second payment, an unknown order; and of
    refunds that failed, or may have, while nobody was there to be told."""
    seller: Annotated[str, Meta(max_length=2000)] = ""
    """Who sells, for receipts: name, address, tax number."""

    def needs_mail(self) -> str | None:
        return "review_email" if self.review_email is not None else None
