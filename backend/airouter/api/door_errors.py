"""Refusals at the gateway's doors, in the shape of each dialect: before an answer, inside a stream, and passed on."""

from collections.abc import Container
from typing import Any, Final, Literal

import msgspec

from airouter.api.errors import INTERNAL_CODE, INTERNAL_MESSAGE, Refusal, headers_of, problem_refusal, rule_for
from airouter.domain import errors
from airouter.domain.errors import DomainError
from airouter.wire import anthropic, gemini
from airouter.wire.openai import error_body, passed_on_error, upstream_words
from airouter.wire.owner_ids import without_owner_ids

DoorDialect = Literal["openai", "anthropic", "gemini"]
Dialect = Literal["problem"] | DoorDialect
_ANTHROPIC_TYPES: Final = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_GEMINI_STATUSES: Final = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_SERVER_ERROR: Final = 500

_OPENAI_PATHS: Final = (
    "/v1", "/chat/", "/completions", "/embeddings", "/moderations", "/models", "/responses", "/conversations",
    "/dashboard/",
)  # fmt: skip
_GEMINI_VERBS: Final = (
    ":generateContent", ":streamGenerateContent", ":countTokens", ":embedContent", ":batchEmbedContents",
)  # fmt: skip
"""Every door's is among these: a test asks the table of doors, which the console's side does not see."""


def dialect_of(path: str, headers: Container[str] = ()) -> Dialect:
    """Which shape an address answers in, the addresses that do not exist included. `headers` are the names of the
    request's: they tell whose client asks at an address of several dialects.
    """
    if path.startswith(("/v1beta", "/v1alpha")) or path.endswith(_GEMINI_VERBS):
        return "gemini"
    if path.startswith(("/v1/messages", "/v1/v1/messages", "/messages")):
        return "anthropic"
    return client_dialect(headers) if path.startswith(_OPENAI_PATHS) else "problem"


def client_dialect(headers: Container[str]) -> DoorDialect:
    """Whose client sends these headers."""
    if "x-goog-api-key" in headers:
        return "gemini"
    return "anthropic" if "anthropic-version" in headers or "x-api-key" in headers else "openai"


def refusal(error: Exception, dialect: str, request_id: object) -> Refusal:
    """The answer for an error. One that is no domain error gives nothing away but the request id."""
    return problem_refusal(error, request_id) if dialect == "problem" else door_refusal(error, dialect, request_id)


def door_refusal(error: Exception, dialect: str, request_id: object) -> Refusal:
    """The answer for an error at a door of this dialect."""
    rule = rule_for(error)
    status = _anthropic_status(error) if dialect == "anthropic" else rule.door
    headers = headers_of(error, rule, "application/json")
    if rule.should_retry is not None:
        headers.append(("x-should-retry", "true" if rule.should_retry else "false"))
    return Refusal(status=status, headers=headers, body=_body(error, dialect, status, request_id))


def stream_error(error: Exception, dialect: str, request_id: object, *, is_array: bool) -> bytes:
    """The same inside a stream that has begun: the official clients raise on it."""
    status = _anthropic_status(error) if dialect == "anthropic" else rule_for(error).door
    body = _body(error, dialect, status, request_id)
    if dialect == "anthropic":
        return b"event: error\ndata: " + body + b"\n\n"
    return b",\r\n" + body + b"]" if is_array else b"data: " + body + b"\n\n"


def passed_on(status: int, body: bytes, dialect: str, request_id: object, is_same_dialect: bool) -> bytes:  # noqa: FBT001
    """An upstream's refusal of the request: as it came from the same dialect, else its words in the client's. Whose
    credential was used is left out.
    """
    body = without_owner_ids(body)
    if dialect == "openai" and is_same_dialect:
        return passed_on_error(body)
    if is_same_dialect and body[:1] == b"{":
        return body
    return _words(upstream_words(body), dialect, status, request_id)


def _anthropic_status(error: Exception) -> int:
    if isinstance(error, errors.OutOfQuota):
        return 402
    if isinstance(error, errors.NoChannelAvailable | errors.Unavailable):
        return 529
    return rule_for(error).door


def _body(error: Exception, dialect: str, status: int, request_id: object) -> bytes:
    if dialect == "openai":
        return msgspec.json.encode(openai_error(error))
    if isinstance(error, errors.DatabaseUnavailable):  # to a caller it is the books that cannot be reached
        error = errors.LedgerUnavailable()
    return _words(error.message if isinstance(error, DomainError) else INTERNAL_MESSAGE, dialect, status, request_id)


def _words(message: str, dialect: str, status: int, request_id: object) -> bytes:
    if dialect == "anthropic":
        kind = _ANTHROPIC_TYPES.get(status, "api_error" if status >= _SERVER_ERROR else "invalid_request_error")
        return anthropic.error_body(message, kind, str(request_id))
    if dialect == "gemini":
        word = _GEMINI_STATUSES.get(status, "INTERNAL" if status >= _SERVER_ERROR else "INVALID_ARGUMENT")
        return gemini.error_body(message, status, word)
    return error_body(message, "invalid_request_error")


def openai_error(error: Exception) -> dict[str, Any]:
    """The OpenAI error object; inside a stream it travels as an event."""
    if isinstance(error, errors.DatabaseUnavailable):  # to a caller it is the books that cannot be reached
        error = errors.LedgerUnavailable()
    rule = rule_for(error)
    if not isinstance(error, DomainError):
        return _openai_object(INTERNAL_MESSAGE, rule.openai_type, None, INTERNAL_CODE)
    field = error.details.get("field")
    return _openai_object(error.message, rule.openai_type, field, error.code)


def _openai_object(message: str, kind: str, field: str | None, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": field, "code": code}}
