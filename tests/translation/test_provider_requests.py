"""Recorded requests of the four dialects, written for Bedrock and Cohere: nothing said is lost, and the vendors' rules
about shape are kept.
"""

import json
from itertools import pairwise
from typing import Any

from airouter.translation.bedrock import requests as bedrock
from airouter.translation.cohere import requests as cohere
from airouter.translation.conversation import Conversation, Refusal, Text, ToolCall, features_of
from airouter.translation.links import with_data
from airouter.translation.support import Dialect, NotTranslatable, dropped_or_refused
from tests.providers.recordings import ABSENT
from tests.translation.dialects import DIALECTS, traffic
from tests.translation.test_recorded import fetched

CALLS = traffic()
BLOCKS = {"text", "image", "document", "video", "audio", "toolUse", "toolResult", "reasoningContent", "cachePoint"}


def readable(theirs: Dialect) -> list[tuple[str, Conversation]]:
    """Every recorded request that this dialect does not refuse, with its media at hand."""
    found: list[tuple[str, Conversation]] = []
    for call in CALLS:
        given = DIALECTS[call.dialect].read_request(call.request)
        try:
            dropped_or_refused(features_of(given, theirs), theirs)
        except NotTranslatable:
            continue
        found.append((call.name, with_data(given, fetched(given, theirs))))
    assert len(found) > len(CALLS) // 2, ABSENT
    return found


def words_of(conversation: Conversation) -> list[str]:
    parts = [part for turn in conversation.turns for part in turn.parts]
    return [part.text.strip() for part in parts if isinstance(part, Text | Refusal) and part.text.strip()]


def calls_of(conversation: Conversation) -> int:
    return sum(isinstance(part, ToolCall) for turn in conversation.turns for part in turn.parts)


def test_bedrock_gets_proper_requests():
    refused: list[str] = []
    for name, given in readable("bedrock"):
        try:
            body = bedrock.write(given, 4096)
        except NotTranslatable:  # a format that Bedrock has no word for
            refused.append(name)
            continue
        roles = [message["role"] for message in body["messages"]]
        assert all(one != other for one, other in pairwise(roles)), name
        blocks = [block for message in body["messages"] for block in message["content"]]
        assert all(len(block) == 1 and BLOCKS.issuperset(block) for block in blocks), name
        texts = [block["text"] for block in blocks if "text" in block]
        assert all(text.strip() for text in texts), name
        said = "\n".join(texts)
        assert all(word in said for word in words_of(given)), name
        has_tools = "toolConfig" in body
        assert has_tools or not any("toolUse" in block or "toolResult" in block for block in blocks), name
        told = sum("toolUse" in block for block in blocks) + sum("(Called the tool" in text for text in texts)
        assert told == calls_of(given), name
        assert_named_once([block["document"]["name"] for block in blocks if "document" in block])
        json.dumps(body)
    assert len(refused) < 5


def assert_named_once(names: list[str]) -> None:
    assert len(names) == len(set(names))
    assert all(name and len(name) <= 200 for name in names)


def test_cohere_gets_proper_requests():
    refused: list[str] = []
    for name, given in readable("cohere"):
        try:
            body = cohere.write(given)
        except NotTranslatable:  # a document that is no text
            refused.append(name)
            continue
        said: list[str] = []
        for message in body["messages"]:
            assert message["role"] in {"system", "user", "assistant", "tool"}, name
            assert "content" in message or "tool_calls" in message, name
            said += _texts(message)
        every = "\n".join(said)
        assert all(word in every for word in words_of(given)), name
        calls = [call for message in body["messages"] for call in message.get("tool_calls", ())]
        assert len(calls) == calls_of(given), name
        assert all(json.loads(call["function"]["arguments"]) is not None for call in calls), name
        json.dumps(body)
    assert len(refused) < 20


def _texts(message: dict[str, Any]) -> list[str]:
    content = message.get("content", message.get("tool_plan", ""))
    if isinstance(content, str):
        return [content]
    return [block["text"] for block in content if block["type"] == "text"]
