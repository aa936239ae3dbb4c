"""Whose fault an error status is, for vendors that use statuses as they are meant.

| status | words | blamed | what follows |
|---|---|---|---|
| 400, 403, 404, 413, 422 | of an unknown key | `credential` | it rests; after several such refusals it is disabled |
| 400, 403, 404, 422 | of an unknown model | `model` | the channel is not asked for it for a while |
| 403 | of what was asked | `request` | the client is told, nobody else is asked |
| any of 4xx | of an empty purse | `funds` | it rests: what it may do or pay can change by itself |
| 402, 403 | any other | `funds` | the same |
| 401 | any other | `credential` | as above: some vendors say it with another status |
| 429 | any other | `limited` | it rests as long as `retry-after` says |
| 400, 404, 413, 422 | any other | `request` | the client is told, nobody else is asked |
| 408, 409, 425, 5xx | any | `overloaded` | a failure of the channel |
| others: redirects, 405 … | any | `channel` | a failure of the channel |

"Of" means what the vendor says itself: its code, or how its message begins. What a refusal quotes of a request or of an
answer could be anything, and nobody's credential is disabled for it.

A client names a model of our price list; what the vendor is asked for is the channel's name for it. So a vendor that
does not know it finds fault with the channel, not with the client. And what one client asks for is to put no credential
to rest that the others use: a 403 may be about either, and the vendor's words tell.
"""

import re
from typing import Any, Final

import msgspec

from airouter.providers.contract import Refusal
from airouter.wire.decoding import read_or_none

_REQUEST_STATUSES: Final = frozenset({400, 404, 413, 422})
_FUNDS_STATUSES: Final = frozenset({402, 403})
_OVERLOADED_STATUSES: Final = frozenset({408, 409, 425})
_UNAUTHORIZED, _FORBIDDEN, _LIMITED = 401, 403, 429
_FIRST_CLIENT_ERROR, _FIRST_SERVER_ERROR = 400, 500
_ANY: Final = msgspec.json.Decoder()


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """How vendors say something: in a code of theirs, or as the beginning of a message. All in lower case."""

    codes: frozenset[str]
    beginnings: tuple[str, ...]
    pattern: re.Pattern[str] | None = None
    """Of a beginning with a name in it."""

    def say(self, codes: frozenset[str], message: str) -> bool:
        """Whether an error says it."""
        if codes & self.codes or message.startswith(self.beginnings):
            return True
        return self.pattern is not None and self.pattern.match(message) is not None


UNKNOWN_KEY: Final = Words(
    codes=frozenset({"invalid_api_key", "api_key_invalid"}),
    beginnings=("api key not valid", "incorrect api key", "invalid api key", "api key expired"),
)
"""How some vendors refuse a credential with a 400 or 403: passed on, it would tell our client about ours."""
EMPTY_PURSE: Final = Words(
    codes=frozenset({
        "1113", "arrearage", "billing_hard_limit_reached", "billing_not_active", "credit_balance_exhausted",
        "enforced_spend_limit_reached", "exceeded_current_quota_error", "insufficient_quota", "organization_restricted",
        "organization_spend_limit_exceeded", "organization_usage_limit_exceeded", "project_spend_limit_exceeded",
    }),
    beginnings=(
        "insufficient balance", "this organization has been disabled", "you have reached your specified",
        "your credit balance is too low",
    ),
    pattern=re.compile(r"account \S{1,200} is suspended\b|your team \S{1,200} has either used all available credits"),
)  # fmt: skip
"""How they refuse an empty purse, a limit that its owner set it or an account that they closed, with a status of
something else: OpenAI, Perplexity (401 insufficient_quota), Alibaba (400 Arrearage), Zhipu and Z.ai (429 1113),
Moonshot, Groq (400) by codes; Anthropic (400) in words and (429) by a code; DeepSeek, MiniMax, Fireworks (412), xAI
(429) in words. (Gemini says "exceeded your current quota" of any limit.) Read in their pages of error codes or, where
those are silent, in reports of 2024 to 2026.
"""

UNKNOWN_MODEL: Final = Words(
    codes=frozenset({
        "1211", "accessdenied.unpurchased", "deploymentnotfound", "invalid_model", "invalidendpoint.closedendpoint",
        "invalidendpoint.notfound", "invalidendpointormodel.notfound", "model_decommissioned", "model_not_available",
        "model_not_found", "modelnotfound", "modelnotopen",
    }),
    beginnings=("could not resolve the foundation model", "model disabled", "the provided model identifier is invalid"),
    pattern=re.compile(
        r"model: \S+$|not found the model|invalid model\b|\S{1,200} is not a valid model"
        r"|no endpoints (available|found) (for|matching your)\b"
        r"|(the |publisher |requested )*models?[:/ ]+\S{0,200} ?(is |was |does )?not (found|exist)"
    ),
)  # fmt: skip
"""How they say that they do not have what the channel's list of models names, or not for us: OpenAI and those who
follow it, Azure, Mistral, Groq, Together, VolcEngine, Alibaba, Zhipu and Z.ai (1211) by codes; Anthropic, Google,
DeepSeek, Moonshot, OpenRouter, SiliconFlow, Ollama, vLLM in words.
"""

REFUSED_CONTENT: Final = Words(
    codes=frozenset({"content_policy_violation"}),
    beginnings=("content violates usage guidelines", "request blocked:"),
    pattern=re.compile(r"\S{1,200} requires moderation\b"),
)
"""How xAI and OpenRouter refuse what was asked with the status of a credential that may not: openrouter.ai/docs/errors,
and reports of 2025 and 2026 for xAI, whose own page does not tell the two apart.
"""


def blame(status: int, body: bytes) -> Refusal:
    """The table above."""
    if status in _OVERLOADED_STATUSES or status >= _FIRST_SERVER_ERROR:
        return "overloaded"
    if status < _FIRST_CLIENT_ERROR:
        return "channel"
    codes, message = _said(body)
    is_about_request = status in _REQUEST_STATUSES
    if (is_about_request or status == _FORBIDDEN) and UNKNOWN_KEY.say(codes, message):
        return "credential"
    if (is_about_request or status == _FORBIDDEN) and UNKNOWN_MODEL.say(codes, message):
        return "model"
    if status == _FORBIDDEN and REFUSED_CONTENT.say(codes, message):
        return "request"
    if status in _FUNDS_STATUSES or EMPTY_PURSE.say(codes, message):
        return "funds"
    if status == _UNAUTHORIZED:
        return "credential"
    if status == _LIMITED:
        return "limited"
    return "request" if is_about_request else "channel"


def _said(body: bytes) -> tuple[frozenset[str], str]:
    """The codes of an error in anybody's shape, and its message; both in lower case."""
    said: Any = read_or_none(_ANY, body)
    if isinstance(said, list) and said:  # Google, where a stream was to be an array
        said = said[0]
    error: Any = said.get("error", said) if isinstance(said, dict) else said
    if not isinstance(error, dict):
        message = error if isinstance(error, str) else body[:100].decode("utf-8", "replace")
        return frozenset(), message.lower()
    details = error.get("details")
    reasons = [one.get("reason") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    if isinstance(details, dict):  # Anthropic's
        reasons.append(details.get("error_code"))
    metadata = error.get("metadata")  # OpenRouter's
    kind = metadata.get("error_type") if isinstance(metadata, dict) else None
    found = (error.get("code"), error.get("type"), kind, *reasons)
    message = error.get("message") or error.get("detail")
    codes = frozenset(one.lower() for one in found if isinstance(one, str))
    return codes, message.lower() if isinstance(message, str) else ""
