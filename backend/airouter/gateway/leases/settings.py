"""The figures of the credit protocol, in one place. The defaults are those that were simulated and measured."""

from typing import Final, Literal

import msgspec

SECOND: Final = 1_000_000_000
MILLISECOND: Final = 1_000_000
"""In nanoseconds: the unit of the protocol's clock."""


class CreditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long, how often, how much."""

    ttl_ms: int = 180_000
    """A node whose seq was seen unchanged for this long is dead."""
    margin_ms: int = 10_000
    """Its owner stops this much earlier: more than 2 x drift x ttl."""
    beat_ms: int = 1_000
    """At least one sync in this time, and one reading of the others' seq."""
    sync_delay_ms: int = 5
    """How long the first settled record waits for company; a waiting call does not wait for it."""
    retry_waiting_ms: int = 25
    """How often a call that waits for credit in use asks again."""
    wait_max_ms: int = 500
    refusal_memory_ms: int = 250
    """How long a refused purse refuses without asking Postgres again."""
    recall_every_ms: int = 100
    """A purse is recalled at most this often by one process."""
    horizon_ms: int = 60_000
    """Head room: what the recent pace uses in this time. Also how long an account keeps working while Postgres is
    away.
    """
    half_life_ms: int = 5_000
    """Of the recent pace."""
    idle_return_ms: int = 2_000
    """A purse unused for this long returns what is idle."""
    tight_ms: int = 5_000
    """After a recall everything idle goes back with every sync for this long."""
    scan_ms: int = 250
    """How often every purse is looked at, whether or not anything happened to it."""
    forget_ms: int = 60_000
    """An empty purse that was not used for this long leaves the memory."""
    records_per_sync: int = 1_000
    wishes_per_sync: int = 1_000
    purses_per_sync: int = 200
    observer_gap_ms: int = 3_000
    """An observer whose readings were interrupted for longer forgets what it saw."""
    adopt_every_ms: int = 5_000
    partitions_every_ms: int = 3_600_000
    reconnect_min_ms: int = 50
    reconnect_max_ms: int = 1_000
    sync_timeout_ms: int = 5_000
    wall_clock_difference_max_ms: int = 60_000
    """A process whose clock is further from Postgres' would date its records wrongly, so it does not start."""
    confirm_max_ms: int = 10_000
    """How long an answer whose record could not be journaled waits for Postgres to confirm it."""
    backlog_records_max: int = 500_000
    backlog_bytes_max: int = 256 * 1024 * 1024
    journal_segment_bytes: int = 16 * 1024 * 1024
    journal_keep_ms: int = 600_000
    """A confirmed segment stays this long: a failover to an asynchronous replica may have lost what it confirmed."""
    journal_sync: Literal["interval", "always"] = "interval"
    """`interval`: a power cut loses what the last fdatasync had not reached. `always`: every record waits for it."""
    journal_sync_ms: int = 10
