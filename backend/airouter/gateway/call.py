"""A call under way: what was fixed at admission, and what has happened since."""

from airouter.domain.catalogue import Channel, Credential
from airouter.domain.ids import RequestId
from airouter.domain.key import Caller
from airouter.domain.usage import Attempt, Quantities
from airouter.gateway.admit import Terms
from airouter.gateway.credit import Hold
from airouter.gateway.door import Door
from airouter.gateway.rate_limits import NO_SLOT, Slot
from airouter.wire.requests import RequestHead


class Call:
    """One admitted call. `terms` never change: no retry and no price change alters what it is charged by."""

    __slots__ = (
        "attempts", "caller", "channel", "channel_slot", "client_request_id", "credential", "door", "first_byte_at",
        "hold", "is_settled", "output_allowance", "request", "request_id", "slot", "started_at", "terms",
        "wanting_since",
    )  # fmt: skip

    def __init__(
        self,
        *,
        request_id: RequestId,
        caller: Caller,
        door: Door,
        request: RequestHead,
        terms: Terms,
        hold: Hold,
        started_at: float,
        client_request_id: str | None,
        slot: Slot = NO_SLOT,
    ) -> None:
        self.request_id = request_id
        self.caller = caller
        self.door = door
        self.request = request
        self.terms = terms
        self.hold = hold
        self.slot = slot
        self.channel_slot = NO_SLOT
        """Its place within the caps of the channel that is being tried, or that answered."""
        self.started_at = started_at
        self.client_request_id = client_request_id
        self.output_allowance = terms.ceiling.output_tokens
        self.channel: Channel | None = None
        self.credential: Credential | None = None
        """Of the attempt under way."""
        self.attempts: list[Attempt] = []
        self.first_byte_at: float | None = None
        self.is_settled = False
        self.wanting_since: float | None = None
        """Since when a stream that outgrew its hold has been asking for more."""

    def leave_slots(self, quantities: Quantities | None = None) -> None:
        """It is over within every limit, and used this."""
        self.slot.leave(quantities)
        self.channel_slot.leave(quantities)
