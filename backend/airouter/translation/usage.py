"""Disjoint buckets, added up the way each dialect says them."""

from typing import Any

from airouter.domain.rate_card import Meter
from airouter.translation.reply import Quantities


def _sum(quantities: Quantities, *meters: Meter) -> int:
    return sum(quantities.get(meter, 0) for meter in meters)


def read_total(quantities: Quantities) -> int:
    """Every token that was read, cached or not."""
    return _sum(quantities, "input", "cached_input", "cache_write_5m", "cache_write_1h", "audio_input", "image_input")


def written_total(quantities: Quantities) -> int:
    """Every token that was written, thoughts included."""
    return _sum(quantities, "output", "reasoning", "audio_output", "image_output")


def for_chat(quantities: Quantities) -> dict[str, Any]:
    """`usage` of a chat completion: totals, with the details inside them."""
    read, written = read_total(quantities), written_total(quantities)
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {
            "cached_tokens": quantities.get("cached_input", 0),
            "audio_tokens": quantities.get("audio_input", 0),
        },
        "completion_tokens_details": {
            "reasoning_tokens": quantities.get("reasoning", 0),
            "audio_tokens": quantities.get("audio_output", 0),
        },
    }


def for_responses(quantities: Quantities) -> dict[str, Any]:
    """`usage` of a response: the same, under other names."""
    read, written = read_total(quantities), written_total(quantities)
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": quantities.get("cached_input", 0)},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": quantities.get("reasoning", 0)},
        "total_tokens": read + written,
    }


def for_anthropic(quantities: Quantities) -> dict[str, Any]:
    """`usage` of a message: what was read is split, what was thought is within what was written."""
    short, long = quantities.get("cache_write_5m", 0), quantities.get("cache_write_1h", 0)
    return {
        "input_tokens": _sum(quantities, "input", "audio_input", "image_input"),
        "cache_creation_input_tokens": short + long,
        "cache_read_input_tokens": quantities.get("cached_input", 0),
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        "output_tokens": written_total(quantities),
    }


def for_gemini(quantities: Quantities) -> dict[str, Any]:
    """`usageMetadata`: thoughts stand beside what was written."""
    read, written = read_total(quantities), written_total(quantities)
    thoughts, cached = quantities.get("reasoning", 0), quantities.get("cached_input", 0)
    found = {
        "promptTokenCount": read,
        "candidatesTokenCount": written - thoughts,
        "totalTokenCount": read + written,
    }
    if thoughts:
        found["thoughtsTokenCount"] = thoughts
    if cached:
        found["cachedContentTokenCount"] = cached
    return found
