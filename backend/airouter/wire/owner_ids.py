"""What a vendor's error says of whose credential was used: its organisation, team, project, account, or the key itself.

A client is told what is wrong with its request in the vendor's words, and nothing of who asked for it.
"""

import re
from typing import Final

import msgspec

from airouter.wire.decoding import read_or_none

LEFT_OUT: Final = b"***"
_NAMED: Final = re.compile(
    # a word for an owner, and after it a UUID, or a number longer than anybody counts to
    rb"""(?i)\b((?:team|organi[sz]ation|workspace|tenant|subscription|account|api[ _-]key|key|project|project[ _]number)
    (?:[ _-](?:id|number))?s?(?:\ ?[:=#/]|\\/)?\ ?(?:\\?["'`(]|<)?)
    ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{9,20})(?![0-9a-z])""",
    re.VERBOSE,
)
"""xAI's teams and keys, Azure's subscriptions, accounts of AWS and VolcEngine, numbers of Google's projects."""
_ALONE: Final = re.compile(
    rb"""
    (?<![A-Za-z0-9_.*-])(?:      # where a name begins, so that a long text of dashes is read once
    (?:org|proj|wrkspc|apikey|acct)[-_][A-Za-z0-9]{12,64}\b      # OpenAI, Groq, Anthropic
    |(?:sk|pk|gsk|xai|ak)[-_][A-Za-z0-9_.-]{0,32}\*{2,}[A-Za-z0-9_*.-]{0,128}     # keys, masked
    |(?:sk-|gsk_|xai-|ak-)(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{20,256}      # keys
    |AIza[A-Za-z0-9_-]{30,60}|(?:AKIA|ASIA)[A-Z0-9]{16}\b
    |arn:aws[a-z-]{0,16}:[^\s"'`\\,]{1,512}
    |[A-Za-z0-9_.-]{1,100}@[A-Za-z0-9-]{1,64}\.iam\.gserviceaccount\.com
    |[A-Za-z0-9-]{1,64}\.(?:openai|cognitiveservices|services\.ai)\.azure\.com
    |ep-[0-9]{8,20}-[a-z0-9]{3,16}\b      # endpoints of VolcEngine
    |user_[A-Za-z0-9]{27}\b      # OpenRouter's accounts
    )""",
    re.VERBOSE,
)
_PROJECT: Final = re.compile(rb"\b(projects\\?/)[A-Za-z0-9:._-]{1,64}")
"""Google's resources."""


def without_owner_ids(error: bytes) -> bytes:
    """An error of a vendor's, in whatever shape; the same bytes where nothing of the kind is in it."""
    said = _NAMED.sub(rb"\1" + LEFT_OUT, error)
    said = _PROJECT.sub(rb"\1" + LEFT_OUT, said)
    return _ALONE.sub(LEFT_OUT, said)


class _Failed(msgspec.Struct, frozen=True):
    error: msgspec.Raw = msgspec.Raw(b"")


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    type: str = ""
    error: msgspec.Raw = msgspec.Raw(b"")
    response: _Failed | None = None


_SAID: Final = msgspec.json.Decoder(_Said)


def error_without_owner_ids(said: bytes) -> bytes:
    """The same of an error within an answer or an event, which may have the words of a model beside it: those stay."""
    found = read_or_none(_SAID, said)
    if found is None:
        return said
    error = bytes(found.error) or bytes(found.response.error if found.response is not None else b"")
    if not error and found.type == "error":
        return without_owner_ids(said)
    told = without_owner_ids(error)
    return said if told == error else said.replace(error, told, 1)
