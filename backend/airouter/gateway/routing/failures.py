"""How an attempt fails, and how that is told to a caller if it was the last."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from airouter.domain.errors import (
    DomainError,
    NoChannelAvailable,
    UpstreamFailed,
    UpstreamRejected,
    UpstreamTimedOut,
)
from airouter.providers.contract import Refusal
from airouter.upstream.contract import (
    BadAnswer,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    PoolExhausted,
    TotalTimeout,
    UpstreamError,
)
from airouter.wire.decoding import read_or_none
from airouter.wire.http import Header
from airouter.wire.sse import event_data, split_events

_ANY: Final = msgspec.json.Decoder()
_FIRST_REFUSAL, _LAST_STATUS = 400, 599
_NAMES: Final = frozenset({"id", "object", "status"})
"""What an answer says of itself, whatever else is wrong with it."""
_STATUSES: Final = {
    "authentication_error": 401,
    "billing_error": 402,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "invalid_argument": 400,
    "invalid_request_error": 400,
    "api_error": 500,
    "internal": 500,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "request_too_large": 413,
    "resource_exhausted": 429,
    "server_error": 500,
    "timeout_error": 504,
    "unavailable": 503,
}
"""The status that OpenAI, Anthropic and Google send with an error of this code or type."""


class Refused(Exception):
    """The upstream answered with another status than success."""

    def __init__(self, status: int, body: bytes, headers: Sequence[Header]) -> None:
        self.status = status
        self.body = body
        self.headers = headers


def check_sense(body: bytes, headers: Sequence[Header]) -> None:
    """For a whole answer of status 200 that is not what was asked for. JSON that says what it is, or what says that it
    is plain text, is the provider's word, and goes on to the client; a page, half a document or nothing but an error is
    as good as no answer.

    Raises:
        BadAnswer
        Refused: it says with which status it should have come.
    """
    if body and any(name == b"content-type" and value.startswith(b"text/plain") for name, value in headers):
        return
    found = read_or_none(_ANY, body)
    if not isinstance(found, dict) or not _NAMES.intersection(found):
        raise _refused(found, body, headers) or BadAnswer("status 200 without an answer")


def error_at_first(events: bytes, headers: Sequence[Header]) -> Refused | BadAnswer:
    """A stream of status 200 that begins with an error instead of an answer."""
    for event in split_events(events):
        data = event_data(event)
        refused = _refused(read_or_none(_ANY, data), data, headers)
        if refused is not None:
            return refused
    return BadAnswer("a stream of status 200 that begins with an error")


def _refused(said: Any, body: bytes, headers: Sequence[Header]) -> Refused | None:
    """The status that an error states itself: as a number, or by a name that one of the vendors has for it."""
    error = said.get("error") if isinstance(said, dict) else None
    if isinstance(error, dict):
        for name in (error.get("code"), error.get("status"), error.get("type")):
            status = _STATUSES.get(name.lower()) if isinstance(name, str) else name
            if isinstance(status, int) and _FIRST_REFUSAL <= status <= _LAST_STATUS:
                return Refused(status, body, headers)
    return None


def refusal_error(refusal: Refusal, status: int, retry_after_seconds: int | None) -> DomainError:
    """A refusal that is not about the request."""
    match refusal:
        case "limited":
            return NoChannelAvailable(
                "The provider is at its rate limit. Try again shortly.", retry_after_seconds=retry_after_seconds or 1
            )
        case "overloaded":
            details = {} if retry_after_seconds is None else {"retry_after_seconds": retry_after_seconds}
            return UpstreamFailed(f"The provider answered with status {status}.", **details)
        case _:
            return UpstreamRejected()


def domain_error(error: UpstreamError) -> DomainError:
    """How a failure of the network is told to a caller."""
    match error:
        case ConnectTimeout() | FirstByteTimeout() | IdleTimeout() | TotalTimeout():
            return UpstreamTimedOut()
        case PoolExhausted():
            return NoChannelAvailable(
                "Every connection to the provider is busy. Try again shortly.", retry_after_seconds=1
            )
        case _:
            return UpstreamFailed()
