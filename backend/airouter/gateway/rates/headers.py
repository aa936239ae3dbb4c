"""What a caller is told about limits: the headers of every limited answer, and the words of a refusal."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from airouter.domain.errors import RateLimitExceeded, RequestExceedsRateLimit
from airouter.gateway.rates.gauge import Gauge

Headers = tuple[tuple[bytes, bytes], ...]

_WHOSE: Final = {
    "key": "This API key",
    "account": "This account",
    "group": "This account, in this group,",
    "model": "This model, over all accounts,",
    "channel": "This channel",
}
_MAY: Final = {
    "requests": "may get {limit} requests a minute",
    "tokens": "may use {limit} tokens a minute",
    "calls": "may have {limit} calls at once",
}


def headers(gauges: Iterable[Gauge], now: float, full: Gauge | None = None) -> Headers:
    """`x-ratelimit-*` of the tightest limit of requests and of tokens. `full`: it has no room for what was asked."""
    tightest: dict[str, tuple[int, Gauge]] = {}
    for gauge in gauges:
        left = 0 if gauge is full else gauge.remaining(now)
        known = tightest.get(gauge.kind)
        if gauge.window is not None and (known is None or left < known[0]):
            tightest[gauge.kind] = left, gauge
    found: list[tuple[bytes, bytes]] = []
    for kind, (left, gauge) in tightest.items():
        name = kind.encode()
        found += (
            (b"x-ratelimit-limit-" + name, b"%d" % gauge.limit),
            (b"x-ratelimit-remaining-" + name, b"%d" % left),
            (b"x-ratelimit-reset-" + name, duration(gauge.seconds_until_more(now))),
        )
    return tuple(found)


def duration(seconds: float) -> bytes:
    """As OpenAI writes it: `12ms`, `1.5s`, `6m0s`. Rounded up to the millisecond."""
    milliseconds = max(0, math.ceil(seconds * 1000 - 1e-6))
    if milliseconds < 1000:
        return b"%dms" % milliseconds
    minutes, rest = divmod(milliseconds, 60_000)
    whole, part = divmod(rest, 1000)
    text = f"{whole}.{part:03d}".rstrip("0") if part else str(whole)
    return (f"{minutes}m{text}s" if minutes else f"{text}s").encode()


def exceeded(gauges: Sequence[Gauge], full: Gauge, amount: int, now: float) -> RateLimitExceeded:
    """The refusal of a call for which this limit has no room at the moment."""
    wait = full.seconds_until(amount, now)
    when = "Try again when one has ended." if full.kind == "calls" else f"Try again in {max(wait, 0.1):.1f} s."
    asked = f" This call may use {amount}." if full.kind == "tokens" else ""
    return RateLimitExceeded(
        f"{_said(full)}; that is used up.{asked} {when}",
        retry_after_seconds=max(1, math.ceil(wait)),
        headers=headers(gauges, now, full),
    )


def too_large(full: Gauge, amount: int) -> RequestExceedsRateLimit:
    """The refusal of a call that no minute has room for."""
    return RequestExceedsRateLimit(
        f"{_said(full)}, and this call alone may use {amount}: its input is counted by its size in bytes, its output "
        "by the maximum that it states. Send less, or state a smaller maximum of output tokens."
    )


def _said(gauge: Gauge) -> str:
    return f"{_WHOSE[gauge.whose]} {_MAY[gauge.kind].format(limit=gauge.limit)}"
