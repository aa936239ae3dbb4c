"""Ids of tool calls, which every vendor makes up in its own way, and what clients call whoever asks."""

import json
import re

import pytest

from airouter.providers.adapting import Adaptation, Adapter
from airouter.providers.vendors import VENDORS
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


@pytest.mark.parametrize(("dialect", "longest"), [("chat", 40), ("responses", 64)])
def test_a_call_s_name_that_is_too_long_for_openai_is_replaced_in_call_and_result_alike(dialect: str, longest: int):
    long = "call_" + "x" * 64
    call = {"type": "tool_use", "id": long, "name": "time", "input": {}}
    body = {
        "max_tokens": 9,
        "messages": [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": long, "content": "Noon"}]},
        ],
    }
    written = str(DIALECTS[dialect].write_request(DIALECTS["anthropic"].read_request(body)))
    (name,) = set(re.findall(r"id-[0-9a-f]+", written))
    assert written.count(name) == 2
    assert len(name) <= longest
    assert long not in written


def test_a_long_name_of_whoever_asks_is_replaced_and_a_short_one_stays():
    """What Claude Code says is longer than OpenAI takes; Anthropic takes plain characters only."""
    long = "user_" + "0" * 64 + "_account__session_" + "1" * 36
    asked = {"max_tokens": 9, "messages": [], "metadata": {"user_id": long}}
    for dialect in ("chat", "responses"):
        written = DIALECTS[dialect].write_request(DIALECTS["anthropic"].read_request(asked))
        assert len(written["safety_identifier"]) <= 64
        again = DIALECTS[dialect].write_request(DIALECTS["anthropic"].read_request(asked))
        assert again["safety_identifier"] == written["safety_identifier"]
    for name in ("ada", "ada@example.com"):
        read = DIALECTS["chat"].read_request({"messages": [], "user": name})
        assert DIALECTS["responses"].write_request(read)["safety_identifier"] == name
        told = DIALECTS["anthropic"].write_request(read)["metadata"]["user_id"]
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", told)
        assert (told == name) == ("@" not in name)


def test_a_call_s_name_is_of_nine_letters_and_digits_for_mistral_whoever_made_it():
    names = ["call_1", "a1B2c3D4e", "functions.time:0", "toolu_0123456789", "a-2345678", "\u00e91234567\u00e9"]
    asked = {
        "model": "m",
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": name, "type": "function"} for name in names]},
            *({"role": "tool", "tool_call_id": name, "content": "Noon"} for name in names),
        ],
    }
    mistral = Adapter(VENDORS["mistral"].adaptation or Adaptation())
    body, left_out = mistral.adapted(json.dumps(asked).encode())
    called, *told = json.loads(body)["messages"]
    found = [call["id"] for call in called["tool_calls"]]
    assert all(re.fullmatch(r"[a-zA-Z0-9]{9}", name) for name in found)
    assert len(set(found)) == len(names)
    assert found[1] == "a1B2c3D4e"
    assert [message["tool_call_id"] for message in told] == found
    assert left_out == ()
    assert mistral.adapted(body) == (body, ())


@pytest.mark.parametrize("odd", ['{"tool_calls":3}', '{"tool_calls":[3,{"id":4}],"tool_call_id":{}}', "7"])
def test_calls_of_another_shape_are_left_to_the_vendor(odd: str):
    body = f'{{"model":"m","messages":[{odd}],"tool_calls":1}}'.encode()
    assert Adapter(VENDORS["mistral"].adaptation or Adaptation()).adapted(body) == (body, ())
