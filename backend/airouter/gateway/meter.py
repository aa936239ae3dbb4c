"""What a call used, from what the provider said and how the answer ended.

| the answer | figures were reported | none were, or they cannot be true |
|---|---|---|
| complete | charged, `provider` | estimated and charged, `estimated`: a complete answer is not free |
| one that says nothing (providers/saying.py) | (figures are something) | nothing, `none`: that is no answer |
| complete, but the client had left | the same, `cancelled` | the same, `cancelled` |
| not read to its end, because the client left | the latest, `provider_partial` | `estimated` from what came |
| cut by us, because the quota was used up | the latest, `provider_partial` | `estimated` from what came |
| either of these, and the figures are of its beginning | input as reported, output from what came, `estimated` | - |
| broken off, or an error in it, by the provider | the latest, `provider_partial` | nothing, `none` |
| never begun; the client left while it was waited for | - | the prompt, `estimated` |
| never begun, or never asked for | - | nothing, `none` |

An estimate is a token for every four bytes of text, prompt and answer each rounded up; token ids are counted as they
are. estimates.py replaces it by a better one, or by nothing, as the operator decided. It is marked as such wherever it
is shown. An explicit zero is a figure like any other; nothing said is not zero.
"""

from typing import Final

import msgspec

from airouter.domain.rate_card import Meter
from airouter.domain.usage import UsageSource, UsageStatus
from airouter.providers.contract import Answered, Call, Problem, Reported, StreamReader
from airouter.wire.endpoint import VECTORS, Endpoint
from airouter.wire.requests import RequestHead, estimated_input_tokens


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """A call whose tokens nobody counted. `is_complete`: the answer came whole."""

    endpoint: Endpoint
    request: RequestHead
    is_complete: bool


class Metered(msgspec.Struct, frozen=True, kw_only=True):
    """What a call is charged for. Empty `quantities`: nothing. `problem` is for the operator."""

    quantities: dict[Meter, int]
    source: UsageSource
    status: UsageStatus
    service_tier: str | None = None
    problem: Problem | None = None
    guess: Guess | None = None
    """The tokens are a guess, and this is about what (estimates.py)."""


_NOTHING: Final[dict[Meter, int]] = {}
_WRITE_NOTHING: Final = VECTORS | {"moderations"}


def whole(answered: Answered, call: Call, *, is_gone: bool) -> Metered:
    """A whole answer arrived; `is_gone`: its client did not wait for it."""
    reported = answered.reported
    if not answered.is_proper:
        return _broken(reported, "partial" if reported is not None and reported.quantities is not None else "failed")
    status: UsageStatus = "cancelled" if is_gone else "ok"
    if reported is not None and reported.quantities is not None:
        return _as_reported(reported, reported.quantities, "provider", status)
    return _estimated(call.endpoint, call.request, answered.written_tokens, status, reported, is_complete=True)


def finished(reader: StreamReader, *, is_gone: bool) -> Metered:
    """The provider ended the stream; `is_gone`: the client had left before, and the rest was read for the figures."""
    if not reader.is_complete:
        return _broken(reader.reported, "cancelled" if is_gone else "partial")
    status: UsageStatus = "cancelled" if is_gone else "ok"
    return _read_so_far(reader, "provider", status)


def broken_off(reader: StreamReader) -> Metered:
    """The provider broke the stream off. Bytes that are missing after its proper end are nobody's loss."""
    if reader.is_complete:
        return _read_so_far(reader, "provider", "ok")
    return _broken(reader.reported, "partial")


def cut(reader: StreamReader) -> Metered:
    """We ended the stream, because the account has no more quota for it: what came is charged."""
    return _read_so_far(reader, "provider_partial", "partial")


def cancelled(reader: StreamReader) -> Metered:
    """The client left, and the stream was not read to its end: what came is charged."""
    if reader.has_error:
        return _broken(reader.reported, "cancelled")
    return _read_so_far(reader, "provider" if reader.is_complete else "provider_partial", "cancelled")


def unanswered(endpoint: Endpoint, request: RequestHead) -> Metered:
    """The client left while a provider was at work, and nothing of the answer was waited for: the prompt was read."""
    return _estimated(endpoint, request, 0, "cancelled", None, is_complete=False)


def failed() -> Metered:
    """No answer was begun: free."""
    return Metered(quantities=_NOTHING, source="none", status="failed")


def _read_so_far(reader: StreamReader, source: UsageSource, status: UsageStatus) -> Metered:
    reported = reader.reported
    if reported is not None and reported.quantities is not None:
        if reported.tells_output or reader.is_complete:
            return _as_reported(reported, reported.quantities, source, status)
        output = max(reported.quantities.get("output", 0), reader.written_tokens())
        return _as_reported(reported, {**reported.quantities, "output": output}, "estimated", status)
    call = reader.call
    written = reader.written_tokens()
    return _estimated(call.endpoint, call.request, written, status, reported, is_complete=reader.is_complete)


def _broken(reported: Reported | None, status: UsageStatus) -> Metered:
    """What it reported is charged, and nothing if it reported nothing."""
    if reported is None or reported.quantities is None:
        problem = None if reported is None else reported.problem
        return Metered(quantities=_NOTHING, source="none", status=status, problem=problem)
    return _as_reported(reported, reported.quantities, "provider_partial", status)


def _as_reported(reported: Reported, quantities: dict[Meter, int], source: UsageSource, status: UsageStatus) -> Metered:
    return Metered(
        quantities=quantities,
        source=source,
        status=status,
        service_tier=reported.service_tier,
        problem=reported.problem,
    )


def _estimated(
    endpoint: Endpoint,
    request: RequestHead,
    written_tokens: int,
    status: UsageStatus,
    reported: Reported | None,
    *,
    is_complete: bool,
) -> Metered:
    quantities: dict[Meter, int] = {"input": estimated_input_tokens(endpoint, request), "request": 1}
    if endpoint not in _WRITE_NOTHING:
        quantities["output"] = written_tokens
    return Metered(
        quantities=quantities,
        source="estimated",
        status=status,
        service_tier=None if reported is None else reported.service_tier,
        problem=None if reported is None else reported.problem,
        guess=Guess(endpoint=endpoint, request=request, is_complete=is_complete),
    )
