"""How a deletion that waits for its day is shown, of a person or of a team."""

from datetime import datetime

import msgspec

from airouter.storage.erasure import DeletionRow
from airouter.storage.team_deletions import TeamDeletionRow


class DeletionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`end_keys_now`: API keys stop working at once, not only when the deletion is due; they do not come back."""

    end_keys_now: bool = False


class DeletionView(msgspec.Struct, frozen=True, kw_only=True):
    """Until `due_at` it can be cancelled."""

    requested_at: datetime
    due_at: datetime
    end_keys_now: bool
    is_by_operator: bool


class DeletionState(msgspec.Struct, frozen=True, kw_only=True):
    """`deletion` null: the person or the team stays."""

    deletion: DeletionView | None


def deletion_view(row: DeletionRow | TeamDeletionRow) -> DeletionView:
    """As the API shows it."""
    return DeletionView(
        requested_at=row.requested_at,
        due_at=row.due_at,
        end_keys_now=row.ends_keys_now,
        is_by_operator=row.is_by_operator if isinstance(row, TeamDeletionRow) else row.requested_by is not None,
    )
