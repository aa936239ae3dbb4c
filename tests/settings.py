"""Settings for tests: complete, harmless, with one secret key."""

from pathlib import Path
from typing import Any

import msgspec

from airouter.settings import SecretKey, Settings, load

SECRET = SecretKey(id="t1", material=bytes(range(32)))


def settings_for(database: str, home: Path, **changes: Any) -> Settings:
    """What `serve` would have read, for the database of a test."""
    settings = load(
        {
            "AIROUTER_MODE": "demo",
            "AIROUTER_HOME": str(home),
            "AIROUTER_PUBLIC_URL": "http://127.0.0.1:8080",
            "AIROUTER_DATABASE_URL": database,
            "AIROUTER_CHALLENGE_ORIGIN": "https://widget.example",
        }
    )
    return msgspec.structs.replace(settings, secret_keys=(SECRET,), **changes)
