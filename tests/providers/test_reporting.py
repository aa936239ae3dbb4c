"""From what vendors say to disjoint quantities. Shapes are written by hand from the vendors' documentation."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.providers import anthropic, gemini
from airouter.providers.contract import Call, Reported
from airouter.providers.registry import PROVIDERS
from airouter.providers.reporting import FIGURE_MAX, Habits, UsageRefused, reported
from airouter.providers.vendors import VENDORS
from airouter.wire.gemini import Answer as GeminiAnswer
from airouter.wire.requests import Named, read_request


def read(usage: dict[str, Any], vendor: str = "openai-compatible") -> Reported:
    found = reported(usage, "chat.completions", VENDORS[vendor].habits, None)
    assert found is not None
    return found


def quantities(usage: dict[str, Any], vendor: str = "openai-compatible") -> dict[str, int]:
    found = read(usage, vendor)
    assert found.problem is None
    assert found.quantities is not None
    assert found.quantities.pop("request") == 1
    return dict(found.quantities)


def tokens(prompt: int, completion: int, total: int | None = None, **more: Any) -> dict[str, Any]:
    stated = prompt + completion if total is None else total
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": stated, **more}


def test_openai_counts_cached_and_reasoning_inside():
    usage = tokens(
        100,
        50,
        prompt_tokens_details={"cached_tokens": 64, "audio_tokens": 0},
        completion_tokens_details={"reasoning_tokens": 40, "rejected_prediction_tokens": 3, "audio_tokens": 0},
    )
    assert quantities(usage, "openai") == {"input": 36, "cached_input": 64, "output": 10, "reasoning": 40}


def test_openai_audio_leaves_the_plain_buckets():
    usage = tokens(100, 50, prompt_tokens_details={"audio_tokens": 80}, completion_tokens_details={"audio_tokens": 45})
    assert quantities(usage, "openai") == {"input": 20, "audio_input": 80, "output": 5, "audio_output": 45}


def test_cached_tokens_that_are_pictures_are_counted_once():
    usage = tokens(100, 1, prompt_tokens_details={"cached_tokens": 90, "image_tokens": 60})
    assert quantities(usage, "xai") == {"input": 0, "cached_input": 90, "image_input": 10, "output": 1}


def test_responses_say_what_was_written_to_the_cache_inside_the_input():
    """As recorded of Bedrock's OpenAI-compatible address; OpenAI prices such tokens above plain ones."""
    usage = {
        "input_tokens": 115,
        "input_tokens_details": {"cache_write_tokens": 27, "cached_tokens": 40},
        "output_tokens": 14,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 129,
    }
    assert quantities(usage, "openai") == {"input": 48, "cached_input": 40, "cache_write_5m": 27, "output": 14}


@pytest.mark.parametrize(
    ("stated", "tier"),
    [
        ({"speed": "fast", "service_tier": "standard"}, "fast"),
        ({"speed": "standard", "service_tier": "priority"}, "priority"),
        ({"speed": "standard"}, None),
        ({"speed": {"odd": True}, "service_tier": ["odd"]}, None),
    ],
)
def test_the_fast_mode_of_anthropic_is_a_service_tier_with_prices_of_its_own(stated: dict[str, Any], tier: str | None):
    found = anthropic.reported_in({"input_tokens": 3, "output_tokens": 5, **stated})
    assert found is not None
    assert found.service_tier == tier


def test_a_conversation_that_anthropic_summed_up_on_the_way_was_read_twice():
    usage = {
        "input_tokens": 23_000,
        "output_tokens": 1_000,
        "cache_read_input_tokens": 5,
        "iterations": [
            {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500, "cache_creation_input_tokens": 7},
            {"type": "advisor_message", "model": "another", "input_tokens": 11, "output_tokens": 12},
            {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000, "cache_read_input_tokens": 5},
        ],
    }
    found = anthropic.reported_in(usage)
    assert found is not None
    assert found.quantities == {
        "input": 203_000, "output": 4_500, "cached_input": 5, "cache_write_5m": 7, "request": 1,
    }  # fmt: skip
    odd = anthropic.reported_in({**usage, "iterations": [{"type": "compaction", "input_tokens": -1}]})
    assert odd is not None
    assert odd.problem == "usage_refused"


