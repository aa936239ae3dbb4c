"""One call, one model: tools of a vendor's that run another one have no price."""

import json
from typing import Any

import pytest

from airouter.domain.errors import InvalidRequest
from airouter.wire.endpoint import Endpoint
from airouter.wire.requests import read_request

TIME = {"type": "function", "name": "time", "function": {"name": "time"}}


def body(*tools: Any) -> bytes:
    return json.dumps({"model": "m", "max_tokens": 9, "messages": [], "input": "Hi", "tools": tools}).encode()


@pytest.mark.parametrize("endpoint", ["chat.completions", "messages", "responses"])
@pytest.mark.parametrize(
    "kind",
    [
        "advisor_20260301",
        "openrouter:advisor",
        "openrouter:fusion",
        "openrouter:image_generation",
        "openrouter:subagent",
    ],
)
def test_a_tool_that_runs_another_model_is_refused_by_name(endpoint: Endpoint, kind: str):
    tools = body(TIME, {"type": kind, "name": "advisor", "model": "claude-opus-4-8"})
    for said in (tools, tools.replace(kind[1:3].encode(), b"".join(b"\\u%04x" % ord(one) for one in kind[1:3]))):
        with pytest.raises(InvalidRequest) as refused:
            read_request(endpoint, said)
        assert kind in refused.value.message
        assert refused.value.details["field"] == "tools"


@pytest.mark.parametrize("endpoint", ["chat.completions", "messages", "responses"])
def test_a_tool_of_the_client_s_may_be_called_so(endpoint: Endpoint):
    advisor = {"type": "function", "name": "advisor", "function": {"name": "advisor"}}
    assert read_request(endpoint, body(advisor, {"name": "advisor_2", "input_schema": {}})).model == "m"


def test_a_plugin_that_runs_other_models_is_refused_by_name():
    asked = {"model": "m", "messages": [], "plugins": [{"id": "web"}, {"id": "fusion", "analysis_models": ["dear"]}]}
    with pytest.raises(InvalidRequest) as refused:
        read_request("chat.completions", json.dumps(asked).encode())
    assert "fusion" in refused.value.message
    assert refused.value.details["field"] == "plugins"
    others = {**asked, "plugins": [{"id": "web"}, {"id": "response-healing"}]}
    assert read_request("chat.completions", json.dumps(others).encode()).model == "m"
