"""Gemini's vectors. Newer models say what they read; of older ones it is estimated (gateway/meter.py)."""

from collections.abc import Mapping
from typing import Any, Final

from airouter.domain.rate_card import Meter
from airouter.providers.contract import Answered, Reported
from airouter.providers.reporting import UsageRefused, figure
from airouter.providers.saying import answered
from airouter.wire.gemini_embeddings import read_answer

_KINDS: Final[Mapping[str, Meter]] = {"IMAGE": "image_input", "AUDIO": "audio_input"}


def answer(body: bytes) -> Answered:
    """Read a whole answer; its bytes stay."""
    found = read_answer(body)
    if found is None:
        return Answered(body=body, reported=None, is_proper=False)
    try:
        reported = _reported(found.usageMetadata or {})
    except UsageRefused:
        reported = Reported(quantities=None, problem="usage_refused")
    has_shape = found.embedding is not None or found.embeddings is not None
    return answered(body, reported, has_shape=has_shape, has_content=bool(found.embedding or found.embeddings))


def _reported(usage: Mapping[str, Any]) -> Reported | None:
    counted = figure(usage, (("promptTokenCount",), ("totalTokenCount",)))
    if counted is None:
        return None
    quantities: dict[Meter, int] = {"input": counted, "request": 1}
    for detail in usage.get("promptTokenDetails") or usage.get("promptTokensDetails") or ():
        meter = _KINDS.get(str(detail.get("modality"))) if isinstance(detail, dict) else None
        if meter is not None:
            moved = min(figure(detail, (("tokenCount",),)) or 0, quantities["input"])
            quantities["input"] -= moved
            quantities[meter] = moved
    return Reported(quantities=quantities)
