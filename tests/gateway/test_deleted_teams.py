"""A team ends while one of its calls still runs: the call is finished and charged, and only the rest is given up."""

import httpx
import pytest

from airouter.domain.policies.privacy import Privacy
from tests.live import Live
from tests.patience import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_call_that_runs_when_its_team_ends_is_finished_and_charged(house: Live) -> None:
    await house.policy(Privacy(remaining_balance="forfeit"))
    holder = await house.holder(10**12)
    await house.sql("UPDATE accounts SET kind = 'team' WHERE account_id = $1", holder.account_id)
    await house.sql(
        "INSERT INTO team_deletions (account_id, requested_by, is_by_operator, due_at, ends_keys_now) "
        "VALUES ($1, $2, false, now() + interval '1 day', false)",
        holder.account_id,
        holder.user_id,
    )
    jobs = house.app._house.services().jobs

    async def is_over() -> bool:
        await jobs.run("team_deletions")
        rows = await house.sql(
            "SELECT 1 FROM team_deletions WHERE account_id = $1 AND finished_at IS NOT NULL", holder.account_id
        )
        return bool(rows)

    body = {
        "model": "demo", "stream": True, "messages": [{"role": "user", "content": "Hello"}],
        "scripted": {"text": "one two three four", "chunks": 4, "chunk_delay_ms": 1500},
    }  # fmt: skip
    headers = {"authorization": f"Bearer {holder.key}"}
    async with httpx.AsyncClient(base_url=house.url) as client:
        async with client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            lines = answer.aiter_lines()
            await anext(lines)
            await house.sql(
                "UPDATE team_deletions SET due_at = now() - interval '1 second' WHERE account_id = $1",
                holder.account_id,
            )
            await is_over()
            text = "".join([line async for line in lines])
        assert "[DONE]" in text, "nobody cut it off"
        record = await house.record(answer.headers["x-request-id"])
        await until(is_over)
    assert record["status"] == "ok"
    assert record["charged"] == record["cost"] > 0
    assert await house.balance(holder) == 0
    rows = await house.sql(
        "SELECT amount FROM transfers WHERE kind = 'forfeit' AND debit_wallet = $1", holder.wallet_id
    )
    assert sum(row["amount"] for row in rows) == 10**12 - record["charged"]
