"""How a refusal looks from outside: the one table from a domain error to a status, and the shape of the management API,
which is RFC 9457 problem+json. The doors' shapes are in door_errors.py.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Literal

import msgspec

from airouter.domain import errors
from airouter.domain.errors import DomainError

logger = logging.getLogger(__name__)

Headers = list[tuple[str, str]]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of refusal becomes. A class without a row of its own has its parent's."""

    problem: int
    """Status in the management API."""
    door: int
    """Status at the gateway's doors."""
    openai_type: str
    retry_after_seconds: int | None = None
    """Default of the `retry-after` header; a `retry_after_seconds` in the error's details replaces it."""
    should_retry: bool | None = None
    """`x-should-retry` at the doors, which the official SDKs obey before they look at the status."""


_REQUEST: Final = "invalid_request_error"
_SERVER: Final = "server_error"

RULES: Final[Mapping[type[DomainError], Rule]] = {
    DomainError: Rule(problem=400, door=400, openai_type=_REQUEST),
    errors.Unauthenticated: Rule(problem=401, door=401, openai_type="authentication_error"),
    errors.NotAllowed: Rule(problem=403, door=403, openai_type="permission_error"),
    errors.NotFound: Rule(problem=404, door=404, openai_type=_REQUEST),
    errors.MethodNotAllowed: Rule(problem=405, door=405, openai_type=_REQUEST),
    errors.Conflict: Rule(problem=409, door=409, openai_type=_REQUEST),
    errors.QuotaInUseByCalls: Rule(problem=409, door=409, openai_type=_REQUEST, retry_after_seconds=2),
    errors.IdempotencyInProgress: Rule(problem=409, door=409, openai_type=_REQUEST, retry_after_seconds=1),
    errors.Gone: Rule(problem=410, door=410, openai_type=_REQUEST),
    errors.Invalid: Rule(problem=422, door=400, openai_type=_REQUEST),
    errors.RequestTimedOut: Rule(problem=408, door=408, openai_type=_REQUEST),
    errors.BodyTooLarge: Rule(problem=413, door=413, openai_type=_REQUEST),
    errors.UnsupportedMediaType: Rule(problem=415, door=415, openai_type=_REQUEST),
    errors.OutOfQuota: Rule(problem=402, door=429, openai_type="insufficient_quota", should_retry=False),
    errors.TooMany: Rule(problem=429, door=429, openai_type="rate_limit_error", retry_after_seconds=1),
    errors.RequestExceedsRateLimit: Rule(problem=429, door=429, openai_type="rate_limit_error", should_retry=False),
    errors.Upstream: Rule(problem=502, door=502, openai_type=_SERVER),
    errors.NoProviderHasModel: Rule(problem=404, door=404, openai_type=_REQUEST),
    errors.UpstreamTimedOut: Rule(problem=504, door=504, openai_type=_SERVER),
    errors.NoChannelAvailable: Rule(problem=503, door=503, openai_type=_SERVER, retry_after_seconds=1),
    errors.Unavailable: Rule(problem=503, door=503, openai_type=_SERVER, retry_after_seconds=1),
}

_INTERNAL: Final = Rule(problem=500, door=500, openai_type=_SERVER)
INTERNAL_CODE: Final = "internal_error"
INTERNAL_MESSAGE: Final = "Something went wrong on our side. Tell the operator the request id."
_PRIVATE_DETAILS: Final = frozenset({"attempts"})
"""For the operator's log, never for the caller."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, ready to send."""

    status: int
    headers: Headers
    body: bytes


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457. Members beyond these are facts of that `code`, such as `field`, `by_you` or `retry_after_seconds`."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str
    code: str
    request_id: str


def rule_for(error: Exception) -> Rule:
    """The row of the nearest class; anything that is no domain error is our own fault."""
    return next((RULES[kind] for kind in type(error).__mro__ if kind in RULES), _INTERNAL)


def problem_refusal(error: Exception, request_id: object) -> Refusal:
    """The answer of the management API for an error. One that is no domain error gives nothing away but the id."""
    rule = rule_for(error)
    is_refusal = isinstance(error, DomainError)
    body = {
        "type": "about:blank",
        "title": HTTPStatus(rule.problem).phrase,
        "status": rule.problem,
        "detail": error.message if is_refusal else INTERNAL_MESSAGE,
        "code": error.code if is_refusal else INTERNAL_CODE,
        "request_id": str(request_id),
    }
    if is_refusal:
        facts = {
            name: value for name, value in error.details.items() if name not in _PRIVATE_DETAILS and name != "headers"
        }
        body = {**facts, **body}
    headers = headers_of(error, rule, "application/problem+json")
    if rule.problem == HTTPStatus.UNAUTHORIZED:
        headers.append(("www-authenticate", "Bearer"))
    return Refusal(status=rule.problem, headers=headers, body=msgspec.json.encode(body))


def headers_of(error: Exception, rule: Rule, media_type: str) -> Headers:
    """The headers of a refusal, whatever its body."""
    headers = [("content-type", media_type), ("cache-control", "no-store")]
    details = error.details if isinstance(error, DomainError) else {}
    wait = details.get("retry_after_seconds", rule.retry_after_seconds)
    if wait is not None:
        headers.append(("retry-after", str(max(1, int(wait)))))
    if "allow" in details:
        headers.append(("allow", details["allow"]))
    return headers
