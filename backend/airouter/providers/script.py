"""What the scripted upstream says: decided by the request alone, so that the same request always gets the same answer.

A request may carry a member `scripted` (see `Script`) that directs the answer. Without one, the text is made from the
last message, in words that read well in a demo.

Tokens are counted by one rule: four UTF-8 bytes of text are a token, the last one perhaps shorter. A prompt counts its
texts one by one; so do the pieces of an answer.
"""

import hashlib
from array import array
from base64 import b64encode
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

BYTES_PER_TOKEN: Final = 4
DIMENSIONS: Final = 1536
_QUOTE_MAX: Final = 240

Milliseconds = Annotated[int, Meta(ge=0, le=600_000)]
Count = Annotated[int, Meta(ge=0, le=100_000)]


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an answer should go. Everything may be left out."""

    text: Annotated[str, Meta(max_length=4_000_000)] | None = None
    """What the model says."""
    chunks: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    """Into how many pieces a stream cuts the text; unsaid: a piece per word."""
    chunk_delay_ms: Milliseconds = 0
    """The pause before each piece but the first."""
    first_delay_ms: Milliseconds = 0
    """The pause before the head of the answer."""
    status: Annotated[int, Meta(ge=200, le=599)] = 200
    """Another status than 200 refuses the request, with `error` or words about the status."""
    error: dict[str, Any] | None = None
    """The error object. With status 200 a stream says it in place of its end, and a JSON answer carries it alone."""
    headers: dict[str, str] = {}
    """More headers of the answer, such as `retry-after`."""
    usage: dict[str, Any] | UnsetType | None = UNSET
    """The usage to report; null reports none; unsaid: what the rule counts."""
    usage_in_every_chunk: bool = False
    """Some vendors repeat the running usage in each chunk."""
    tool_calls: list[dict[str, Any]] | None = None
    """The tools the model calls: `[{"name": …, "arguments": {…}}]`, or calls in the API's own shape."""
    finish_reason: str | None = None
    cut_after_chunks: Count | None = None
    """The connection breaks after so many pieces (0: after the head of the answer)."""
    hang_after_chunks: Count | None = None
    """Nothing more comes after so many pieces."""
    hang: bool = False
    """Nothing comes at all."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The members of a request that the scripted upstream understands."""

    model: str = "scripted"
    messages: list[Any] = []
    prompt: Any = ""
    input: Any = ""
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=0)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    service_tier: str | None = None
    dimensions: Annotated[int, Meta(ge=1, le=16_384)] | None = None
    encoding_format: str | None = None
    scripted: Script = Script()

    @property
    def output_tokens_max(self) -> int | None:
        """The stated maximum, if any."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    @property
    def includes_usage(self) -> bool:
        """A stream reports its usage only when it is asked to."""
        return bool((self.stream_options or {}).get("include_usage"))


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One choice of an answer: the text in pieces, the tools called, and why it ended."""

    pieces: tuple[str, ...]
    tool_calls: tuple[dict[str, Any], ...]
    finish_reason: str

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    @property
    def tokens(self) -> int:
        """What the rule counts for text and tool calls."""
        arguments = (call["function"]["name"] + call["function"]["arguments"] for call in self.tool_calls)
        return tokens_of(self.text) + sum(map(tokens_of, arguments))


