"""How Bedrock reports usage: in Converse and in the last event of ConverseStream alike."""

from collections.abc import Mapping
from typing import Any

from airouter.domain.rate_card import Meter
from airouter.providers.contract import Problem, Reported
from airouter.providers.reporting import UsageRefused, figure


def reported_in(said: Mapping[str, Any]) -> Reported | None:
    """What an answer, or the event `metadata`, says of its usage. None: nothing about tokens."""
    usage, tier = said.get("usage"), _tier(said)
    if not isinstance(usage, dict):
        return None
    try:
        quantities, problem = _disjoint(usage)
    except UsageRefused:
        return Reported(quantities=None, service_tier=tier, problem="usage_refused")
    if quantities is None:
        return None
    return Reported(quantities={**quantities, "request": 1}, service_tier=tier, problem=problem)


def _tier(said: Mapping[str, Any]) -> str | None:
    """The tier that served the call, if it is another than the usual one."""
    tier = said.get("serviceTier")
    kind = tier.get("type") if isinstance(tier, dict) else None
    return kind if isinstance(kind, str) and kind != "default" else None


def _disjoint(usage: Mapping[str, Any]) -> tuple[dict[Meter, int] | None, Problem | None]:
    """What was read plainly, read from the cache and written to it lie beside each other, and the total is their sum
    with the output (recorded for Anthropic's and Amazon's models, 2026). Thoughts are within the output.

    Raises:
        UsageRefused: a figure cannot be true.
    """
    read, written = figure(usage, (("inputTokens",),)), figure(usage, (("outputTokens",),))
    total = figure(usage, (("totalTokens",),))
    if read is None and written is None and total is None:
        return None, None
    if read is None:
        read = max((total or 0) - (written or 0), 0)
    if written is None:
        written = max((total or 0) - read, 0)
    cached = figure(usage, (("cacheReadInputTokens",), ("cacheReadInputTokenCount",))) or 0
    writes = figure(usage, (("cacheWriteInputTokens",), ("cacheWriteInputTokenCount",))) or 0
    problem: Problem | None = None
    inside = cached + writes
    if total is not None and total != read + written + inside:
        if inside <= read and total == read + written:
            read -= inside  # a model whose figures lie inside each other: the total decides
        else:
            problem = "total_differs"
    long = min(_kept_an_hour(usage), writes)
    found: dict[Meter, int] = {"input": read, "output": written}
    others: dict[Meter, int] = {"cached_input": cached, "cache_write_5m": writes - long, "cache_write_1h": long}
    if total is not None and problem is not None and total > read + written + inside:
        others["reasoning"] = total - read - written - inside  # tokens that no figure names
    found.update({meter: count for meter, count in others.items() if count})
    return found, problem


def _kept_an_hour(usage: Mapping[str, Any]) -> int:
    details = usage.get("cacheDetails")
    return sum(
        figure(detail, (("inputTokens",),)) or 0
        for detail in (details if isinstance(details, list) else ())
        if isinstance(detail, dict) and detail.get("ttl") == "1h"
    )
