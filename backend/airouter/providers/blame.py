"""Whose fault an error status is, for vendors that use statuses as they are meant."""

from typing import Final

from airouter.providers.contract import Refusal

_REQUEST_STATUSES: Final = frozenset({400, 404, 413, 422})
_OVERLOADED_STATUSES: Final = frozenset({408, 409, 425, 429})
_FIRST_SERVER_ERROR: Final = 500
OUR_CREDENTIAL: Final = (b"api key not valid", b"incorrect api key", b"api_key_invalid", b"invalid_api_key",
                         b"credit balance is too low")  # fmt: skip
"""How some vendors refuse a credential or an empty purse with a 400: passed on, it would tell our client about ours."""


def blame(status: int, body: bytes) -> Refusal:
    """400, 404, 413 and 422 are about the request, but for those that are about our credential in disguise."""
    if status in _REQUEST_STATUSES:
        lowered = body[:4096].lower()
        return "channel" if any(mark in lowered for mark in OUR_CREDENTIAL) else "request"
    return "overloaded" if status in _OVERLOADED_STATUSES or status >= _FIRST_SERVER_ERROR else "channel"
