"""A call under way: what was fixed at admission, and what has happened since."""

from typing import Final, NamedTuple, cast

from airouter.domain.catalogue import Channel, Credential
from airouter.domain.ids import ChannelId, CredentialId, RequestId
from airouter.domain.key import Caller
from airouter.domain.usage import Attempt, Quantities
from airouter.gateway.admit import Terms
from airouter.gateway.door import Door
from airouter.gateway.leases.credit import Hold
from airouter.gateway.rates.limits import NO_SLOT, Slot
from airouter.providers.contract import Answered, StreamReader
from airouter.wire.requests import RequestHead

NO_HOLD: Final = cast("Hold", None)
"""Of calls for which no credit of this process is held, and which nothing here settles."""


class Pin(NamedTuple):
    """The only channel, with the only credential, that a call may go to."""

    channel: Channel
    credential: Credential | None

    @property
    def identity(self) -> tuple[ChannelId, CredentialId | None]:
        """What makes two of them the same."""
        return self.channel.channel_id, self.credential and self.credential.credential_id


class Call:
    """One admitted call. No retry and no price change alters the `terms` that it is charged by. Only where another of
    the key's groups or models takes over, before anything was answered, it is admitted anew (routing/fallback.py).
    """

    __slots__ = (
        "answering", "attempts", "caller", "channel", "channel_slot", "client_request_id", "credential", "door",
        "first_byte_at", "hold", "is_asked", "is_settled", "output_allowance", "pin", "request", "request_id",
        "requested_model", "slot", "started_at", "terms", "wanting_since",
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
        self.requested_model: str | None = None
        """What the client asked for, where another model answers."""
        self.channel: Channel | None = None
        self.credential: Credential | None = None
        """Of the attempt under way."""
        self.is_asked = False
        """The provider may know of the attempt under way."""
        self.pin: Pin | None = None
        """Where what it refers to is kept."""
        self.answering: Answered | StreamReader | None = None
        """At doors whose answers are kept: who can tell what is."""
        self.attempts: list[Attempt] = []
        self.first_byte_at: float | None = None
        self.is_settled = False
        self.wanting_since: float | None = None
        """Since when a stream that outgrew its hold has been asking for more."""

    def leave_slots(self, quantities: Quantities | None = None) -> None:
        """It is over within every limit, and used this."""
        self.slot.leave(quantities)
        self.channel_slot.leave(quantities)
