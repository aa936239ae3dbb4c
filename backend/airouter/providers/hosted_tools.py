"""Tools that a vendor runs beside the model, and what it bills for them: one table, as data.

The rule: what a vendor bills beyond tokens is counted, or refused by name. A tool that is not in the row of its vendor
is one of which nobody here knows what it costs, and is refused as well, unless the operator's channel passes it on
(`options.uncounted_tools`). Tools that the client runs are none of these (`hosted` of each head in wire/), and where a
request is translated no tool of a vendor's goes along at all (translation/support.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.wire.decoding import read_or_none
from airouter.wire.members import may_name
from airouter.wire.requests import RequestHead, hosted_by

Billed = Literal["tokens", "search", "apart", "another_model"]
"""`tokens`: as what the model reads and writes, which its usage says. `search`: by the search, counted by that meter.
`apart`: by something that no meter here counts. `another_model`: as another model's tokens, at a price that the model
which was asked for does not have; never passed on.
"""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor bills for a tool. `how`: for operators who read the table."""

    billed: Billed
    how: str = ""
    is_part: bool = False
    """No tool, but a part of a prompt at whose sight the vendor runs one."""


Row = Mapping[str, Tool]

_SEARCH_ITEMS: Final = Tool(billed="search", how="`web_search_call` items of the answer")
_TOKENS: Final = Tool(billed="tokens")
_ADVISOR: Final = Tool(billed="another_model")

EVERYWHERE: Final[Row] = {
    # platform.claude.com, "Advisor tool"; openrouter.ai/docs, "Server tools" and "Plugins: fusion";
    # console.groq.com/docs/compound: it names models, and tools for them (2026).
    "advisor_*": _ADVISOR,
    "openrouter:advisor": _ADVISOR,
    "openrouter:fusion": _ADVISOR,
    "openrouter:image_generation": _ADVISOR,
    "openrouter:subagent": _ADVISOR,
    "plugins.fusion": _ADVISOR,
    "compound_custom": _ADVISOR,
}
"""Whatever the channel's provider is called: a gateway may stand behind any address."""

# developers.openai.com/api/docs/pricing, "Built-in tools", as others quote it in 2026. Tools of MCP servers: recorded.
_OPENAI: Final[Row] = {
    "web_search*": _SEARCH_ITEMS,
    "mcp": _TOKENS,
    "code_interpreter": Tool(billed="apart", how="by the container"),
    "shell": Tool(billed="apart", how="by the container, where it is not the client's own"),
    "file_search": Tool(billed="apart", how="by the call, and what is stored"),
    "image_generation": Tool(billed="apart", how="as tokens of a model of images"),
}
# platform.claude.com/docs, "Pricing": 10 dollars a thousand searches, hours of containers; fetching costs its tokens.
# Recorded: what finding tools and MCP servers add is in the tokens.
_ANTHROPIC: Final[Row] = {
    "web_search_*": Tool(billed="search", how="`server_tool_use.web_search_requests`"),
    "web_fetch_*": _TOKENS,
    "tool_search_tool_*": _TOKENS,
    "mcp_toolset": _TOKENS,
    "mcp_servers": _TOKENS,
    "code_execution_*": Tool(billed="apart", how="by the hour of a container"),
}
# ai.google.dev/gemini-api/docs/pricing, as others quote it in 2026: searches by the call until Gemini 2.5, by the query
# since Gemini 3. …/docs/file-search (2026): questions cost tokens alone. Recorded: URLs and code are in the tokens.
_GOOGLE: Final[Row] = {
    "googleSearch": Tool(billed="search", how="queries in `groundingMetadata`; until Gemini 2.5 one a call"),
    "googleSearchRetrieval": Tool(billed="search", how="one a call"),
    "urlContext": _TOKENS,
    "codeExecution": _TOKENS,
    "fileSearch": _TOKENS,
    "googleMaps": Tool(billed="apart", how="by the call or the query"),
}

