"""Where the vendors of OpenAI's dialect put their usage inside an answer or an event."""

from typing import Final

import msgspec

from airouter.providers.contract import Call, Reported
from airouter.providers.reporting import Habits, UsageRefused, reported
from airouter.wire.decoding import UNREADABLE, read_or_none
from airouter.wire.members import OPENS_LIST, OPENS_OBJECT
from airouter.wire.openai import Answer

_USAGE: Final = msgspec.json.Decoder(dict[str, object])
_TEXT: Final = msgspec.json.Decoder(str)


class _Inner(msgspec.Struct, frozen=True):
    """Something that carries a `usage` of its own: Groq's `x_groq`, Moonshot's `choices[0]`."""

    usage: msgspec.Raw = msgspec.Raw(b"")


_INNER: Final = msgspec.json.Decoder(_Inner)
_INNERS: Final = msgspec.json.Decoder(list[_Inner])


def usage_of(answer: Answer, call: Call, habits: Habits) -> Reported | None:
    """What the answer reports; None when it reports nothing. Figures that cannot be true come back refused."""
    usage = _object(answer.usage) or _object(_inner(answer.x_groq)) or _object(_first(answer.choices))
    if not usage:
        return None
    tier = service_tier_of(answer)
    try:
        return reported(usage, call.endpoint, habits, tier, model=call.upstream_model)
    except UsageRefused:
        return Reported(quantities=None, service_tier=tier, problem="usage_refused")


def service_tier_of(answer: Answer) -> str | None:
    """The tier that the vendor says it served; None where it says none."""
    if not memoryview(answer.service_tier):
        return None
    try:
        return _TEXT.decode(answer.service_tier) or None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _object(raw: msgspec.Raw) -> dict[str, object] | None:
    if memoryview(raw)[:1] != OPENS_OBJECT:
        return None
    return read_or_none(_USAGE, raw)


def _inner(raw: msgspec.Raw) -> msgspec.Raw:
    if memoryview(raw)[:1] != OPENS_OBJECT:
        return msgspec.Raw(b"")
    try:
        return _INNER.decode(raw).usage
    except UNREADABLE:
        return msgspec.Raw(b"")


def _first(raw: msgspec.Raw) -> msgspec.Raw:
    """The usage inside the first choice, where there is one."""
    if memoryview(raw)[:1] != OPENS_LIST or b'"usage"' not in bytes(raw):
        return msgspec.Raw(b"")
    inners = read_or_none(_INNERS, raw)
    if inners is None:
        return msgspec.Raw(b"")
    return inners[0].usage if inners else msgspec.Raw(b"")
