"""No tool of a vendor's passes that it bills by something which nobody counts: the table, and what is not in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from airouter.domain.errors import InvalidRequest
from airouter.providers.hosted_tools import EVERYWHERE, HOSTED, OF_YOUR_OWN, ToolNotCounted, check_hosted
from airouter.providers.registry import PROVIDERS
from airouter.providers.vendor_guide import table_of_tools
from airouter.providers.vendors import VENDORS
from airouter.wire.endpoint import Endpoint
from airouter.wire.requests import Named, RequestHead, hosted_by, read_request
from tests.providers.calls import call

DOCUMENT = Path(__file__).parents[2] / "docs" / "operate" / "hosted-tools.md"
SWITCHES = {"web_search_options", "search_parameters", "enable_search", "compound_custom", "mcp_servers"}
TEXTS: tuple[Endpoint, ...] = ("chat.completions", "messages", "responses", "generate_content")
PAIRS = [
    (vendor, endpoint)
    for vendor in sorted(VENDORS)
    for endpoint in TEXTS
    if endpoint in PROVIDERS[vendor].endpoints and vendor not in OF_YOUR_OWN
]
CLIENTS: dict[Endpoint, list[dict[str, Any]]] = {
    "chat.completions": [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "c"}}],
    "messages": [
        {"name": "f", "input_schema": {}},
        *({"type": kind, "name": "x"} for kind in ("custom", "bash_20250124", "text_editor_20250728")),
        *({"type": kind, "name": "x"} for kind in ("computer_20251124", "memory_20250818")),
    ],
    "responses": [
        *({"type": kind} for kind in ("function", "custom", "local_shell", "apply_patch", "tool_search", "shell")),
        *({"type": kind} for kind in ("computer", "computer_use_preview")),
        {"type": "shell", "environment": {"type": "local"}},
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]},
    ],
    "generate_content": [{"functionDeclarations": [{"name": "f"}], "computerUse": {}}, {"function_declarations": []}],
}


def asked(endpoint: Endpoint, *tools: dict[str, Any], **members: Any) -> tuple[RequestHead, bytes]:
    body = {"model": "m", "max_tokens": 9, "messages": [], "input": "Hi", "contents": [], "tools": tools, **members}
    return read(endpoint, json.dumps(body).encode())


def read(endpoint: Endpoint, body: bytes) -> tuple[RequestHead, bytes]:
    return read_request(endpoint, body, Named(model="m") if endpoint == "generate_content" else None), body


def asking_for(endpoint: Endpoint, name: str) -> tuple[RequestHead, bytes]:
    """A request that sets this running, as its dialect says it."""
    name = name.replace("*", "20260101")
    if name.startswith("plugins."):
        plugin, _, engine = name.removeprefix("plugins.").partition(":")
        return asked(endpoint, plugins=[{"id": plugin, **({"pdf": {"engine": engine}} if engine else {})}])
    if name in SWITCHES:
        return asked(endpoint, **{name: {}})
    if name == "input_file":
        return asked(endpoint, input=[{"role": "user", "content": [{"type": "input_file", "file_data": "x"}]}])
    if endpoint == "generate_content":
        return asked(endpoint, {name: {}})
    return asked(
        endpoint, {"type": name, "environment": {"type": "container_auto"}} if name == "shell" else {"type": name}
    )


def check(vendor: str, found: tuple[RequestHead, bytes], *, passes: bool = False) -> None:
    check_hosted(vendor, *found, passes_uncounted=passes)


def spoken(vendor: str, name: str) -> tuple[Endpoint, ...]:
    """The dialects of a vendor in which a name of its row can be said."""
    found: list[Endpoint] = [endpoint for endpoint in TEXTS if endpoint in PROVIDERS[vendor].endpoints]
    if name.startswith("plugins.") or name == "web_search_options":
        return ("chat.completions",)
    return ("responses",) if name == "input_file" else tuple(found)


ROWS = [(vendor, endpoint, name) for vendor, row in HOSTED.items() for name in row for endpoint in spoken(vendor, name)]


@pytest.mark.parametrize(("vendor", "endpoint", "name"), ROWS)
def test_every_tool_of_the_table_is_counted_or_refused_by_name(vendor: str, endpoint: Endpoint, name: str):
    tool, found = HOSTED[vendor][name], asking_for(endpoint, name)
    if tool.billed == "tokens":
        check(vendor, found)
    elif tool.billed == "search":
        check(vendor, found)
        assert "search" in found[0].asks, "a model without a rate for it refuses it"
    else:
        with pytest.raises(ToolNotCounted) as refused:
            check(vendor, found)
        assert name.rstrip("*") in refused.value.message
        check(vendor, found, passes=True)


@pytest.mark.parametrize(("vendor", "endpoint"), PAIRS)
def test_a_tool_that_is_not_in_the_table_is_refused_unless_the_channel_says_so(vendor: str, endpoint: Endpoint):
    for name in ("teleport", "teleportSearch"):
        found = asking_for(endpoint, name)
        with pytest.raises(ToolNotCounted, match=name):
            check(vendor, found)
        check(vendor, found, passes=True)


@pytest.mark.parametrize(("vendor", "endpoint"), PAIRS)
def test_tools_that_the_client_runs_pass_everywhere(vendor: str, endpoint: Endpoint):
    found = asked(endpoint, *CLIENTS[endpoint])
    assert hosted_by(found[0]) == ()
    check(vendor, found)


@pytest.mark.parametrize(("vendor", "endpoint"), PAIRS)
@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_tool_that_runs_another_model_is_refused_whatever_the_channel_says(
    vendor: str, endpoint: Endpoint, name: str
):
    is_of_chats = name.startswith("plugins.") or name in SWITCHES
    if endpoint == "generate_content" or (is_of_chats and endpoint != "chat.completions"):
        return  # there such a thing cannot be said
    with pytest.raises(ToolNotCounted, match="another model"):
        check(vendor, asking_for(endpoint, name), passes=True)


def test_a_tool_of_the_client_may_be_called_like_one_of_a_vendor():
    tools = [
        {"name": "advisor_2", "input_schema": {}},
        {"type": "custom", "name": "code_execution", "input_schema": {}},
    ]
    check("anthropic", asked("messages", *tools))
    check("openai", asked("responses", {"type": "function", "name": "code_interpreter"}))


@pytest.mark.parametrize(
    ("vendor", "endpoint", "body"),
    [
        ("openai", "responses", rb'{"model":"m","input":"Hi","tools":[{"type":"code\u005finterpreter"}]}'),
        ("openai", "responses", rb'{"model":"m","input":"Hi","t\u006fols":[7,{"type":"code_interpreter"}]}'),
        (
            "anthropic",
            "messages",
            rb'{"model":"m","max_tokens":1,"messages":[],"tools":[{"type":"code\u005fexecution_1"}]}',
        ),
        ("gemini", "generate_content", rb'{"contents":[],"tools":[{"google\u004daps":{}}]}'),
        ("gemini", "generate_content", rb'{"contents":[],"tools":[{"google_maps":{}}]}'),
        ("gemini", "generate_content", rb'{"contents":[],"tools":{"googleMaps":{}}}'),
        ("openrouter", "chat.completions", rb'{"model":"m","messages":[],"plugins":[{"id":"fus\u0069on"}]}'),
        ("xai", "responses", rb'{"model":"m","input":[{"content":[{"type":"input\u005ffile"}]}]}'),
    ],
)
def test_no_spelling_hides_a_tool(vendor: str, endpoint: Endpoint, body: bytes):
    with pytest.raises(ToolNotCounted):
        check(vendor, read(endpoint, body))


def test_a_shell_and_tools_within_a_namespace_are_looked_into():
    for tool in (
        {"type": "shell", "environment": {"type": "container_auto"}},
        {"type": "shell", "environment": {"type": "container_reference", "container_id": "c"}},
        {"type": "namespace", "name": "n", "tools": [{"type": "function"}, {"type": "file_search"}]},
    ):
        with pytest.raises(ToolNotCounted):
            check("openai", asked("responses", tool))


def test_a_search_in_googles_tools_is_asked_for_in_every_spelling():
    for tool in (b'{"google_search":{}}', rb'{"google\u0053earch":{}}', b'{"googleSearchRetrieval":{}}'):
        head, body = read("generate_content", b'{"contents":[],"tools":[%b]}' % tool)
        assert head.asks == ("search",)
        check("gemini", (head, body))
    assert read("generate_content", b'{"contents":[],"tools":[{"googleSearch":null}]}')[0].asks == ()


def test_a_switch_that_is_off_asks_for_nothing():
    assert asked("chat.completions", enable_search=False, web_search_options=None)[0].asks == ()
    with pytest.raises(ToolNotCounted) as refused:
        check("qwen", asked("chat.completions", enable_search=True))
    assert refused.value.details["field"] == "enable_search"


def test_a_file_that_is_spoken_of_is_none():
    words = [{"role": "user", "content": 'What is a part of {"type": "input_file"}?'}]
    check("xai", asked("responses", input=words))


FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (None, [{"id": "file-parser", "pdf": {"engine": "native"}}]),
        ([{"id": "web"}], [{"id": "web"}, {"id": "file-parser", "pdf": {"engine": "native"}}]),
        ([{"id": "file-parser"}], [{"id": "file-parser", "pdf": {"engine": "native"}}]),
        ([{"id": "file-parser", "pdf": {"x": 1}}], [{"id": "file-parser", "pdf": {"x": 1, "engine": "native"}}]),
        (
            [{"id": "file-parser", "pdf": {"engine": "cloudflare-ai"}}],
            [{"id": "file-parser", "pdf": {"engine": "cloudflare-ai"}}],
        ),
    ],
)
def test_openrouter_reads_no_file_with_an_engine_that_it_bills_by_the_page(given: Any, sent: Any):
    plugins = {} if given is None else {"plugins": given}
    said = call(messages=[{"role": "user", "content": [{"type": "text", "text": "What is it?"}, FILE]}], **plugins)
    assert json.loads(PROVIDERS["openrouter"].outgoing(said).body)["plugins"] == sent


def test_openrouter_is_told_of_no_engine_where_there_is_no_file():
    said = call(messages=[{"role": "user", "content": 'a "file"'}])
    assert PROVIDERS["openrouter"].outgoing(said).body is said.body


def test_the_guide_for_operators_has_the_table_as_it_is():
    """After a change: put what `airouter.providers.vendor_guide.table_of_tools()` gives into the document."""
    assert table_of_tools() in DOCUMENT.read_text()
    assert set(HOSTED) <= set(VENDORS)
    assert issubclass(ToolNotCounted, InvalidRequest)
