"""An operator's changes to the requests of one channel, applied last, to the bytes and headers that go out.

The rule of money: what goes out never exceeds what was admitted. A rule touches nothing that admission reads, nor
what a vendor reads as a prompt: such a rule is refused when it is stored. The one exception is the limit of the output,
which a rule may set or default: it is cut at what the call was admitted for, so that it can only lower it. What is left
can do no more than a member of the client's own that the gateway does not know.

Names are compared without case and underscores: Google takes two spellings of each, and some servers any.
"""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec

from airouter.domain.catalogue import ChannelOptions
from airouter.domain.errors import InvalidRequest
from airouter.domain.overrides import BodyRule, HeaderRule
from airouter.providers.contract import Call, Headers, Outgoing

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_DOT: Final = re.compile(r"(?<!\\)\.")
_VALUE_BYTES_MAX: Final = 4_096
"""A rule is a parameter, not a prompt."""

_NAMES: Final = (
    # What is run, and how its answer comes.
    "model models preset route stream streamoptions background store "
    # How many answers, of what kind, at which price.
    "n bestof modalities audio servicetier prediction "
    # What is read.
    "messages message chathistory prompt suffix input inputs instances instructions system systeminstruction contents "
    "content requests texts images documents functions responseformat text.format outputconfig outputformat "
    "previousresponseid conversation cachedcontent promptvariables container "
    # What the vendor does on its own account, and bills.
    "tools toolconfig plugins connectors mcpservers websearchoptions searchparameters enablesearch searchoptions "
    "websearch compoundcustom "
    # The same, where a dialect nests it.
    "generationconfig.candidatecount generationconfig.responsemodalities generationconfig.responseschema "
    "generationconfig.responsejsonschema generationconfig.speechconfig parameters.candidatecount "
    "parameters.samplecount "
    # What names a version of a dialect belongs to the provider.
    "anthropicversion"
)
PROTECTED: Final = frozenset(tuple(name.split(".")) for name in _NAMES.split())
"""Nobody's rule touches these, what is inside of them, or what they are inside of."""

_LIMIT_NAMES: Final = (
    "maxtokens maxcompletiontokens maxoutputtokens maxnewtokens maxgenlen maxtokenstosample maxlength "
    "generationconfig.maxoutputtokens inferenceconfig.maxtokens parameters.maxoutputtokens options.numpredict"
)
LIMITS: Final = frozenset(tuple(name.split(".")) for name in _LIMIT_NAMES.split())
"""Limits of the output: may be lowered."""

FORBIDDEN_HEADERS: Final = frozenset(
    {
        "authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "host",
        "content-length", "content-type", "content-encoding", "accept-encoding", "accept", "connection", "keep-alive",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect", "date",
    }
)  # fmt: skip
"""Credentials, framing, and what says how bytes are to be read. `x-amz-…` is signed, and the provider's too."""


def check_rules(options: ChannelOptions) -> None:
    """Refuse what could never be applied.

    Raises:
        InvalidRequest: a rule touches what it may not, or its value does not fit. `field` names the rule.
    """
    for number, rule in enumerate(options.body):
        _check_body_rule(rule, f"options.body.{number}")
    for number, rule in enumerate(options.headers):
        field = f"options.headers.{number}"
        if rule.name.lower() in FORBIDDEN_HEADERS or rule.name.lower().startswith("x-amz-"):
            raise InvalidRequest(f"{field}: the header {rule.name!r} is written by the gateway.", field=field)
        if (rule.action == "remove") != (rule.value is None):
            raise InvalidRequest(f"{field}: `set` and `default` need a value, `remove` has none.", field=field)


