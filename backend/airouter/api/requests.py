"""What Litestar is told about requests: strict JSON bodies, and our errors instead of its own.

A body is decoded straight into the struct of the handler's `data`: no number out of a string, no unknown field, and the
words of a refusal name the field.
"""

import logging
import re
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.types import Empty

from airouter.api.arrivals import arrival_of
from airouter.api.callers import recognise_again
from airouter.api.door_errors import dialect_of, refusal
from airouter.domain.errors import (
    BodyTooLarge,
    DomainError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    UnsupportedMediaType,
)

logger = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 1024 * 1024
"""Of the management API. The gateway's doors have their own, a policy."""

_ON_THE_WIRE: Final = {
    "since": "from",
    "until": "to",
    "answered_state": "state",
    "next_page": "next",
    "line_state": "state",
    "mail_state": "state",
    "reward_state": "state",
    "x_account_id": "X-Account-Id",
}
"""Parameters whose name on the wire cannot be one in Python."""

_AT_PATH = re.compile(r" - at `(?:key in )?\$\.?(.*?)`$")
_JSON: Final = ("application/json", "+json")


class JsonRequest(Request[Any, Any, Any]):
    """A request whose JSON body is decoded once, strictly, into the type that the handler asks for."""

    async def json(self) -> Any:
        """The body as the handler's `data` struct. Whoever may not call was refused before (callers.recognise_first);
        whoever may not any more is refused now.

        Raises:
            UnsupportedMediaType: the body is not declared as JSON.
            InvalidRequest: it is not JSON, or does not fit; `field` says where.
        """
        if self._json is Empty:
            body = await self.body()
            await recognise_again(self)
            wanted = self.route_handler.parsed_fn_signature.parameters["data"].annotation
            declared = self.headers.get("content-type", "").partition(";")[0].strip().lower()
            if not declared.endswith(_JSON):
                raise UnsupportedMediaType
            self._json = decode_body(body, wanted)
        return self._json


def decode_body(body: bytes, wanted: Any) -> Any:
    """Strict JSON into `wanted`.

    Raises:
        InvalidRequest
    """
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        field, words = _in_words(str(error))
        raise InvalidRequest(f"{field}: {words}" if field else f"The body: {words}", field=field or None) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidRequest("The body is not valid JSON.") from None


def _in_words(message: str) -> tuple[str, str]:
    """(field, what is wrong) from msgspec's message."""
    found = _AT_PATH.search(message)
    field = found[1].strip("[].") if found else ""
    words = (message[: found.start()] if found else message).replace("`", "")
    unknown = re.fullmatch(r"Object contains unknown field (.+)", words)
    missing = re.fullmatch(r"Object missing required field (.+)", words)
    if unknown or missing:
        name = (unknown or missing)[1]  # type: ignore[index]
        field = f"{field}.{name}" if field else name
        return field, "this field is not known." if unknown else "this field is required."
    return field, _friendly(words)


def _friendly(words: str) -> str:
    """As a sentence that can follow the name of a field."""
    return words[:1].lower() + words[1:] + ("" if words.endswith(".") else ".")


def as_domain_error(error: Exception) -> Exception:
    """Litestar's own errors as ours. What is neither is a bug, and stays what it is."""
    match error:
        case DomainError():
            return error
        case ValidationException():
            return _validation(error)
        case NotFoundException():
            return NotFound()
        case MethodNotAllowedException():
            return MethodNotAllowed(allow=(error.headers or {}).get("allow", ""))
        case RequestEntityTooLarge():
            return BodyTooLarge()
        case ClientException():
            return InvalidRequest(_friendly(str(error.detail)).capitalize())
        case HTTPException() if isinstance(error.__cause__, DomainError):
            return error.__cause__
        case _:
            return error


def _validation(error: ValidationException) -> InvalidRequest:
    """Parameters that do not fit, each with its name."""
    extra: Any = error.extra if isinstance(error.extra, list) else []
    if [e.get("key") for e in extra] == ["data"]:  # Litestar leaves an empty body out
        return InvalidRequest("A JSON body is required.")
    wrong = [(_name(str(e.get("key", ""))), _friendly(str(e.get("message", "")).replace("`", ""))) for e in extra]
    if not wrong:
        return InvalidRequest(_friendly(str(error.detail)).capitalize())
    return InvalidRequest(
        " ".join(f"{field}: {words}" if field else words.capitalize() for field, words in wrong),
        field=wrong[0][0] or None,
    )


def _name(key: str) -> str:
    return _ON_THE_WIRE.get(key, key)


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's handler for every exception of every route."""
    found = as_domain_error(error)
    arrival = arrival_of(request.scope)
    if not isinstance(found, DomainError):
        logger.error("request.failed", exc_info=found, extra={"request_id": str(arrival.request_id)})
    answer = refusal(found, dialect_of(request.scope["path"], request.headers), arrival.request_id)
    headers = dict(answer.headers)
    return Response(
        content=answer.body, status_code=answer.status, media_type=headers.pop("content-type"), headers=headers
    )
