"""What becomes of everything a request can ask for when its dialect and the provider's differ: one table, as data.

`carried`: it means the same over there. `dropped`: it is left out, for the reason given, and the answer's header
`x-airouter-dropped` names it. `refused`: the answer would be another one without it, so the call is refused before it
costs anything. The same dialect on both sides passes through untouched and needs no table.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from airouter.domain.errors import InvalidRequest

Dialect = Literal["chat", "responses", "anthropic", "gemini", "bedrock", "cohere"]
"""`chat` and `responses` are OpenAI's two. The last two are spoken by providers only."""

Feature = Literal[
    # what is said
    "system", "late_system", "image_data", "image_link", "document_data", "document_link", "audio_data", "audio_link",
    "video_data", "video_link", "stored_files", "stored_conversation", "reasoning_replay", "prefill", "cache_marks",
    "citations",
    # tools
    "tools", "strict_tools", "custom_tools", "server_tools", "legacy_functions", "tool_choice_none",
    "tool_choice_required", "tool_choice_named", "tool_choice_allowed", "no_parallel_calls", "tool_result_media",
    "tool_result_error",
    # what is written
    "json", "json_schema", "media_output", "verbosity", "reasoning_effort", "reasoning_budget", "choices", "logprobs",
    # how it is drawn
    "temperature", "top_p", "top_k", "seed", "penalties", "logit_bias", "stop",
    # for the vendor
    "user", "metadata", "stored_answer", "service_tier", "cache_key", "prediction", "truncation", "safety_settings",
    "unknown",
]  # fmt: skip
"""Everything a request can ask for that not every dialect has."""

Fate = Literal["carried", "dropped", "refused"]


