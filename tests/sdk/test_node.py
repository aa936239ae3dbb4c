"""The official Node client against a running gateway. (The Python one is in tests/gateway/test_sdk.py.)"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from tests import postgres
from tests.audit import audit_books
from tests.live import Holder, Live, serving
from tests.patience import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCRIPT = Path(__file__).with_name("calls.mjs")
EMBEDDING_RATE = 20_000_000
CALLS = 15
"""Those of the script that are answered."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the client saw, and whose books show it."""

    said: dict[str, Any]
    live: Live
    holder: Holder
    poor: Holder
    balance: int
    balance_of_poor: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory):
    """One run of the script."""
    async with postgres.cloned(postgres_server, template_database) as dsn:
        async with serving(dsn, tmp_path_factory.mktemp("home")) as live:
            await live.model()
            await live.model("embedder", {"input": EMBEDDING_RATE})
            await live.model("vendor/family:2.5")
            await live.model("omni-moderation-latest", {"request": 5})
            await live.channel(models=["demo", "embedder", "vendor/family:2.5", "omni-moderation-latest"])
            holder, poor = await live.holder(), await live.holder(quota=1)
            said = await run(live, holder, poor)
            await until(lambda: all_are_settled(live, holder))
            yield Seen(
                said=said,
                live=live,
                holder=holder,
                poor=poor,
                balance=await live.balance(holder),
                balance_of_poor=await live.balance(poor),
            )
        await audit_books(dsn)


async def all_are_settled(live: Live, holder: Holder) -> bool:
    rows = await live.sql("SELECT 1 FROM usage_records WHERE account_id = $1 AND status = 'ok'", holder.account_id)
    return len(rows) >= CALLS


async def run(live: Live, holder: Holder, poor: Holder) -> dict[str, Any]:
    environ = {"OPENAI_BASE_URL": f"{live.url}/v1", "OPENAI_API_KEY": holder.key, "POOR_KEY": poor.key}
    node = await asyncio.create_subprocess_exec(
        "node",
        str(SCRIPT),
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaints = await node.communicate()
    assert node.returncode == 0, complaints.decode()
    return json.loads(said)


async def test_a_conversation_is_answered_and_charged(seen: Seen):
    chat = seen.said["chat"]
    assert chat["text"]
    assert chat["finish"] == "stop"
    assert chat["request_id"] == chat["header"]
    record = await seen.live.record(chat["request_id"])
    assert record["status"] == "ok"
    quantities = record["quantities"]
    assert quantities["input"] + quantities.get("cached_input", 0) == chat["usage"]["prompt_tokens"]
    assert quantities["output"] == chat["usage"]["completion_tokens"]


async def test_a_stream_arrives_in_parts_and_whole(seen: Seen):
    stream = seen.said["stream"]
    assert stream["text"] == "Grüezi, 世界!"
    assert stream["chunks"] >= 5
    assert stream["usage"]["completion_tokens"] > 0
    assembled = seen.said["assembled"]
    assert assembled["text"] == assembled["heard"] == "In parts, then whole."


async def test_tools_and_old_completions(seen: Seen):
    assert seen.said["tools"] == {"name": "weather", "arguments": {"city": "Bern"}}
    assert seen.said["completions"]["text"]


async def test_vectors_are_the_same_numbers_packed_and_plain(seen: Seen):
    vectors = seen.said["embeddings"]
    assert len(vectors["plain"]) > 8
    assert vectors["unpacked"] == pytest.approx(vectors["plain"])
    assert vectors["usage"]["prompt_tokens"] > 0


async def test_responses_are_answered_whole_streamed_and_with_tools(seen: Seen):
    whole, stream, tools = (seen.said[name] for name in ("responses", "responsesStream", "responsesTools"))
    assert (whole["status"], bool(whole["text"])) == ("completed", True)
    record = await seen.live.record(whole["header"])
    assert record["endpoint"] == "responses"
    assert record["quantities"]["output"] == whole["usage"]["output_tokens"]
    assert (stream["first"], stream["last"]) == ("response.created", "response.completed")
    assert stream["text"] == stream["whole"] != ""
    assert (tools["name"], tools["arguments"]) == ("weather", {})
    assert tools["text"]


async def test_moderations_answer_without_a_model_too(seen: Seen):
    assert seen.said["moderations"] == {"one": True, "several": [False, True], "model": "omni-moderation-latest"}


async def test_models_are_those_of_the_key(seen: Seen):
    listed = ["demo", "embedder", "omni-moderation-latest", "vendor/family:2.5"]
    assert seen.said["models"] == {"listed": listed, "one": "vendor/family:2.5"}


@pytest.mark.parametrize(
    ("who", "kind", "status", "code"),
    [
        ("stranger", "AuthenticationError", 401, "invalid_api_key"),
        ("model", "NotFoundError", 404, "model_not_found"),
        ("body", "BadRequestError", 400, None),
        ("poor", "RateLimitError", 429, "insufficient_quota"),
    ],
)
async def test_a_refusal_is_the_error_that_programs_catch(seen: Seen, who: str, kind: str, status: int, code: str):
    refusal = seen.said["refused"][who]
    assert refusal["is_api_error"]
    assert (refusal["class"], refusal["status"]) == (kind, status)
    assert code is None or refusal["code"] == code
    assert refusal["request_id"]
    assert refusal["message"]


async def test_an_empty_wallet_is_not_asked_twice(seen: Seen):
    """The client would try 429 again on its own; `x-should-retry` tells it not to."""
    assert seen.said["tries"] == 1


async def test_every_answer_was_charged_once_and_no_refusal_was(seen: Seen):
    [row] = await seen.live.sql(
        "SELECT count(*) AS calls, sum(charged)::bigint AS charged, sum(cost)::bigint AS cost"
        " FROM usage_records WHERE account_id = $1 AND status = 'ok'",
        seen.holder.account_id,
    )
    assert row["calls"] == CALLS
    assert row["charged"] == row["cost"] == 10**12 - seen.balance
    assert seen.balance_of_poor == 1