HOSTED: Final[Mapping[str, Row]] = {
    "openai": {
        **_OPENAI,
        "web_search_options": Tool(billed="search", how="one for each call of a model with `-search` in its name"),
    },
    "azure-openai": _OPENAI,
    "anthropic": _ANTHROPIC,
    "vertex-anthropic": _ANTHROPIC,
    "gemini": _GOOGLE,
    "vertex": {
        **_GOOGLE,
        "enterpriseWebSearch": _GOOGLE["googleSearch"],
        "retrieval": Tool(billed="apart", how="by the query of a store"),
    },
    # docs.x.ai/developers/pricing, "Tool Invocation Costs" (2026).
    "xai": {
        "web_search*": Tool(billed="search", how="`server_side_tool_usage_details.web_search_calls`"),
        "x_search": Tool(billed="search", how="`server_side_tool_usage_details.x_search_calls`"),
        "mcp": _TOKENS,
        "code_execution": Tool(billed="apart", how="by the call"),
        "code_interpreter": Tool(billed="apart", how="by the call"),
        "collections_search": Tool(billed="apart", how="by the call"),
        "file_search": Tool(billed="apart", how="by the call"),
        "input_file": Tool(billed="apart", how="a file in the prompt is searched, by the call", is_part=True),
    },
    # openrouter.ai/docs, "Server tools", "Plugins", "PDF Inputs"; openrouter.ai/tools (2026).
    "openrouter": {
        "openrouter:web_search": Tool(billed="search", how="`server_tool_use_details.web_search_requests`"),
        "plugins.web": Tool(billed="search", how="`server_tool_use_details.web_search_requests`"),
        "openrouter:datetime": _TOKENS,
        "plugins.response-healing": _TOKENS,
        "plugins.file-parser": Tool(billed="tokens", how="read by the engine `native`, which is said for it"),
        "plugins.file-parser:native": _TOKENS,
        "plugins.file-parser:cloudflare-ai": _TOKENS,
        "plugins.file-parser:pdf-text": _TOKENS,
        "plugins.file-parser:mistral-ocr": Tool(billed="apart", how="by the page"),
        "openrouter:web_fetch": Tool(billed="apart", how="by the page, with most engines"),
    },
    # docs.perplexity.ai/docs/sonar, of 2026.
    "perplexity": {"web_search_options": Tool(billed="search", how="`num_search_queries`")},
    # docs.perplexity.ai/docs/agent-api/tools (2026).
    "perplexity-agent": {
        "web_search": Tool(billed="apart", how="by the call; what its usage says of it is not documented"),
        "fetch_url": Tool(billed="apart", how="by the call"),
    },
    # docs.litellm.ai and integrators (November 2026): searches of a model cost what a search costs by itself.
    "deepseek": {"web_search*": Tool(billed="apart", how="by the search; what its usage says of it is not documented")},
}
"""The row of each vendor that runs tools. A name that ends with `*` stands for all that begin so."""

OF_YOUR_OWN: Final = frozenset({"ollama", "scripted", "vllm"})
"""Servers that bill nobody."""


class ToolNotCounted(InvalidRequest):
    """The request has its provider run what nobody here could charge for."""

    code = "tool_not_counted"


def check_hosted(provider: str, request: RequestHead, body: bytes, *, passes_uncounted: bool) -> None:
    """Nothing, for nearly every request. `body` is what the request was read from.

    Raises:
        ToolNotCounted: a tool that this provider bills by something that nobody counts, by name.
    """
    names, parts = hosted_by(request), _PARTS.get(provider)
    if parts is not None:
        names = (*names, *_parts_in(body, parts))
    row = HOSTED.get(provider, {})
    for name in names:
        tool = _found(EVERYWHERE, name) or _found(row, name)
        if tool is not None and tool.billed in {"tokens", "search"}:
            continue
        if tool is not None and tool.billed == "another_model":
            words = f"{name!r} runs another model within the call, which has no price here. Leave it out."
        elif passes_uncounted or provider in OF_YOUR_OWN:
            continue
        elif tool is not None:
            words = f"{name!r}: this model's provider bills it by its use, which nothing here counts. Leave it out."
        else:
            words = f"{name!r} is not known as a tool of this model's provider whose use is counted. Leave it out."
        raise ToolNotCounted(words, field=_field_of(name))


def _found(row: Row, name: str) -> Tool | None:
    exact = row.get(name)
    if exact is not None:
        return exact
    return next((tool for known, tool in row.items() if known[-1] == "*" and name.startswith(known[:-1])), None)


def _field_of(name: str) -> str:
    if name.startswith("plugins."):
        return "plugins"
    if name in _MEMBERS:
        return name
    return "input" if name == "input_file" else "tools"


_MEMBERS: Final = frozenset(
    {"compound_custom", "enable_search", "mcp_servers", "search_parameters", "web_search_options"}
)
"""Names of members of a request."""
_ANY: Final = msgspec.json.Decoder()


_PARTS: Final[Mapping[str, list[str]]] = {
    provider: parts
    for provider, row in HOSTED.items()
    if (parts := [name for name, tool in row.items() if tool.is_part])
}


def _parts_in(body: bytes, names: list[str]) -> list[str]:
    """Those of these types of parts that stand somewhere in the body."""
    if not may_name(body, names):
        return []
    kinds = set(_types_in(read_or_none(_ANY, body)))
    return [name for name in names if name in kinds]


def _types_in(value: Any) -> Iterator[object]:
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            waiting.extend(here)
        elif isinstance(here, dict):
            kind = here.get("type")
            if isinstance(kind, str):
                yield kind
            waiting.extend(here.values())