class NotTranslatable(InvalidRequest):
    """The provider's dialect has nothing that means this, and without it the answer would be another one."""

    code = "not_translatable"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a feature, and why or how where that is not plain."""

    fate: Fate
    why: str = ""


def _put(rules: dict[Feature, Rule], fate: Fate, column: Mapping[Feature, str]) -> None:
    assert rules.keys().isdisjoint(column), f"twice: {rules.keys() & column.keys()}"
    for feature, why in column.items():
        rules[feature] = Rule(fate=fate, why=why)


def _rules(
    same: tuple[Feature, ...],
    *,
    carried: Mapping[Feature, str] = MappingProxyType({}),
    dropped: Mapping[Feature, str] = MappingProxyType({}),
    refused: Mapping[Feature, str] = MappingProxyType({}),
) -> Mapping[Feature, Rule]:
    """The column of one dialect. A feature that stands nowhere is found by a test."""
    plain: dict[Feature, str] = dict.fromkeys(same, "")
    every_carried: dict[Feature, str] = {**_CARRIED, **carried}
    every_dropped: dict[Feature, str] = {**_DROPPED, **dropped}
    every_refused: dict[Feature, str] = {**_REFUSED, **refused}
    rules: dict[Feature, Rule] = {}
    _put(rules, "carried", plain)
    _put(rules, "carried", every_carried)
    _put(rules, "dropped", every_dropped)
    _put(rules, "refused", every_refused)
    return rules


_HINT: Final = "it tunes the answer and does not change what was asked"
_CARRIED: Final[Mapping[Feature, str]] = {
    "custom_tools": "as functions with the text as their one argument; a grammar is told in the description",
    "tool_choice_allowed": "the other tools are left out",
}
"""By every dialect."""
_DROPPED: Final[Mapping[Feature, str]] = {
    "citations": "places in documents are told in one vendor's way only; the words are the same",
    "cache_key": "it helps the vendor's cache and does not change the answer",
    "logit_bias": "token ids of one vendor mean nothing to another",
    "metadata": "it is kept by the vendor for its own reports",
    "prediction": "it speeds an answer up and does not change it",
    "reasoning_replay": "a thought is sealed for the vendor that had it; the words of the conversation are carried",
    "safety_settings": "thresholds of one vendor's filters mean nothing to another",
    "service_tier": "tiers of one vendor mean nothing to another",
    "stored_answer": "the answer is not kept, and says `store: false`; send the whole conversation next time",
    "truncation": "a prompt that is too long is refused instead of shortened",
    "unknown": "a member that this gateway does not know means nothing in another dialect",
}
"""By every dialect."""
_REFUSED: Final[Mapping[Feature, str]] = {
    "legacy_functions": "they were replaced by tools in 2023; say `tools` and `tool_calls`",
    "media_output": "translated answers are text and tool calls",
    "server_tools": "only the vendor whose dialect it is can run it",
    "stored_conversation": "what one vendor remembers is unknown to another; send the whole conversation",
    "stored_files": "a file that one vendor keeps does not exist at another; send its content",
}
"""By every dialect."""
_NO_SOUND: Final = "the provider's models take no sound"
_NO_VIDEO: Final = "the provider's models take no video"
_FETCHED: Final = "fetched by the gateway, and sent as data"
_FOLDED: Final = "instructions given in the middle are put to those at the beginning"
_WORDS_OF_ERROR: Final = "the words of the error are the result"
_ONE_ANSWER: Final = "the provider writes one answer a call"
_ITSELF: Final = "the provider caches without being asked"
_NO_SWITCH: Final = "the provider has no such switch"
_EARLIER: Final = "the beginning of the answer is sent as an earlier message"
_BY_FAMILY: Final = "in the words of each family of models; dropped for a family that is not known"
_NO_BLANKS: Final = "but for those of blanks alone, which the provider refuses"
_UNTHINKING: Final = "where the model does not think and Anthropic's is not later than 4.6; else dropped"
_NO_JSON_MODE: Final = "there is no JSON mode without a schema; the prompt asks for it, as OpenAI requires"

_AS_OPENAI_CHECKS: Final = "where every member is required and no other allowed, as OpenAI's rules for `strict` say"

RULES: Final[Mapping[Dialect, Mapping[Feature, Rule]]] = {
    "chat": _rules(
        ("system", "late_system", "image_data", "image_link", "document_data", "audio_data", "tools",
         "tool_choice_none", "tool_choice_required", "tool_choice_named", "no_parallel_calls", "json",
         "verbosity", "reasoning_effort", "choices", "logprobs", "temperature", "top_p", "seed", "penalties", "stop",
         "user"),
        carried={
            "audio_link": _FETCHED,
            "document_link": _FETCHED,
            "json_schema": f"strictly {_AS_OPENAI_CHECKS}",
            "reasoning_budget": "as the effort that comes nearest",
            "strict_tools": f"{_AS_OPENAI_CHECKS}; else dropped",
            "tool_result_error": _WORDS_OF_ERROR,
            "tool_result_media": "media of a tool's result follow it in a message of the user",
        },
        dropped={"cache_marks": _ITSELF, "prefill": _EARLIER, "top_k": _HINT},
        refused={
            "video_data": _NO_VIDEO, "video_link": _NO_VIDEO,
        },
    ),
    "responses": _rules(
        ("system", "late_system", "image_data", "image_link", "document_data", "document_link", "tools",
         "tool_choice_none", "tool_choice_required", "tool_choice_named", "no_parallel_calls", "tool_result_media",
         "json", "verbosity", "reasoning_effort", "logprobs", "temperature", "top_p", "user"),
        carried={
            "json_schema": f"strictly {_AS_OPENAI_CHECKS}",
            "reasoning_budget": "as the effort that comes nearest",
            "strict_tools": f"{_AS_OPENAI_CHECKS}; else dropped",
            "tool_result_error": _WORDS_OF_ERROR,
        },
        dropped={"cache_marks": _ITSELF, "penalties": _HINT, "prefill": _EARLIER, "seed": _HINT, "top_k": _HINT},
        refused={
            "audio_data": _NO_SOUND, "audio_link": _NO_SOUND, "choices": _ONE_ANSWER,
            "stop": "the provider has no stop sequences", "video_data": _NO_VIDEO, "video_link": _NO_VIDEO,
        },
    ),
    "anthropic": _rules(
        ("system", "image_data", "image_link", "document_data", "document_link", "tools", "strict_tools",
         "tool_choice_none", "tool_choice_required", "tool_choice_named", "no_parallel_calls", "tool_result_media",
         "tool_result_error", "json_schema", "cache_marks", "user", "prefill"),
        carried={
            "late_system": _FOLDED,
            "reasoning_budget": "up to version 4.6; later as the effort that comes nearest; not beside a forced tool",
            "reasoning_effort": "up to version 4.6 as a thinking budget, a share of the output allowance; not beside a "
            "forced tool",
            "stop": _NO_BLANKS,
            "temperature": f"at most 1, {_UNTHINKING}",
            "top_k": _UNTHINKING,
            "top_p": f"without a temperature, {_UNTHINKING}",
        },
        dropped={"json": _NO_JSON_MODE, "penalties": _HINT, "seed": _HINT, "verbosity": _HINT},
        refused={
            "audio_data": _NO_SOUND, "audio_link": _NO_SOUND, "choices": _ONE_ANSWER,
            "logprobs": "the provider gives no log probabilities", "video_data": _NO_VIDEO, "video_link": _NO_VIDEO,
        },
    ),
    "gemini": _rules(
        ("system", "image_data", "document_data", "audio_data", "video_data", "tools", "tool_choice_none",
         "tool_choice_required", "tool_choice_named", "json", "json_schema", "reasoning_budget", "temperature", "top_p",
         "top_k", "seed", "penalties", "stop", "logprobs", "choices", "prefill"),
        carried={
            "audio_link": _FETCHED,
            "document_link": _FETCHED,
            "image_link": _FETCHED,
            "late_system": _FOLDED,
            "reasoning_effort": "as a thinking level",
            "tool_result_error": "under `error` instead of `output`",
            "tool_result_media": "media of a tool's result stand beside it",
            "video_link": _FETCHED,
        },
        dropped={
            "cache_marks": _ITSELF, "no_parallel_calls": _NO_SWITCH, "strict_tools": _NO_SWITCH, "user": _HINT,
            "verbosity": _HINT,
        },
    ),
    "bedrock": _rules(
        ("system", "image_data", "document_data", "audio_data", "video_data", "tools", "strict_tools",
         "tool_choice_required", "tool_choice_named", "tool_result_media", "tool_result_error", "json_schema",
         "prefill"),
        carried={
            "audio_link": _FETCHED,
            "cache_marks": "as cache points",
            "document_link": _FETCHED,
            "image_link": _FETCHED,
            "late_system": _FOLDED,
            "reasoning_budget": _BY_FAMILY,
            "reasoning_effort": _BY_FAMILY,
            "stop": _NO_BLANKS,
            "temperature": f"at most 1, {_UNTHINKING}",
            "tool_choice_none": "the tools are not shown, and earlier calls are told in words",
            "top_p": f"Anthropic's without a temperature, {_UNTHINKING}",
            "video_link": _FETCHED,
        },
        dropped={
            "json": _NO_JSON_MODE, "no_parallel_calls": _NO_SWITCH, "penalties": _HINT, "seed": _HINT,
            "top_k": _HINT, "user": _HINT, "verbosity": _HINT,
        },
        refused={"choices": _ONE_ANSWER, "logprobs": "the provider gives no log probabilities"},
    ),
    "cohere": _rules(
        ("system", "late_system", "image_data", "image_link", "tools", "tool_choice_none", "tool_choice_required",
         "json", "json_schema", "reasoning_budget", "temperature", "top_k", "seed", "stop"),
        carried={
            "document_data": "documents of text as their words; any other is refused",
            "document_link": _FETCHED,
            "penalties": "from 0 to 1",
            "reasoning_effort": "`none` turns thinking off, anything else on",
            "strict_tools": "for all tools at once",
            "tool_choice_named": "the other tools are left out, and one must be called",
            "tool_result_error": _WORDS_OF_ERROR,
            "top_p": "at most 0.99",
        },
        dropped={
            "cache_marks": _NO_SWITCH, "logprobs": "the provider's are of another shape",
            "no_parallel_calls": _NO_SWITCH, "prefill": _EARLIER, "user": _HINT, "verbosity": _HINT,
        },
        refused={
            "audio_data": _NO_SOUND, "audio_link": _NO_SOUND, "choices": _ONE_ANSWER,
            "tool_result_media": "the provider's tool results are text", "video_data": _NO_VIDEO,
            "video_link": _NO_VIDEO,
        },
    ),
}  # fmt: skip
"""For each dialect of a provider, what becomes of what a client of another dialect asks for."""


TAKES_LINKS: Final[Mapping[Dialect, frozenset[str]]] = {
    "chat": frozenset({"image"}),
    "responses": frozenset({"image", "document"}),
    "anthropic": frozenset({"image", "document"}),
    "gemini": frozenset(),
    "bedrock": frozenset(),
    "cohere": frozenset({"image"}),
}
"""The kinds of media that a provider fetches itself; the gateway fetches the others."""


def dropped_or_refused(features: Mapping[Feature, str], provider: Dialect) -> list[Feature]:
    """What has to be left out for this provider.

    Raises:
        NotTranslatable: something that cannot be left out; `field` says what asks for it.
    """
    rules = RULES[provider]
    for feature, where in features.items():
        if rules[feature].fate == "refused":
            raise NotTranslatable(
                f"{where}: the provider of this model cannot do this ({feature}): {rules[feature].why}.", field=where
            )
    return sorted(feature for feature in features if rules[feature].fate == "dropped")
