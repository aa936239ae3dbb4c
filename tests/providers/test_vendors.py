"""The table of vendors: each row's request as the vendor documents it, and the figures of a documented answer."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from airouter.providers import vendor_words_zh
from airouter.providers.adapting import Adaptation, Adapter
from airouter.providers.contract import Call
from airouter.providers.registry import PROVIDERS
from airouter.providers.vendor_guide import table
from airouter.providers.vendors import VENDORS
from airouter.upstream.contract import split_url
from airouter.wire import responses
from tests.providers.calls import call, delta, event, fed, reader, stop

DOCUMENT = Path(__file__).parents[2] / "docs" / "operate" / "providers.md"
CODE = re.compile(r"`([^`]+)`")
OPENAI_ALIKE = sorted(name for name, row in VENDORS.items() if "chat.completions" in row.endpoints)
STANDARD: dict[str, Any] = {
    "model": "public",
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ],
    "max_completion_tokens": 77,
    "stream": True,
    "temperature": 0.5,
}


def sent(provider: str, body: dict[str, Any] | bytes, endpoint: Any = "chat.completions") -> dict[str, Any]:
    out = PROVIDERS[provider].outgoing(call(body, endpoint=endpoint, upstream_model="theirs"))
    return json.loads(out.body)


@pytest.mark.parametrize("name", sorted(VENDORS))
def test_default_addresses_can_be_connected_to_and_lead_to_their_documents(name: str):
    row = VENDORS[name]
    for address in filter(None, (row.base_url, row.base_url_hint)):
        origin, prefix = split_url(address)
        assert not prefix.endswith("/")
        assert origin.is_tls or origin.host == "localhost"
    assert not row.docs or row.docs.startswith("https://")


def test_every_note_is_said_in_chinese_too_with_the_same_code():
    assert set(vendor_words_zh.NOTES) == {name for name, row in VENDORS.items() if row.notes}
    for name, said in vendor_words_zh.NOTES.items():
        assert sorted(CODE.findall(said)) == sorted(CODE.findall(VENDORS[name].notes)), name
        assert said.count("`") % 2 == 0


def test_every_hint_with_words_is_said_in_chinese_too():
    with_words = {name for name, row in VENDORS.items() if " " in row.credential_hint}
    assert set(vendor_words_zh.HINTS) == with_words


def test_addresses_in_notes_are_code_so_that_nothing_of_them_is_taken_for_markup():
    for name, row in VENDORS.items():
        plain = CODE.sub("", row.notes)
        assert not re.search(r"https?:|[<>]", plain), name


def test_every_vendor_but_those_without_a_name_leads_to_its_documents():
    assert {name for name, row in VENDORS.items() if not row.docs} == {"openai-compatible", "scripted"}


@pytest.mark.parametrize("name", OPENAI_ALIKE)
def test_no_vendor_is_sent_a_limit_that_it_does_not_know(name: str):
    body = sent(name, STANDARD)
    adaptation = VENDORS[name].adaptation
    renamed = adaptation is not None and ("max_completion_tokens", "max_tokens") in adaptation.renames
    assert ("max_tokens" in body, "max_completion_tokens" in body) == (renamed, not renamed)
    assert body.get("max_tokens", body.get("max_completion_tokens")) == 77
    assert (body["model"], body["temperature"]) == ("theirs", 0.5)


@pytest.mark.parametrize("name", OPENAI_ALIKE)
def test_usage_is_asked_for_where_the_vendor_understands_it_and_nothing_else_is_added(name: str):
    body = sent(name, STANDARD)
    assert body.get("stream_options") == ({"include_usage": True} if VENDORS[name].asks_for_usage else None)
    assert set(body) - {"stream_options", "max_tokens"} <= set(STANDARD)


@pytest.mark.parametrize("name", ["qwen", "volcengine"])
def test_limit_that_would_leave_thoughts_uncounted_is_sent_as_one_of_everything(name: str):
    """Their `max_tokens` limits the answer alone, and the thoughts before it are billed as well."""
    body = sent(name, {"model": "public", "messages": [], "max_tokens": 77})
    assert body == {"model": "theirs", "messages": [], "max_completion_tokens": 77}
    assert sent(name, {**STANDARD, "max_tokens": 99})["max_completion_tokens"] == 77


@pytest.mark.parametrize("name", ["deepseek", "mistral", "perplexity"])
def test_developer_becomes_system_where_the_vendor_knows_no_such_role(name: str):
    assert [message["role"] for message in sent(name, STANDARD)["messages"]] == ["system", "user"]


def test_developer_stays_elsewhere_and_in_a_text_that_only_speaks_of_one():
    assert sent("openai", STANDARD)["messages"][0]["role"] == "developer"
    said = call(model="m", messages=[{"role": "user", "content": 'I am a "developer"'}])
    assert PROVIDERS["deepseek"].outgoing(said).body is said.body


def test_developer_of_a_responses_call_becomes_system_at_deepseek():
    items = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    data = json.dumps({"model": "m", "input": items}).encode()
    asked = Call(
        endpoint="responses", request=responses.read_request(data), body=data, upstream_model="m", credential="k"
    )
    roles = [item["role"] for item in json.loads(PROVIDERS["deepseek"].outgoing(asked).body)["input"]]
    assert roles == ["system", "user"]


def test_mistral_gets_no_member_that_it_refuses_and_the_client_is_told():
    body = {**STANDARD, "seed": 3, "user": "u", "store": True, "stream_options": {"include_usage": True}}
    body |= {"prompt_cache_key": "k", "prompt_cache_options": {"mode": "implicit"}}
    out = PROVIDERS["mistral"].outgoing(call(body, upstream_model="theirs"))
    found = json.loads(out.body)
    assert found["random_seed"] == 3
    assert found["prompt_cache_key"] == "k"
    assert not {"seed", "user", "store", "stream_options", "max_completion_tokens", "prompt_cache_options"} & set(found)
    assert out.dropped == ("user", "store", "prompt_cache_options")


def test_mistrals_stream_says_its_usage_unasked_in_its_last_event():
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    stream = reader(provider="mistral")
    fed(stream, [delta("Hi"), stop(usage=usage), b"data: [DONE]\n\n"])
    assert stream.reported is not None
    assert stream.reported.quantities == {"input": 5, "output": 7, "request": 1}


def test_voyage_is_asked_in_its_own_words_and_its_lone_total_is_input():
    asked = {"model": "voyage-3.5", "input": ["a"], "dimensions": 256, "encoding_format": "float", "user": "u"}
    assert sent("voyage", asked, "embeddings") == {"model": "theirs", "input": ["a"], "output_dimension": 256}
    kept = sent("voyage", {**asked, "encoding_format": "base64"}, "embeddings")
    assert kept["encoding_format"] == "base64"
    answer = {"object": "list", "data": [{"embedding": [0.1], "index": 0}], "usage": {"total_tokens": 10}}
    found = PROVIDERS["voyage"].answer(call(asked, endpoint="embeddings"), json.dumps(answer).encode())
    assert found.reported is not None
    assert found.reported.quantities == {"input": 10, "request": 1}


def test_no_response_is_made_by_another_model_than_the_one_that_was_admitted():
    asked = {"model": "perplexity/sonar", "input": "Hi", "preset": "xhigh", "models": ["openai/gpt-5.5"]}
    assert sent("perplexity-agent", asked, "responses") == {"model": "theirs", "input": "Hi"}


def test_xai_makes_responses_itself_and_its_figures_add_up():
    out = PROVIDERS["xai"].outgoing(call({"model": "grok", "input": "Hi"}, endpoint="responses"))
    assert out.path == "/responses"
    usage = {
        "input_tokens": 32,
        "input_tokens_details": {"cached_tokens": 8},
        "output_tokens": 103,
        "output_tokens_details": {"reasoning_tokens": 94},
        "total_tokens": 135,
    }
    answer = {"id": "resp_1", "object": "response", "status": "completed", "output": [], "usage": usage}
    found = PROVIDERS["xai"].answer(call({"model": "grok"}, endpoint="responses"), json.dumps(answer).encode())
    assert found.reported is not None
    assert found.reported.quantities == {"input": 24, "cached_input": 8, "output": 9, "reasoning": 94, "request": 1}


def test_searches_of_xai_are_those_that_it_bills():
    """docs.x.ai/developers/tools/tool-usage-details: tried calls are items, those that ran are in the usage."""
    usage = {
        "input_tokens": 7,
        "output_tokens": 5,
        "total_tokens": 12,
        "num_sources_used": 9,
        "num_server_side_tools_used": 5,
        "server_side_tool_usage_details": {"web_search_calls": 2, "x_search_calls": 3, "code_interpreter_calls": 0},
    }
    items = [{"type": "web_search_call"}] * 3 + [{"type": "custom_tool_call", "name": "x_keyword_search"}] * 3
    answer = {"id": "resp_1", "object": "response", "status": "completed", "output": items, "usage": usage}
    asked = call({"model": "grok", "input": "Hi", "tools": [{"type": "x_search"}]}, endpoint="responses")
    found = PROVIDERS["xai"].answer(asked, json.dumps(answer).encode())
    assert found.reported is not None
    assert found.reported.quantities == {"input": 7, "output": 5, "search": 5, "request": 1}
    assert asked.request.asks == ("search",)


def test_jina_is_asked_for_base64_by_its_own_name():
    asked = {"model": "jina-embeddings-v4", "input": ["a"], "encoding_format": "base64", "dimensions": 64}
    wanted = {"model": "theirs", "input": ["a"], "embedding_type": "base64", "dimensions": 64}
    assert sent("jina", asked, "embeddings") == wanted


@pytest.mark.parametrize(
    ("vendor", "usage", "quantities"),
    [
        ("qwen", {"prompt_tokens": 22, "completion_tokens": 17, "total_tokens": 39,
                  "prompt_tokens_details": {"cached_tokens": 0}}, {"input": 22, "output": 17}),
        ("moonshot", {"prompt_tokens": 19, "completion_tokens": 13, "total_tokens": 32, "cached_tokens": 10},
         {"input": 9, "cached_input": 10, "output": 13}),
        ("minimax", {"prompt_tokens": 26, "completion_tokens": 223, "total_tokens": 249, "total_characters": 0,
                     "completion_tokens_details": {"reasoning_tokens": 214}},
         {"input": 26, "output": 9, "reasoning": 214}),
        ("volcengine", {"prompt_tokens": 19, "completion_tokens": 9, "total_tokens": 28,
                        "prompt_tokens_details": {"cached_tokens": 8},
                        "completion_tokens_details": {"reasoning_tokens": 0}},
         {"input": 11, "cached_input": 8, "output": 9}),
        ("siliconflow", {"prompt_tokens": 10, "completion_tokens": 30, "total_tokens": 40,
                         "completion_tokens_details": {"reasoning_tokens": 20}},
         {"input": 10, "output": 10, "reasoning": 20}),
        ("zhipu", {"prompt_tokens": 8, "completion_tokens": 262, "total_tokens": 270,
                   "prompt_tokens_details": {"cached_tokens": 6}}, {"input": 2, "cached_input": 6, "output": 262}),
        ("perplexity", {"prompt_tokens": 8, "completion_tokens": 439, "total_tokens": 447, "num_search_queries": 2},
         {"input": 8, "output": 439, "search": 2}),
        ("xai", {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, "num_sources_used": 0,
                 "prompt_tokens_details": {"cached_tokens": 6}, "completion_tokens_details": {"reasoning_tokens": 94}},
         {"input": 26, "cached_input": 6, "output": 9, "reasoning": 94}),
        ("ollama", {"prompt_tokens": 26, "completion_tokens": 298, "total_tokens": 324}, {"input": 26, "output": 298}),
        ("vllm", {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "prompt_tokens_details": None},
         {"input": 12, "output": 5}),
    ],
)  # fmt: skip
def test_figures_of_a_documented_answer_are_read_to_the_token(
    vendor: str, usage: dict[str, Any], quantities: dict[str, int]
):
    answer = {"id": "a", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}], "usage": usage}
    found = PROVIDERS[vendor].answer(call(), json.dumps(answer).encode())
    assert found.reported is not None
    assert (found.reported.quantities, found.reported.problem) == ({**quantities, "request": 1}, None)
    stream = reader(provider=vendor)
    fed(stream, [delta("Hi"), stop(), event({"choices": [], "usage": usage}), b"data: [DONE]\n\n"])
    assert stream.reported is not None
    assert stream.reported.quantities == {**quantities, "request": 1}


@pytest.mark.parametrize("spelling", ['"user"', '"us\\u0065r"'])
def test_a_member_is_found_in_whatever_spelling(spelling: str):
    body = b'{%b: "u", "a": 1.50, "seed": 3}' % spelling.encode()
    adapter = Adapter(Adaptation(renames=(("seed", "random_seed"),), leaves_out=("user",)))
    assert adapter.adapted(body) == (b'{"a":1.50,"random_seed":3}', ("user",))


def test_a_vendors_own_name_wins_over_the_one_that_is_renamed():
    adapter = Adapter(Adaptation(renames=(("max_completion_tokens", "max_tokens"),)))
    assert adapter.adapted(b'{"max_tokens":5,"max_completion_tokens":9}') == (b'{"max_tokens":5}', ())


def test_a_limit_is_not_lost_to_a_null_under_the_vendors_own_name():
    adapter = Adapter(Adaptation(renames=(("max_completion_tokens", "max_tokens"),)))
    assert adapter.adapted(b'{"max_tokens":null,"max_completion_tokens":9}') == (b'{"max_tokens":9}', ())
    assert adapter.adapted(b'{"max_tokens":5,"max_completion_tokens":null}') == (b'{"max_tokens":5}', ())


def test_the_guide_for_operators_has_the_table_as_it_is():
    """After a change of vendors.py: put what `airouter.providers.vendor_guide.table()` gives into the document."""
    assert table() in DOCUMENT.read_text()


def test_anthropic_is_not_told_to_let_another_model_answer():
    asked = {"model": "m", "max_tokens": 9, "messages": [], "fallbacks": "default", "x": 1}
    kept = {"model": "theirs", "max_tokens": 9, "messages": [], "x": 1}
    assert sent("anthropic", asked, "messages") == kept