def _check_body_rule(rule: BodyRule, field: str) -> None:
    is_removal = rule.action == "remove"
    if is_removal != (rule.value is msgspec.UNSET):
        raise InvalidRequest(f"{field}: `set` and `default` need a value, `remove` has none.", field=field)
    path = _normalised(rule.path)
    if not all(path):
        raise InvalidRequest(f"{field}: the path {rule.path!r} has a part without a name.", field=field)
    if path in LIMITS:
        value = rule.value
        if is_removal or isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InvalidRequest(
                f"{field}: {rule.path!r} limits what was held for a call; it can be set to a whole number of tokens.",
                field=field,
            )
        return
    for other in PROTECTED | LIMITS:
        depth = min(len(path), len(other))
        if path[:depth] == other[:depth]:
            raise InvalidRequest(
                f"{field}: {rule.path!r} decides what a call may cost or what is asked; no rule can change it.",
                field=field,
            )
    if not is_removal and len(msgspec.json.encode(rule.value)) > _VALUE_BYTES_MAX:
        raise InvalidRequest(f"{field}: the value is longer than {_VALUE_BYTES_MAX} bytes.", field=field)


def overridden(out: Outgoing, call: Call) -> Outgoing:
    """What a provider sends, with the channel's rules applied: the last thing before a signature."""
    options = call.options
    if not options.body and not options.headers:
        return out
    model, endpoint, is_streaming = call.public_model or call.request.model, call.endpoint, call.is_streaming
    body = [rule for rule in options.body if rule.when.holds(model, endpoint, is_streaming=is_streaming)]
    headers = tuple(rule for rule in options.headers if rule.when.holds(model, endpoint, is_streaming=is_streaming))
    if body:
        out = msgspec.structs.replace(out, body=_with_rules(out.body, body, call.output_allowance))
    if headers:
        out = msgspec.structs.replace(out, headers=_with_headers(out.headers, headers))
    return out


def _with_rules(given: bytes, rules: list[BodyRule], allowance: int) -> bytes:
    """Members that no rule names keep their bytes."""
    members = _MEMBERS.decode(given)
    for rule in rules:
        names = _parts(rule.path)
        value = rule.value
        if _normalised(rule.path) in LIMITS:
            if not allowance:
                continue  # nothing is written, or nothing was held: the client's own limit stands
            value = min(value, allowance)
        _apply(members, names, rule.action, value)
    return msgspec.json.encode(members)


def _apply(members: dict[str, msgspec.Raw], names: tuple[str, ...], action: str, value: Any) -> None:
    """One rule. What stands in its way, such as a text where an object should be, stays."""
    name, *rest = names
    name = _as_given(members, name)
    if not rest:
        if action == "remove":
            members.pop(name, None)
        elif action == "set" or name not in members:
            members[name] = msgspec.Raw(msgspec.json.encode(value))
        return
    inner = members.get(name)
    if inner is None and action == "remove":
        return
    try:
        found = {} if inner is None else _MEMBERS.decode(inner)
    except msgspec.ValidationError:
        return
    _apply(found, tuple(rest), action, value)
    members[name] = msgspec.Raw(msgspec.json.encode(found))


def _as_given(members: dict[str, msgspec.Raw], name: str) -> str:
    """The spelling that the body has already, so that nothing is said in two spellings of which one would win."""
    if name in members:
        return name
    plain = _plain(name)
    return next((known for known in members if _plain(known) == plain), name)


@lru_cache(maxsize=1024)
def _with_headers(given: Headers, rules: tuple[HeaderRule, ...]) -> Headers:
    """Remembered, so that every call with the same credential has the same tuple (upstream keeps its bytes)."""
    headers = list(given)
    for rule in rules:
        name = rule.name.lower().encode()
        if rule.action == "default" and any(known == name for known, _ in headers):
            continue
        headers = [header for header in headers if header[0] != name]
        if rule.value is not None:
            headers.append((name, rule.value.encode()))
    return tuple(headers)


@lru_cache(maxsize=4096)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(part.replace("\\.", ".") for part in _DOT.split(path))


@lru_cache(maxsize=4096)
def _normalised(path: str) -> tuple[str, ...]:
    return tuple(_plain(part) for part in _parts(path))


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
