"""Whose fault an error status is, for vendors that use statuses as they are meant.

| status | words | blamed | what follows |
|---|---|---|---|
| 401 | any | `credential` | it rests; after several such refusals in a row it is disabled |
| 400, 403, 404, 413, 422 | of an unknown key | `credential` | the same: some vendors say it so |
| 402, 403 | any other | `funds` | it rests: what it may do or pay can change by itself |
| 400, 404, 413, 422, 429 | of an empty purse | `funds` | the same |
| 429 | any other | `limited` | it rests as long as `retry-after` says |
| 400, 404, 413, 422 | any other | `request` | the client is told, nobody else is asked |
| 408, 409, 425, 5xx | any | `overloaded` | a failure of the channel |
| others: redirects, 405 … | any | `channel` | a failure of the channel |
"""

from typing import Final

from airouter.providers.contract import Refusal

_REQUEST_STATUSES: Final = frozenset({400, 404, 413, 422})
_FUNDS_STATUSES: Final = frozenset({402, 403})
_OVERLOADED_STATUSES: Final = frozenset({408, 409, 425})
_UNAUTHORIZED, _FORBIDDEN, _LIMITED, _FIRST_SERVER_ERROR = 401, 403, 429, 500
_LOOKED_AT_BYTES: Final = 4096
UNKNOWN_KEY: Final = (b"api key not valid", b"incorrect api key", b"invalid api key", b"api_key_invalid",
                      b"invalid_api_key", b"api key expired")  # fmt: skip
"""How some vendors refuse a credential with a 400 or 403: passed on, it would tell our client about ours."""
EMPTY_PURSE: Final = (b"credit balance is too low", b"insufficient_quota", b"insufficient balance")
"""How some refuse an empty purse with a 400 or 429. (Gemini says "exceeded your current quota" of any limit.)"""


def blame(status: int, body: bytes) -> Refusal:
    """The table above."""
    if status in _OVERLOADED_STATUSES or status >= _FIRST_SERVER_ERROR:
        return "overloaded"
    if status == _UNAUTHORIZED:
        return "credential"
    said = body[:_LOOKED_AT_BYTES].lower()
    is_about_request = status in _REQUEST_STATUSES
    if (is_about_request or status == _FORBIDDEN) and any(mark in said for mark in UNKNOWN_KEY):
        return "credential"
    if status in _FUNDS_STATUSES:
        return "funds"
    if (is_about_request or status == _LIMITED) and any(mark in said for mark in EMPTY_PURSE):
        return "funds"
    if status == _LIMITED:
        return "limited"
    return "request" if is_about_request else "channel"
