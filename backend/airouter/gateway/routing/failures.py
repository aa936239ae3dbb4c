"""How an attempt fails, and how that is told to a caller if it was the last."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from airouter.domain.errors import (
    DomainError,
    NoChannelAvailable,
    NoProviderHasModel,
    NotOffered,
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

_ANY: Final = msgspec.json.Decoder()
_FIRST_REFUSAL, _LAST_STATUS = 400, 599
_NUMBERS: Final = frozenset(str(status) for status in range(_FIRST_REFUSAL, _LAST_STATUS + 1))
"""Some write the status as text."""
_NAMES: Final = frozenset({"id", "object", "status"})
"""What an answer says of itself, whatever else is wrong with it."""
_STATUSES: Final = {
    "accessdeniedexception": 403,
    "authentication_error": 401,
    "billing_error": 402,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "invalid_argument": 400,
    "invalid_request_error": 400,
    "api_error": 500,
    "internal": 500,
    "internalserverexception": 500,
    "modelerrorexception": 424,
    "modelnotreadyexception": 503,
    "modelstreamerrorexception": 424,
    "modeltimeoutexception": 408,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "request_too_large": 413,
    "resource_exhausted": 429,
    "resourcenotfoundexception": 404,
    "server_error": 500,
    "servicequotaexceededexception": 429,
    "serviceunavailableexception": 503,
    "throttlingexception": 429,
    "timeout_error": 504,
    "unavailable": 503,
    "validationexception": 400,
}
"""The status that OpenAI, Anthropic, Google and AWS send with an error of this code or type."""


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


def error_within(error: bytes | None, headers: Sequence[Header] = ()) -> Refused | BadAnswer:
    """What a stream of status 200 said instead of an answer, or of the rest of one (StreamReader.error)."""
    refused = None if error is None else _refused(read_or_none(_ANY, error), error, headers)
    return refused or BadAnswer("an error within a stream of status 200")


def _refused(said: Any, body: bytes, headers: Sequence[Header]) -> Refused | None:
    """The status that an error states itself: as a number, or by a name that one of the vendors has for it."""
    match said:
        case {"error": dict(error)}:
            pass
        case {"response": {"error": dict(error)}}:  # of a response that failed
            body = msgspec.json.encode({"error": error})
        case {"type": "error"} | {"__type": str()}:  # an event of a response; AWS
            error = said
        case _:
            return None
    for name in (error.get("code"), error.get("status"), error.get("type"), error.get("__type")):
        status = name
        if isinstance(name, str):
            status = int(name) if name in _NUMBERS else _STATUSES.get(name.lower())
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
        case "model":
            return NoProviderHasModel(field="model")
        case "counting":
            return NotOffered("The provider of this model does not count the tokens of this.", field="model")
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
