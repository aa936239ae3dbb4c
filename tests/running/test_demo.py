"""What the demo is furnished with, and what a later start leaves alone."""

from pathlib import Path

from airouter.domain.policy import Network
from airouter.running.demo import seed
from airouter.running.home import Home
from airouter.services.policies import PolicyBook
from airouter.storage.database import Database
from tests.builders import run_sql
from tests.settings import settings_for


async def test_a_demo_may_try_models_on_its_own_machine_until_its_operator_says_otherwise(
    database: str, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    await seed(settings_for(database, tmp_path), home)
    opened = await Database.open(database)
    policies = PolicyBook(opened)
    assert (await policies.get("network")).value == Network(allow_private=True)
    await policies.put(Network())
    await seed(settings_for(database, tmp_path), home)
    assert (await policies.get("network")).value == Network()
    await opened.close()


async def test_a_demo_has_a_public_and_a_private_group_priced_models_and_quota(database: str, tmp_path: Path) -> None:
    demo = await seed(settings_for(database, tmp_path), Home(tmp_path))
    groups = await run_sql(database, "SELECT name, is_public FROM groups ORDER BY name")
    assert [tuple(row) for row in groups] == [("default", True), ("vip", False)]
    unpriced = "SELECT model FROM models WHERE model NOT IN (SELECT model FROM rate_cards)"
    assert await run_sql(database, unpriced) == []
    balances = await run_sql(database, "SELECT balance FROM wallets WHERE kind = 'main'")
    assert balances[0]["balance"] > 0
    assert demo.key.startswith("sk-")
