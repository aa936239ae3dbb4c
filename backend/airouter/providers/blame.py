"""Whose fault an error status is, for vendors that use statuses as they are meant.

| status | words | blamed | what follows |
|---|---|---|---|
| 401 | any | `credential` | it rests; after several such refusals in a row it is disabled |
| 400, 403, 404, 413, 422 | of an unknown key | `credential` | the same: some vendors say it so |
| 402, 403 | any other | `funds` | it rests: what it may do or pay can change by itself |
| 400, 404, 413, 422, 429 | of an empty purse | `funds` | the same |
| 429 | any other | `limited` | it rests as long as `retry-after` says |
| 400, 403, 404, 422 | of an unknown model | `model` | the channel is not asked for it for a while |
| 400, 404, 413, 422 | any other | `request` | the client is told, nobody else is asked |
| 408, 409, 425, 5xx | any | `overloaded` | a failure of the channel |
| others: redirects, 405 … | any | `channel` | a failure of the channel |

"Of" means what the vendor says itself: its code, or how its message begins. What a refusal quotes of a request or of an
answer could be anything, and nobody's credential is disabled for it.

A client names a model of our price list; what the vendor is asked for is the channel's name for it. So a vendor that
does not know it finds fault with the channel, not with the client.
"""

import re
from typing import Any, Final

import msgspec

from airouter.providers.contract import Refusal
from airouter.wire.decoding import read_or_none

_REQUEST_STATUSES: Final = frozenset({400, 404, 413, 422})
_FUNDS_STATUSES: Final = frozenset({402, 403})
_OVERLOADED_STATUSES: Final = frozenset({408, 409, 425})
_UNAUTHORIZED, _FORBIDDEN, _LIMITED, _FIRST_SERVER_ERROR = 401, 403, 429, 500
_ANY: Final = msgspec.json.Decoder()


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """How vendors say something: in a code of theirs, or as the beginning of a message."""

    codes: frozenset[str]
    beginnings: tuple[str, ...]
    pattern: re.Pattern[str] | None = None
    """Of a beginning with a name in it. All in lower case."""

    def begin(self, message: str) -> bool:
        """Whether a message says it."""
        said = message.lower()
        return said.startswith(self.beginnings) or (self.pattern is not None and self.pattern.match(said) is not None)


UNKNOWN_KEY: Final = Words(
    codes=frozenset({"invalid_api_key", "api_key_invalid"}),
    beginnings=("api key not valid", "incorrect api key", "invalid api key", "api key expired"),
)
"""How some vendors refuse a credential with a 400 or 403: passed on, it would tell our client about ours."""
EMPTY_PURSE: Final = Words(
    codes=frozenset({"insufficient_quota"}),
    beginnings=("your credit balance is too low", "insufficient balance"),
)
"""How some refuse an empty purse with a 400 or 429. (Gemini says "exceeded your current quota" of any limit.)"""


UNKNOWN_MODEL: Final = Words(
    codes=frozenset({
        "deploymentnotfound", "invalidendpointormodel.notfound", "invalid_model", "model_decommissioned",
        "model_not_available", "model_not_found",
    }),
    beginnings=("could not resolve the foundation model", "the provided model identifier is invalid"),
    pattern=re.compile(
        r"model: \S+$|not found the model|invalid model\b|\S{1,200} is not a valid model"
        r"|(the |publisher |requested )*models?[:/ ]+\S{0,200} ?(is |was |does )?not (found|exist)"
    ),
)  # fmt: skip
"""How they say that they do not have what the channel's list of models names: OpenAI and those who follow it, Azure,
Mistral, Groq, Together, VolcEngine by codes; Anthropic, Google, DeepSeek, Moonshot, OpenRouter, Ollama, vLLM in words.
"""


def blame(status: int, body: bytes) -> Refusal:
    """The table above."""
    if status in _OVERLOADED_STATUSES or status >= _FIRST_SERVER_ERROR:
        return "overloaded"
    if status == _UNAUTHORIZED:
        return "credential"
    is_about_request = status in _REQUEST_STATUSES
    if (is_about_request or status == _FORBIDDEN) and _says(body, UNKNOWN_KEY):
        return "credential"
    if (is_about_request or status == _FORBIDDEN) and _says(body, UNKNOWN_MODEL):
        return "model"
    if status in _FUNDS_STATUSES:
        return "funds"
    if (is_about_request or status == _LIMITED) and _says(body, EMPTY_PURSE):
        return "funds"
    if status == _LIMITED:
        return "limited"
    return "request" if is_about_request else "channel"


def _says(body: bytes, words: Words) -> bool:
    said: Any = read_or_none(_ANY, body)
    if isinstance(said, list) and said:  # Google, where a stream was to be an array
        said = said[0]
    error: Any = said.get("error", said) if isinstance(said, dict) else said
    if not isinstance(error, dict):
        message = error if isinstance(error, str) else body[:100].decode("utf-8", "replace")
        return words.begin(message)
    details = error.get("details")
    reasons = [one.get("reason") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    codes = {one.lower() for one in (error.get("code"), error.get("type"), *reasons) if isinstance(one, str)}
    message = error.get("message") or error.get("detail")
    return bool(codes & words.codes) or (isinstance(message, str) and words.begin(message))
