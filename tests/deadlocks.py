"""Transactions of ours never wait for each other in a circle: the run's server says when they did, and the run fails.

A test that provokes one on purpose says so with `@pytest.mark.deadlock_provoked`.
"""

import re
from pathlib import Path
from typing import Final

LINE_PREFIX: Final = "log_line_prefix=%m [%p] %d "
"""What the server begins each line of its log with, so that it is known in whose database it happened."""

TESTS: Final[dict[str, str]] = {}
"""Of each database that a test had: the test."""
LOGS: Final[list[Path]] = []
"""Of the servers that the run has started."""
PROVOKED: Final[set[str]] = set()
"""Databases in which it is meant to happen."""

_LINE: Final = re.compile(r"^\S+ \S+ \S+ \[(?P<pid>\d+)\] (?P<database>\S*) (?P<level>[A-Z]+): +(?P<said>.*)")


def found(log: str) -> list[str]:
    """What the log of a server says of each deadlock that nobody provoked: whose it was, and who waited for whom."""
    stories: dict[str, list[str]] = {}
    finished: list[list[str]] = []
    speaker = ""
    for line in log.splitlines():
        match = _LINE.match(line)
        if match is None:  # an entry goes on
            if speaker in stories:
                stories[speaker].append(line)
            continue
        speaker = match["pid"]
        if match["level"] in {"DETAIL", "HINT", "CONTEXT", "STATEMENT"}:
            if speaker in stories:
                stories[speaker].append(f"{match['level']}: {match['said']}")
            continue
        stories.pop(speaker, None)
        if match["said"].startswith("deadlock detected") and match["database"] not in PROVOKED:
            stories[speaker] = [f"in {TESTS.get(match['database'], match['database'])}"]
            finished.append(stories[speaker])
    return ["\n".join(story) for story in finished]


def refuse_in(log: Path) -> None:
    """Fail when a server's log has a deadlock that nobody provoked."""
    stories = found(log.read_text(errors="replace") if log.exists() else "")
    assert not stories, "transactions waited for each other (a lock order is broken):\n\n" + "\n\n".join(stories)
