"""The audit finds every way in which a budget can disagree with the keys and records below it."""

import pytest

from airouter.services.books import audit
from airouter.services.budgets import Budget, Budgets
from airouter.storage.database import Database, connect
from tests.builders import run_sql
from tests.customers import customer


@pytest.mark.books_spoiled
@pytest.mark.parametrize(
    ("spoil", "fact", "drift"),
    [
        ("UPDATE budgets SET spent = 3", "a budget's spent is not the sum of its window's records", 3),
        ("UPDATE budgets SET leased = 2", "a budget's leased is not the sum of its keys' leases", 2),
        ("UPDATE keys SET is_budgeted = false", "a key does not know whether a budget counts it", 0),
        (
            "ALTER TABLE budgets DROP CONSTRAINT budget_within; UPDATE budgets SET spent = 101",
            "a budget is above its limit",
            101,
        ),
    ],
)
async def test_a_budget_that_drifts_is_found_to_the_unit(database: str, spoil: str, fact: str, drift: int) -> None:
    who = await customer(database, 1_000)
    opened = await Database.open(database, size_max=2)
    await Budgets(opened).set_member(who.account_id, who.user_id, [Budget(period="day", limit=100)])
    await opened.close()
    connection = await connect(database, as_owner=True)
    try:
        assert (await audit(connection)).ok
        await connection.execute(spoil)
        report = await audit(connection)
    finally:
        await connection.close()
    assert any(problem.startswith(fact) for problem in report.problems), report.problems
    assert report.drift == drift
    await run_sql(database, "UPDATE budgets SET spent = 0")
