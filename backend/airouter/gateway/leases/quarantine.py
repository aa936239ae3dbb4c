"""What could not be read or charged, kept beside the journals for a person to look at."""

import shutil
from pathlib import Path
from typing import Final

import msgspec

from airouter.domain.ids import NodeId
from airouter.domain.usage import UsageRecord

QUARANTINE: Final = "quarantine"


def keep_record(directory: Path, node_id: NodeId, record: UsageRecord) -> Path:
    """Write one record that Postgres refuses, as JSON. `directory` is that of all journals."""
    target = _place(directory, f"{node_id}-{record.request_id}.json")
    target.write_bytes(msgspec.json.encode(record))
    return target


def keep_file(directory: Path, node_id: NodeId, path: Path) -> None:
    """Copy a segment that is damaged."""
    shutil.copyfile(path, _place(directory, f"{node_id}-{path.name}"))


def keep_folder(folder: Path, node_id: NodeId) -> Path:
    """Move the whole journal of a node that Postgres never heard of."""
    return folder.rename(_place(folder.parent, f"{node_id}-unknown"))


def _place(directory: Path, name: str) -> Path:
    target = directory / QUARANTINE / name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    return target
