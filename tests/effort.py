"""How long the tests try: quick while developing, full in `make test`, soak for the figures of `make soak`.

`AIROUTER_TEST_EFFORT` names one. The counts of full and soak are those that docs promise for the guarantees.
"""

import os

import msgspec


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """Counts for the tests whose strength is their number."""

    name: str
    examples: int
    """Hypothesis examples of an ordinary property."""
    cases: int
    """Cases of a law of money against its oracle (give it to `@settings(max_examples=EFFORT.cases)`)."""
    kills: int
    """kill -9 of a gateway or of Postgres under load."""
    seeds: int
    """Seeds of a simulation or race."""
    soak_seconds: int
    """How long a memory test runs."""


EFFORTS = {
    effort.name: effort
    for effort in (
        Effort(name="quick", examples=50, cases=500, kills=3, seeds=20, soak_seconds=2),
        Effort(name="full", examples=200, cases=10_000, kills=20, seeds=200, soak_seconds=20),
        Effort(name="soak", examples=20_000, cases=1_000_000, kills=500, seeds=1_000, soak_seconds=3_600),
    )
}
EFFORT = EFFORTS[os.environ.get("AIROUTER_TEST_EFFORT", "quick")]