def test_pictures_that_gemini_had_in_its_cache_are_not_taken_from_the_words_beside_them():
    """As recorded."""
    usage = {
        "promptTokenCount": 345,
        "candidatesTokenCount": 80,
        "thoughtsTokenCount": 141,
        "totalTokenCount": 566,
        "cachedContentTokenCount": 191,
        "cacheTokensDetails": [{"modality": "IMAGE", "tokenCount": 143}, {"modality": "TEXT", "tokenCount": 48}],
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 87}, {"modality": "IMAGE", "tokenCount": 258}],
    }
    found = gemini.reported_in(GeminiAnswer(usageMetadata=usage))
    assert found is not None
    assert found.problem is None
    assert found.quantities == {
        "input": 39, "image_input": 115, "cached_input": 191, "output": 80, "reasoning": 141, "request": 1,
    }  # fmt: skip


def test_an_excess_that_is_heard_adds_to_what_the_details_say_was_heard():
    found = read(tokens(1, 0, 2, prompt_tokens_details={"audio_tokens": 1}), "mistral")
    assert found.quantities == {"input": 0, "output": 0, "audio_input": 2, "request": 1}
    assert found.problem == "total_differs"


def test_xai_counts_reasoning_beside():
    usage = tokens(32, 9, 135, completion_tokens_details={"reasoning_tokens": 94})
    assert quantities(usage, "xai") == {"input": 32, "output": 9, "reasoning": 94}
    without_total = {name: value for name, value in usage.items() if name != "total_tokens"}
    assert quantities(without_total, "xai") == {"input": 32, "output": 9, "reasoning": 94}


def test_total_decides_where_a_vendor_changes_its_habit():
    usage = tokens(32, 103, 135, completion_tokens_details={"reasoning_tokens": 94})
    assert quantities(usage, "xai") == {"input": 32, "output": 9, "reasoning": 94}


@pytest.mark.parametrize(
    "more",
    [
        {"prompt_tokens_details": {"cached_tokens": 896}},
        {"prompt_cache_hit_tokens": 896, "prompt_cache_miss_tokens": 80},
        {"num_cached_tokens": 896},
        {"cached_tokens": 896},
        {"cache_read_input_tokens": 896},
        {"prompt_tokens_details": None, "cached_tokens": 896},
        {"prompt_tokens_details": {"cached_tokens": 896}, "prompt_cache_hit_tokens": 896, "num_cached_tokens": 896},
    ],
)
def test_cached_tokens_are_found_wherever_vendors_put_them(more: dict[str, Any]):
    assert quantities(tokens(976, 61, **more)) == {"input": 80, "cached_input": 896, "output": 61}


def test_cache_reads_and_writes_beside_the_prompt_never_make_it_negative():
    usage = tokens(3, 100, 2672, cache_read_input_tokens=2240, cache_creation_input_tokens=329)
    assert quantities(usage) == {"input": 3, "cached_input": 2240, "cache_write_5m": 329, "output": 100}


def test_cache_reads_and_writes_inside_the_prompt():
    usage = tokens(2572, 100, prompt_tokens_details={"cached_tokens": 2240, "cache_write_tokens": 329})
    assert quantities(usage, "openrouter") == {"input": 3, "cached_input": 2240, "cache_write_5m": 329, "output": 100}


def test_thinking_that_only_the_total_knows_is_charged_as_reasoning():
    found = read(tokens(10, 20, 530))
    assert found.quantities == {"input": 10, "output": 20, "reasoning": 500, "request": 1}
    assert found.problem == "total_differs"


def test_audio_that_mistral_listened_to_is_in_the_total_only():
    found = read(tokens(4, 635, 3264, prompt_audio_seconds=203), "mistral")
    assert found.quantities == {"input": 4, "audio_input": 2625, "output": 635, "request": 1}


