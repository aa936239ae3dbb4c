"""How vendors report usage, and how a report becomes disjoint, non-negative quantities whose sum is the vendor's total.

The OpenAI-compatible vendors agree on `prompt_tokens`, `completion_tokens` and `total_tokens`. They disagree about
whether cached and reasoning tokens lie inside those figures or beside them, and about names and places. One rule
settles the first question for all of them: *the total decides*. The reading whose sum is the stated total is taken;
where no total is stated, the vendor's habit. Only what the total cannot tell stands in the table of vendors.py.

Sources: recorded answers where there are any (OpenAI, Groq, Mistral, Cerebras, DeepSeek, OpenRouter, z.ai, Together;
up to 2026), else what the vendors document.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airouter.domain.rate_card import Meter
from airouter.providers.contract import Problem, Reported
from airouter.wire.endpoint import VECTORS, Endpoint

FIGURE_MAX: Final = 1_000_000_000
"""No call uses more of anything: a larger figure is a fault of the vendor, and is refused."""

Path = tuple[str, ...]


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor does that its figures alone do not tell."""

    reasoning_beside: bool = False
    """Reasoning tokens are not part of `completion_tokens`; matters only where no total is stated."""
    cached_beside: bool = False
    """Cached and cache-written tokens are not part of `prompt_tokens`; matters only where no total is stated."""
    excess_is: Meter = "reasoning"
    """What a total beyond every figure stands for. Google's compatible door counts thinking nowhere else."""
    searches: tuple[tuple[Path, ...], ...] = ()
    """Where numbers of searches run upstream are said, each in one of several places; they add up."""
    searching_models: str = ""
    """Models with this in their name search once in every chat, which the vendor bills and says nothing of."""
    chooses_models_by: tuple[str, ...] = ()
    """Members of a request with which the vendor may run another model than the one that was admitted and priced."""


class UsageRefused(ValueError):
    """The report cannot be true: a figure is negative, not a whole number, or absurd."""


_PROMPT: Final[tuple[Path, ...]] = (("prompt_tokens",), ("input_tokens",))
_WRITTEN: Final[tuple[Path, ...]] = (("completion_tokens",), ("output_tokens",))
_CACHED: Final[tuple[Path, ...]] = (
    ("prompt_tokens_details", "cached_tokens"),  # OpenAI, OpenRouter, xAI, z.ai, Cerebras, DeepSeek
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("num_cached_tokens",),  # Mistral
    ("cached_tokens",),  # Together, Moonshot
    ("cache_read_input_tokens",),  # gateways in front of Anthropic
    ("input_tokens_details", "cached_tokens"),
)
_CACHE_WRITES: Final[tuple[Path, ...]] = (
    ("prompt_tokens_details", "cache_write_tokens"),  # OpenAI, OpenRouter
    ("input_tokens_details", "cache_write_tokens"),  # OpenAI's responses (recorded in 2026)
    ("prompt_tokens_details", "cache_creation_input_tokens"),  # Alibaba
    ("prompt_tokens_details", "cache_creation_tokens"),
    ("cache_creation_input_tokens",),  # gateways in front of Anthropic
)
_REASONING: Final[tuple[Path, ...]] = (
    ("completion_tokens_details", "reasoning_tokens"),  # OpenAI and most
    ("output_tokens_details", "reasoning_tokens"),
    ("reasoning_tokens",),  # Perplexity
)
_AUDIO_READ: Final[tuple[Path, ...]] = (("prompt_tokens_details", "audio_tokens"),)
_IMAGE_READ: Final[tuple[Path, ...]] = (("prompt_tokens_details", "image_tokens"),)
_AUDIO_WRITTEN: Final[tuple[Path, ...]] = (("completion_tokens_details", "audio_tokens"),)
_IMAGE_WRITTEN: Final[tuple[Path, ...]] = (("completion_tokens_details", "image_tokens"),)


def reported(
    usage: Mapping[str, Any], endpoint: Endpoint, habits: Habits, service_tier: str | None, *, model: str = ""
) -> Reported | None:
    """Read one usage object, of the model of this name there. None: it says nothing about tokens (an explicit zero is a
    statement, and is kept).

    Raises:
        UsageRefused: a figure cannot be true.
    """
    total = figure(usage, (("total_tokens",),))
    prompt, written = figure(usage, _PROMPT), figure(usage, _WRITTEN)
    if total is None and prompt is None and written is None:
        return None
    if endpoint in VECTORS:
        return _embedded(prompt, written, total, service_tier)
    prompt, written = _completed(prompt, written, total)
    details = _Details(
        cached=figure(usage, _CACHED) or 0,
        cache_writes=figure(usage, _CACHE_WRITES) or 0,
        reasoning=figure(usage, _REASONING) or 0,
    )
    quantities, problem = _disjoint(prompt, written, total, details, habits)
    _carve(quantities, "input", "audio_input", figure(usage, _AUDIO_READ))
    _carve(quantities, "input", "image_input", figure(usage, _IMAGE_READ))
    _carve(quantities, "output", "audio_output", figure(usage, _AUDIO_WRITTEN))
    _carve(quantities, "output", "image_output", figure(usage, _IMAGE_WRITTEN))
    searches = sum(figure(usage, places) or 0 for places in habits.searches)
    if habits.searching_models and habits.searching_models in model and endpoint == "chat.completions":
        searches += 1
    if searches:
        quantities["search"] = searches
    quantities["request"] = 1
    return Reported(quantities=quantities, service_tier=service_tier, problem=problem)


