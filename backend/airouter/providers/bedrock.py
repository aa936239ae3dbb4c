"""Amazon Bedrock: Converse, whole and streamed, for every text model there."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from airouter.providers import sigv4
from airouter.providers.bedrock_stream import ConverseStreamReader
from airouter.providers.bedrock_usage import reported_in
from airouter.providers.blame import blame
from airouter.providers.contract import Answered, Call, Headers, Outgoing, Refusal
from airouter.providers.counts import counted
from airouter.providers.headers import COMMON, HeaderBook, bearer
from airouter.providers.overrides import overridden
from airouter.providers.saying import answered
from airouter.translation.support import Dialect
from airouter.wire.counting import COUNTERS, written_answer
from airouter.wire.decoding import read_or_none
from airouter.wire.endpoint import Endpoint
from airouter.wire.prompt import text_bytes

SERVICE: Final = "bedrock"
"""What the signature is for; the address says `bedrock-runtime`."""
DEFAULT_REGION: Final = "us-east-1"
"""Of an address that names none, such as a proxy's."""
_REGION: Final = re.compile(r"(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d+)\.")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ANY: Final = msgspec.json.Decoder(dict[str, Any])
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OF_KEYS: Final = (
    "The security token included in the request",
    "The request signature we calculated does not match",
    "Signature expired",
    "Signature not yet current",
    "Bearer Token has expired",
    "Authentication failed",
    "Invalid API Key",
)
"""How AWS begins to speak of keys that it does not accept. Only beginnings count: what follows may repeat the client's
own words, which must not cost the operator a key."""
_OF_MODELS: Final = (
    "The provided model identifier is invalid",
    "Invocation of model ID",
    "Operation not allowed",
    "You don't have access to the model",
)
"""The same of a model that our account, or this address, cannot call: the channel's configuration is at fault."""

_OF_COUNTS: Final = ("The provided model doesn't support counting tokens", "Document input not supported for token")
"""The same of what it does not count: few models, and no documents (reports of 2025 and 2026)."""
_COUNTED: Final = ("messages", "system", "toolConfig", "additionalModelRequestFields")
"""What ConverseTokensRequest has of a Converse request (API reference, 2026)."""
_REGION_OF_PROFILE: Final = re.compile(r"^(?:global|apac|us-gov|[a-z]{2})\.(?=[^.]+\.)")
"""Tokens are counted for models, and not for the inference profiles by which they are called."""


class BedrockProvider:
    """AWS's runtime of one region. `now` dates the signatures."""

    def __init__(self, now: Callable[[], datetime], name: str = "bedrock") -> None:
        self.name = name
        self.endpoints: frozenset[Endpoint] = frozenset()
        """No client speaks its dialect."""
        self._now = now
        self._bearers = HeaderBook(bearer)

    @property
    def dialect(self) -> Dialect:
        """See translated.SpeaksAlone."""
        return "bedrock"

    @property
    def can_count(self) -> bool:
        """CountTokens takes what Converse takes."""
        return True

    def outgoing(self, call: Call) -> Outgoing:
        """The model stands in the address, encoded: ids have colons, and ARNs slashes.

        A credential with a colon is an access key, which signs what is sent; any other is a Bedrock API key.
        """
        is_count = call.endpoint in COUNTERS
        verb = "count-tokens" if is_count else "converse-stream" if call.is_streaming else "converse"
        model = _REGION_OF_PROFILE.sub("", call.upstream_model) if is_count else call.upstream_model
        out = self._authorised(call, f"/model/{quote(model, safe='')}/{verb}")
        return msgspec.structs.replace(out, body=_to_count(out.body)) if is_count else out

    def _authorised(self, call: Call, path: str) -> Outgoing:
        if ":" not in call.credential:
            headers = self._bearers.of(call.credential)
            return overridden(Outgoing(method="POST", path=path, headers=headers, body=call.body), call)
        keys, base_url = _keys(call.credential), call.base_url

        def sign(out: Outgoing) -> Headers:
            scope = sigv4.Scope(region=region_of(base_url), service=SERVICE, at=self._now())
            others = tuple(header for header in out.headers if not _is_covered(header[0]))
            return (*others, *sigv4.signed(_unsigned(base_url, out), keys, scope))

        return overridden(Outgoing(method="POST", path=path, headers=COMMON, body=call.body, sign=sign), call)

    def answer(self, call: Call, body: bytes) -> Answered:
        """Read a whole answer; a count in the words of whoever asked for it."""
        answer = read_or_none(_ANY, body)
        if answer is None:
            return Answered(body=body, reported=None, is_proper=False)
        if call.endpoint in COUNTERS:
            tokens = answer.get("inputTokens")
            return counted(call, written_answer(call.endpoint, tokens) if isinstance(tokens, int) else body)
        output = answer.get("output")
        message = output.get("message") if isinstance(output, dict) else None
        return answered(
            body,
            reported_in(answer),
            has_shape=isinstance(message, dict),
            has_content=isinstance(message, dict) and bool(message.get("content")),
            written_bytes=lambda: text_bytes(message, lambda _: None),
        )

    def stream(self, call: Call) -> ConverseStreamReader:
        """A reader for one event stream."""
        return ConverseStreamReader(call)

    def refusal(self, status: int, body: bytes) -> Refusal:
        """By the status, which each of AWS's exceptions has its own of; its words tell a bad key from a bad request."""
        if status in {400, 403}:
            words = _message(body)
            if words.startswith(_OF_KEYS):
                return "credential"
            if words.startswith(_OF_MODELS):
                return "channel"
            if words.startswith(_OF_COUNTS):
                return "counting"
        match status:
            case 400:
                return "request"
            case 404:  # the model of the address, which is ours
                return "channel"
            case 424:  # the model failed on its way
                return "overloaded"
            case _:
                return blame(status, body)


def _to_count(body: bytes) -> bytes:
    given = _MEMBERS.decode(body)
    return msgspec.json.encode({"input": {"converse": {name: given[name] for name in _COUNTED if name in given}}})


def _message(body: bytes) -> str:
    said = read_or_none(_ANY, body)
    if said is None:
        return ""
    return str(said.get("message") or said.get("Message") or "")


def region_of(base_url: str) -> str:
    """As AWS's addresses name it, private endpoints included."""
    found = _REGION.search(urlsplit(base_url).hostname or "")
    return DEFAULT_REGION if found is None else found.group(1)


def _keys(credential: str) -> sigv4.Keys:
    """`access_key_id:secret_access_key[:session_token]`; none of the three has a colon in it."""
    key, _, rest = credential.partition(":")
    secret, _, token = rest.partition(":")
    return sigv4.Keys(access_key_id=key, secret=secret, session_token=token or None)


def _unsigned(base_url: str, out: Outgoing) -> sigv4.Unsigned:
    """The request as the client will write it: its host without the usual port, its path below that of the address."""
    url = urlsplit(base_url)
    host = url.hostname or ""
    host = f"[{host}]" if ":" in host else host
    if url.port not in {None, _DEFAULT_PORTS.get(url.scheme)}:
        host = f"{host}:{url.port}"
    target = url.path.rstrip("/") + out.path
    covered = tuple(header for header in out.headers if _is_covered(header[0]))
    return sigv4.Unsigned(method=out.method, host=host, target=target, headers=covered, body=out.body)


def _is_covered(name: bytes) -> bool:
    """What has to be signed; proxies on the way may change the rest."""
    return name == b"content-type" or name.startswith(b"x-amz-")
