"""What a process tells about its credit."""

import msgspec


class CreditFigures(msgspec.Struct):
    """What happened since this process began, and how things stand. For /metrics."""

    syncs: int = 0
    retries: int = 0
    recalls: int = 0
    fenced: int = 0
    quarantined: int = 0
    settled_records: int = 0
    overrun_above_hold: int = 0
    overrun_swept: int = 0
    sweeps: int = 0
    adoptions: int = 0
    sync_seconds: float = 0.0
    pending: int = 0
    waiting: int = 0
    running: int = 0
    journal_bytes: int = 0
