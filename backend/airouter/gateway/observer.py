"""Who is dead: what one process concludes from reading the others' sequence numbers once a second."""

from collections.abc import Mapping

from airouter.domain.ids import NodeId
from airouter.gateway.leases.settings import MILLISECOND, CreditSettings


class Observer:
    """A node whose seq stood still for a whole TTL on our own clock is dead. Postgres' clock decides nothing.

    The span runs from the receipt of the first reading to the sending of the latest, so the network can only make it
    longer.
    """

    def __init__(self, settings: CreditSettings) -> None:
        self._ttl = settings.ttl_ms * MILLISECOND
        self._gap = settings.observer_gap_ms * MILLISECOND
        self._seen: dict[NodeId, tuple[int, int]] = {}
        self._read_at: int | None = None

    def read(self, seqs: Mapping[NodeId, int], sent: int, received: int) -> list[tuple[NodeId, int]]:
        """Take in a reading of the live nodes; answers those that should be swept, with the seq they stood at.

        After a gap in our own readings everything is forgotten: an outage of Postgres gives everybody a full TTL to
        return.
        """
        if self._read_at is not None and received - self._read_at > self._gap:
            self._seen.clear()
        self._read_at = received
        seen = self._seen
        self._seen = {
            node_id: seen[node_id] if node_id in seen and seen[node_id][0] == seq else (seq, received)
            for node_id, seq in seqs.items()
        }
        return [(node_id, seq) for node_id, (seq, since) in self._seen.items() if sent - since >= self._ttl]