def test_searches_are_counted_where_the_vendor_says_so():
    assert quantities(tokens(1, 1, num_search_queries=4), "perplexity")["search"] == 4
    for name in ("server_tool_use", "server_tool_use_details"):
        assert quantities(tokens(1, 1, **{name: {"web_search_requests": 2}}), "openrouter")["search"] == 2
    both = {name: {"web_search_requests": 2} for name in ("server_tool_use", "server_tool_use_details")}
    assert quantities(tokens(1, 1, **both), "openrouter")["search"] == 2
    assert "search" not in quantities(tokens(1, 1, num_search_queries=4), "openai")


@pytest.mark.parametrize(
    ("model", "searches"),
    [("gemini-2.5-flash", 1), ("models/gemini-1.5-pro", 1), ("gemini-3-pro", 2), ("gemini-3.8-flash", 2), ("tuned", 2)],
)
@pytest.mark.parametrize("is_streaming", [True, False])
def test_google_bills_queries_since_gemini_3_and_calls_that_made_any_before(
    model: str, searches: int, *, is_streaming: bool
):
    """As recorded: an empty query among them is none, and one that was made twice is one."""
    grounded = {"groundingMetadata": {"webSearchQueries": ["", "a", "b", "a"]}, "content": {"parts": [{"text": "Hi"}]}}
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    answer = {"candidates": [{**grounded, "finishReason": "STOP"}], "usageMetadata": usage}
    data = json.dumps(answer).encode()
    asked = b'{"contents":[],"tools":[{"googleSearch":{}}]}'
    head = read_request("generate_content", asked, Named(model="public", is_streaming=is_streaming))
    call = Call(endpoint="generate_content", request=head, body=asked, upstream_model=model, credential="k")
    if is_streaming:
        reader = PROVIDERS["gemini"].stream(call)
        early = json.dumps({"candidates": [{**grounded, "groundingMetadata": {"webSearchQueries": ["a"]}}]}).encode()
        reader.feed(b"data: " + early + b"\n\ndata: " + data + b"\n\n")
        found = reader.reported
    else:
        found = PROVIDERS["gemini"].answer(call, data).reported
    assert found is not None
    assert found.quantities == {"input": 3, "output": 2, "search": searches, "request": 1}


def test_a_model_of_openai_that_always_searches_is_counted_a_search_for_each_chat():
    for vendor, model, searches in (
        ("openai", "gpt-5-search-api", 1),
        ("openai", "gpt-4o-mini-search-preview", 1),
        ("openai", "gpt-5", 0),
        ("openai-compatible", "my-search-model", 0),
    ):
        found = reported(tokens(1, 1), "chat.completions", VENDORS[vendor].habits, None, model=model)
        assert found is not None
        assert found.quantities is not None
        assert found.quantities.get("search", 0) == searches
    asked = b'{"model":"public","messages":[]}'
    head = read_request("chat.completions", asked)
    call = Call(
        endpoint="chat.completions", request=head, body=asked, upstream_model="gpt-5-search-api", credential="k"
    )
    answer = {"choices": [{"message": {"content": "Hi"}}], "usage": tokens(1, 1)}
    found = PROVIDERS["openai"].answer(call, json.dumps(answer).encode()).reported
    assert found is not None
    assert found.quantities == {"input": 1, "output": 1, "search": 1, "request": 1}


