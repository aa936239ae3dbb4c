"""How an attempt fails, and how that is told to a caller if it was the last."""

from collections.abc import Sequence

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
from airouter.wire.http import Header


class Refused(Exception):
    """The upstream answered with another status than success."""

    def __init__(self, status: int, body: bytes, headers: Sequence[Header]) -> None:
        self.status = status
        self.body = body
        self.headers = headers


def check_sense(body: bytes, headers: Sequence[Header]) -> None:
    """For a whole answer of status 200 that is not what was asked for. One that is JSON, or says that it is plain text,
    is the provider's word, and goes on to the client; a page, half a document or nothing but an error is as good as no
    answer.

    Raises:
        BadAnswer
    """
    if body and any(name == b"content-type" and value.startswith(b"text/plain") for name, value in headers):
        return
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    if not isinstance(found, dict) or (found.get("error") and "id" not in found and "status" not in found):
        raise BadAnswer("status 200 without an answer")


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
