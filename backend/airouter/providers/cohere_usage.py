"""How Cohere reports usage: what it bills, and beside it what its models read and wrote.

The two differ by far (recorded in 2026: billed 1 and 9, read and written 496 and 11: Cohere's own preamble is not
billed). What is billed is the truth here, since it is what the operator pays for.
"""

from typing import Any

from airouter.domain.rate_card import Meter
from airouter.providers.contract import Reported
from airouter.providers.reporting import UsageRefused, figure


def reported_in(usage: object) -> Reported | None:
    """`billed_units` where it is stated, else `tokens`. None: nothing about tokens.

    Figures are written as floats there. Cached tokens are counted within `tokens`, not within what is billed: Cohere
    has no other price for them, so they are told apart only where nothing is said of the bill.
    """
    if not isinstance(usage, dict):
        return None
    try:
        quantities = _billed(usage) or _counted(usage)
    except UsageRefused:
        return Reported(quantities=None, problem="usage_refused")
    return None if quantities is None else Reported(quantities={**quantities, "request": 1})


def _billed(usage: dict[str, Any]) -> dict[Meter, int] | None:
    read = figure(usage, (("billed_units", "input_tokens"),))
    written = figure(usage, (("billed_units", "output_tokens"),))
    images = figure(usage, (("billed_units", "image_tokens"),))
    searches = figure(usage, (("billed_units", "search_units"),))
    if read is None and written is None and images is None:
        return None
    found: dict[Meter, int] = {"input": read or 0}
    others: dict[Meter, int | None] = {"output": written, "image_input": images, "search": searches}
    found.update({meter: count for meter, count in others.items() if count})
    return found


def _counted(usage: dict[str, Any]) -> dict[Meter, int] | None:
    read = figure(usage, (("tokens", "input_tokens"),))
    written = figure(usage, (("tokens", "output_tokens"),))
    if read is None and written is None:
        return None
    cached = min(figure(usage, (("cached_tokens",),)) or 0, read or 0)
    found: dict[Meter, int] = {"input": (read or 0) - cached}
    others: dict[Meter, int | None] = {"output": written, "cached_input": cached}
    found.update({meter: count for meter, count in others.items() if count})
    return found
