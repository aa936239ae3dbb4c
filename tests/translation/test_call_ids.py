"""Ids of tool calls, which every vendor makes up in its own way."""

import re

from tests.translation.dialects import DIALECTS


def test_a_call_s_name_that_anthropic_would_refuse_is_replaced_in_call_and_result_alike():
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": "What time is it?"},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": name, "type": "function", "function": {"name": "time", "arguments": "{}"}}
                    for name in ("functions.time:0", "call_1-a")
                ],
            },
            {"role": "tool", "tool_call_id": "functions.time:0", "content": "Noon"},
            {"role": "tool", "tool_call_id": "call_1-a", "content": "One"},
        ],
        "tools": [{"type": "function", "function": {"name": "time"}}],
    }
    written = DIALECTS["anthropic"].write_request(DIALECTS["chat"].read_request(body))
    _, asked, told = written["messages"]
    names = [block["id"] for block in asked["content"]]
    assert names[1] == "call_1-a"
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", names[0])
    assert [block["tool_use_id"] for block in told["content"]] == names
