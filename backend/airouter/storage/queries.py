"""Named queries. A `.sql` file is a list of queries, each opened by a line `-- name: what_it_does`.

    QUERIES = load("wallets")          # storage/wallets.sql
    await connection.fetch(QUERIES.lock_wallets, ids)

`every_query()` lists them all, so that a test can prepare each against the migrated schema.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

_FOLDER = Path(__file__).parent
_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def load(noun: str) -> SimpleNamespace:
    """The queries of storage/<noun>.sql as attributes."""
    return SimpleNamespace(**dict(_parse(_FOLDER / f"{noun}.sql")))


def every_query() -> Iterator[tuple[str, str, str]]:
    """(noun, name, SQL) of every named query."""
    for path in sorted(_FOLDER.glob("*.sql")):
        for name, sql in _parse(path):
            yield path.stem, name, sql


def _parse(path: Path) -> Iterator[tuple[str, str]]:
    parts = _NAME.split(path.read_text())
    if parts[0].strip() and not all(line.startswith("--") or not line for line in parts[0].splitlines()):
        raise ValueError(f"{path.name}: text before the first `-- name:` line")
    names = parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{path.name}: a query name stands twice")
    for name, sql in zip(names, parts[2::2], strict=True):
        yield name, sql.strip()