class _Details(msgspec.Struct, frozen=True, kw_only=True):
    cached: int
    cache_writes: int
    reasoning: int


def _embedded(prompt: int | None, written: int | None, total: int | None, service_tier: str | None) -> Reported:
    """Embeddings write nothing: everything counted is input. Voyage states the total alone."""
    stated = max(prompt or 0, written or 0)
    counted = stated if total is None else total
    problem: Problem | None = "total_differs" if total is not None and prompt is not None and total != prompt else None
    return Reported(quantities={"input": counted, "request": 1}, service_tier=service_tier, problem=problem)


def _completed(prompt: int | None, written: int | None, total: int | None) -> tuple[int, int]:
    """A figure that was left out follows from the total; a total alone is all input, the cheaper reading."""
    if prompt is None:
        prompt = max((total or 0) - (written or 0), 0)
    if written is None:
        written = max((total or prompt) - prompt, 0)
    return prompt, written


def _disjoint(
    prompt: int, written: int, total: int | None, details: _Details, habits: Habits
) -> tuple[dict[Meter, int], Problem | None]:
    """The four main buckets, by the reading that fits the total."""
    inside = details.cached + details.cache_writes
    readings = [(False, False), (False, True), (True, False), (True, True)]
    if total is None:
        habit = (habits.cached_beside, habits.reasoning_beside)
        readings = [habit, (inside > prompt, details.reasoning > written)]
    for cached_beside, reasoning_beside in readings:
        plain_input = prompt if cached_beside else prompt - inside
        plain_output = written if reasoning_beside else written - details.reasoning
        if plain_input < 0 or plain_output < 0:
            continue
        if total is None or plain_input + inside + plain_output + details.reasoning == total:
            return _buckets(plain_input, plain_output, details), None
    return _against_the_total(prompt, written, total or 0, details, habits)


def _against_the_total(
    prompt: int, written: int, total: int, details: _Details, habits: Habits
) -> tuple[dict[Meter, int], Problem]:
    """No reading fits: the headline figures stand, details that contradict them are dropped, an excess of the total
    counts.
    """
    inside = details.cached + details.cache_writes
    problem: Problem = "total_differs"
    if inside > prompt or details.reasoning > written:
        problem = "details_contradict"
        details = _Details(
            cached=details.cached if inside <= prompt else 0,
            cache_writes=details.cache_writes if inside <= prompt else 0,
            reasoning=details.reasoning if details.reasoning <= written else 0,
        )
        inside = details.cached + details.cache_writes
    quantities = _buckets(prompt - inside, written - details.reasoning, details)
    excess = total - prompt - written
    if excess > 0:
        quantities[habits.excess_is] = quantities.get(habits.excess_is, 0) + excess
    return quantities, problem


def _buckets(plain_input: int, plain_output: int, details: _Details) -> dict[Meter, int]:
    """`input` and `output` always, the others where something is in them."""
    quantities: dict[Meter, int] = {"input": plain_input, "output": plain_output}
    if details.cached:
        quantities["cached_input"] = details.cached
    if details.cache_writes:
        quantities["cache_write_5m"] = details.cache_writes
    if details.reasoning:
        quantities["reasoning"] = details.reasoning
    return quantities


def _carve(quantities: dict[Meter, int], plain: Meter, special: Meter, figure: int | None) -> None:
    """Move a kind of token out of its plain bucket. What was cached stays cached: such tokens are in both details."""
    moved = min(figure or 0, quantities[plain])
    if moved:
        quantities[plain] -= moved
        quantities[special] = quantities.get(special, 0) + moved


def figure(usage: Mapping[str, Any], paths: tuple[Path, ...]) -> int | None:
    """The first figure that is said, in the order of the places given.

    Raises:
        UsageRefused: it cannot be true.
    """
    for path in paths:
        here: Any = usage
        for name in path:
            here = here.get(name) if isinstance(here, dict) else None
        if here is not None:
            return _whole(here, path[-1])
    return None


def _whole(value: object, name: str) -> int:
    """A count as an integer. Some vendors write 12.0; nothing else is forgiven."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= FIGURE_MAX:
        message = f"{name} is not a number of tokens"
        raise UsageRefused(message)
    return value