def tokens_of(text: str) -> int:
    """The rule: a token for every four bytes begun."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def prompt_tokens(value: Any) -> int:
    """Tokens of a prompt: each text by the rule, token ids one by one, media and names not at all."""
    total, waiting = 0, [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            total += tokens_of(here)
        elif isinstance(here, int):
            total += 1
        elif isinstance(here, list):
            waiting.extend(here)
        elif isinstance(here, dict):
            waiting.extend(
                here[name] for name in ("content", "text", "tool_calls", "function", "arguments") if name in here
            )
    return total


def last_words(messages: Sequence[Any]) -> str:
    """The text of the last message."""
    content = messages[-1].get("content") if messages and isinstance(messages[-1], dict) else ""
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        content = " ".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def say(asked: Asked, words: str, identity: str) -> Said:
    """Decide one choice: its text or tool calls, cut to the stated maximum."""
    script = asked.scripted
    calls = script.tool_calls
    if calls is None and script.text is None:
        calls = _demanded_tool(asked)
    tool_calls = tuple(_tool_call(call, number, identity) for number, call in enumerate(calls or ()))
    text = script.text if script.text is not None else ("" if tool_calls else _answer_to(words))
    finish_reason = "tool_calls" if tool_calls else "stop"
    most = asked.output_tokens_max
    if most is not None and tokens_of(text) > most:
        text = text.encode("utf-8", "surrogatepass")[: most * BYTES_PER_TOKEN].decode("utf-8", "ignore")
        finish_reason = "length"
    return Said(
        pieces=_pieces(text, script.chunks),
        tool_calls=tool_calls,
        finish_reason=script.finish_reason or finish_reason,
    )


def _answer_to(words: str) -> str:
    quoted = " ".join(words.split())
    if len(quoted) > _QUOTE_MAX:
        quoted = quoted[:_QUOTE_MAX].rstrip() + "…"
    heard = f"You said: “{quoted}”. " if quoted else ""
    return (
        f"{heard}This is the scripted model of the demo. No AI was asked, but the call is real: it was routed, counted "
        "and charged like any other, and its receipt is in the console under Usage."
    )


def _pieces(text: str, count: int | None) -> tuple[str, ...]:
    """A piece per word, its blank in front; or as many pieces of nearly the same length as were asked for."""
    if count is None:
        words = text.split(" ")
        return tuple(word if not number else " " + word for number, word in enumerate(words)) if text else ()
    bounds = [len(text) * number // count for number in range(count + 1)]
    return tuple(text[start:end] for start, end in pairwise(bounds))


def _demanded_tool(asked: Asked) -> list[dict[str, Any]] | None:
    """The tool that the request insists on, called without arguments."""
    choice, tools = asked.tool_choice, asked.tools or []
    if isinstance(choice, dict):
        function = choice.get("function")
        return [{"name": function["name"]}] if isinstance(function, dict) and "name" in function else None
    if choice == "required" and tools:
        function = tools[0].get("function")
        return [{"name": function["name"]}] if isinstance(function, dict) and "name" in function else None
    return None


def _tool_call(call: Mapping[str, Any], number: int, identity: str) -> dict[str, Any]:
    function = call.get("function", call)
    arguments = function.get("arguments", {})
    return {
        "id": call.get("id", f"call_{identity}{number}"),
        "type": "function",
        "function": {
            "name": str(function.get("name", "tool")),
            "arguments": arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode(),
        },
    }


def vector(text: Any, dimensions: int) -> list[float]:
    """A vector of length 1 that depends on the text alone."""
    seed = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else msgspec.json.encode(text)
    raw = array("h", hashlib.shake_256(seed).digest(2 * dimensions))
    length = sqrt(sum(number * number for number in raw)) or 1.0
    return [number / length for number in raw]


def moderation(asked: Asked, identity: str) -> bytes:
    """A verdict on each input: what says `harmful` is."""
    given = asked.input if isinstance(asked.input, list) else [asked.input]
    several = all(isinstance(one, str) for one in given)
    texts = given if several else [" ".join(str(one.get("text", "")) for one in given if isinstance(one, dict))]
    results = [
        {
            "flagged": "harmful" in text,
            "categories": {"violence": "harmful" in text},
            "category_scores": {"violence": 0.9 if "harmful" in text else 0.001},
            "category_applied_input_types": {"violence": ["text"]},
        }
        for text in texts
    ]
    return msgspec.json.encode({"id": f"modr-{identity}", "model": asked.model, "results": results})


def embedding(text: Any, asked: Asked) -> list[float] | str:
    """The vector as the client wants it: numbers, or base64 of 32-bit numbers (what OpenAI's SDK asks for)."""
    numbers = vector(text, asked.dimensions or DIMENSIONS)
    if asked.encoding_format != "base64":
        return numbers
    return b64encode(array("f", numbers).tobytes()).decode()