def test_explicit_zero_is_a_statement_and_silence_is_none():
    assert quantities(tokens(0, 0)) == {"input": 0, "output": 0}
    assert quantities(tokens(0, 180)) == {"input": 0, "output": 180}
    for silent in ({}, {"prompt_tokens": None, "total_tokens": None}, {"cost": 0.1}):
        assert reported(silent, "chat.completions", Habits(), None) is None


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 10, "total_tokens": 14}, {"input": 10, "output": 4}),
        ({"completion_tokens": 4, "total_tokens": 14}, {"input": 10, "output": 4}),
        ({"prompt_tokens": 10}, {"input": 10, "output": 0}),
        ({"completion_tokens": 4}, {"input": 0, "output": 4}),
        ({"total_tokens": 14}, {"input": 14, "output": 0}),
        ({"input_tokens": 10, "output_tokens": 4}, {"input": 10, "output": 4}),
        ({"prompt_tokens": 10.0, "completion_tokens": 4.0, "total_tokens": 14.0}, {"input": 10, "output": 4}),
    ],
)
def test_figure_left_out_follows_from_the_others(usage: dict[str, Any], expected: dict[str, int]):
    assert quantities(usage) == expected


@pytest.mark.parametrize("figure", [-1, 1.5, "12", True, FIGURE_MAX + 1, 10**30, float("inf"), [], {}])
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens", "total_tokens"])
def test_figure_that_cannot_be_true_refuses_the_whole_report(figure: Any, name: str):
    with pytest.raises(UsageRefused):
        reported({**tokens(1, 1), name: figure}, "chat.completions", Habits(), None)


def test_detail_that_cannot_be_true_refuses_the_whole_report():
    with pytest.raises(UsageRefused):
        read(tokens(1, 1, prompt_tokens_details={"cached_tokens": -5}))


def test_details_larger_than_their_whole_are_dropped_and_marked():
    found = read(tokens(10, 5, prompt_tokens_details={"cached_tokens": 11}))
    assert found.quantities == {"input": 10, "output": 5, "request": 1}
    assert found.problem == "details_contradict"
    found = read(tokens(10, 5, completion_tokens_details={"reasoning_tokens": 6}))
    assert found.quantities == {"input": 10, "output": 5, "request": 1}
    assert found.problem == "details_contradict"


def test_total_below_its_parts_is_marked_and_the_parts_stand():
    found = read(tokens(10, 5, 3))
    assert found.quantities == {"input": 10, "output": 5, "request": 1}
    assert found.problem == "total_differs"


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 8, "total_tokens": 8}, 8),
        ({"total_tokens": 8}, 8),
        ({"total_tokens": 0}, 0),
        ({"prompt_tokens": 8}, 8),
        ({"prompt_tokens": 8, "completion_tokens": 0, "total_tokens": 8}, 8),
    ],
)
def test_embeddings_are_all_input(usage: dict[str, Any], counted: int):
    found = reported(usage, "embeddings", Habits(), None)
    assert found is not None
    assert found.quantities == {"input": counted, "request": 1}
    assert found.problem is None


FIGURES = st.integers(-2, 60) | st.sampled_from([None, 0, 1.0, FIGURE_MAX])


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "prompt_tokens": FIGURES,
            "completion_tokens": FIGURES,
            "total_tokens": FIGURES,
            "prompt_tokens_details": st.none()
            | st.fixed_dictionaries(
                {}, optional={"cached_tokens": FIGURES, "audio_tokens": FIGURES, "cache_write_tokens": FIGURES}
            ),
            "completion_tokens_details": st.none()
            | st.fixed_dictionaries({}, optional={"reasoning_tokens": FIGURES, "audio_tokens": FIGURES}),
            "num_cached_tokens": FIGURES,
        },
    ),
    st.sampled_from(sorted(VENDORS)),
)
def test_quantities_are_never_negative_and_add_up_to_the_total_or_are_marked(usage: dict[str, Any], vendor: str):
    try:
        found = reported(usage, "chat.completions", VENDORS[vendor].habits, None)
    except UsageRefused:
        return
    if found is None:
        return
    assert found.quantities is not None
    assert all(quantity >= 0 for quantity in found.quantities.values())
    counted = sum(quantity for meter, quantity in found.quantities.items() if meter not in {"request", "search"})
    total = usage.get("total_tokens")
    if found.problem is None and total is not None:
        assert counted == total
    if found.problem == "total_differs":
        assert counted >= (total or 0)
