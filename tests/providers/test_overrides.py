"""What an operator's rules do to a request, and what no rule can do."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airouter.domain.catalogue import ChannelOptions
from airouter.domain.errors import InvalidRequest
from airouter.domain.overrides import BodyRule, HeaderRule
from airouter.providers.contract import Call
from airouter.providers.overrides import FORBIDDEN_HEADERS, LIMITS, PROTECTED, check_rules
from airouter.providers.registry import PROVIDERS
from airouter.wire import anthropic, gemini, openai, responses
from airouter.wire.requests import Named, input_bound, read_request

MESSAGES = [{"role": "user", "content": "Hi"}]
ALLOWANCE = 500


def options(*rules: dict[str, Any], headers: tuple[dict[str, Any], ...] = ()) -> ChannelOptions:
    return msgspec.convert({"body": rules, "headers": headers}, ChannelOptions)


def asked(
    options_: ChannelOptions, provider: str = "openai", endpoint: Any = "chat.completions", **members: Any
) -> Call:
    body = json.dumps({"model": "public", "messages": MESSAGES, **members}).encode()
    named = None
    if endpoint == "generate_content":
        contents = [{"role": "user", "parts": [{"text": "Hi"}]}]
        body = json.dumps({"contents": contents, **members}).encode()
        named = Named(model="public")
    return Call(
        endpoint=endpoint, request=read_request(endpoint, body, named), body=body, upstream_model="public",
        credential="sk-1", options=options_, output_allowance=ALLOWANCE, public_model="public",
    )  # fmt: skip


def sent(*rules: dict[str, Any], **members: Any) -> dict[str, Any]:
    made = options(*rules)
    check_rules(made)
    return json.loads(PROVIDERS["openai"].outgoing(asked(made, **members)).body)


def test_values_are_set_defaulted_and_removed_at_any_depth():
    body = sent(
        {"action": "set", "path": "temperature", "value": 0},
        {"action": "default", "path": "top_p", "value": 0.9},
        {"action": "default", "path": "seed", "value": 4},
        {"action": "remove", "path": "user"},
        {"action": "set", "path": "provider.order", "value": ["a", {"b": None}]},
        {"action": "remove", "path": "metadata.secret"},
        {"action": "set", "path": "odd\\.name.null", "value": None},
        {"action": "set", "path": "stop.x", "value": 1},
        {"action": "remove", "path": "absent.member"},
        temperature=1, seed=7, user="u", metadata={"secret": 1, "kept": 2}, stop="text",
    )  # fmt: skip
    assert body == {
        "model": "public", "messages": MESSAGES, "temperature": 0, "top_p": 0.9, "seed": 7,
        "metadata": {"kept": 2}, "provider": {"order": ["a", {"b": None}]}, "odd.name": {"null": None}, "stop": "text",
    }  # fmt: skip


def test_members_that_no_rule_names_keep_their_bytes():
    made = options({"action": "set", "path": "top_k", "value": 1})
    call = asked(made)
    call = msgspec.structs.replace(call, body=b'{"model":"public","messages": [{"x":1.50}],"big":12345678901234567890}')
    assert PROVIDERS["openai"].outgoing(call).body == (
        b'{"model":"public","messages":[{"x":1.50}],"big":12345678901234567890,"top_k":1}'
    )


def test_without_a_rule_for_this_call_the_clients_own_bytes_go_out():
    for when in ({"models": ["other"]}, {"endpoints": ["embeddings"]}, {"is_streaming": True}):
        made = options({"action": "set", "path": "top_k", "value": 1, "when": when})
        call = asked(made)
        assert PROVIDERS["openai"].outgoing(call).body is call.body
    held = {"models": ["public"], "endpoints": ["chat.completions"], "is_streaming": False}
    assert sent({"action": "set", "path": "top_k", "value": 1, "when": held})["top_k"] == 1


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_every_provider_obeys_the_rules_of_its_channel(provider: str):
    made = options(
        {"action": "set", "path": "vendor_flag", "value": True},
        headers=({"action": "set", "name": "X-Own", "value": "1"},),
    )
    speaks = PROVIDERS[provider].endpoints
    first = next(
        (one for one in ("chat.completions", "messages", "generate_content", "embeddings") if one in speaks), None
    )
    if first == "embeddings":
        call = asked(made, endpoint="chat.completions")
        call = msgspec.structs.replace(
            call, endpoint="embeddings", body=b'{"model":"public","input":"Hi"}',
            request=openai.read_request("embeddings", b'{"model":"public","input":"Hi"}'),
        )  # fmt: skip
    elif first is None:
        call = msgspec.structs.replace(
            asked(made), body=b"{}", base_url="https://bedrock-runtime.us-east-1.amazonaws.com"
        )
    else:
        call = asked(made, endpoint=first, **({"max_tokens": 5} if first == "messages" else {}))
    out = PROVIDERS[provider].outgoing(call)
    assert json.loads(out.body)["vendor_flag"] is True
    assert (b"x-own", b"1") in out.headers


def test_headers_are_set_defaulted_and_removed_and_stay_one_tuple():
    made = options(
        headers=(
            {"action": "set", "name": "User-Agent", "value": "mine/1"},
            {"action": "default", "name": "openai-organization", "value": "org"},
            {"action": "default", "name": "user-agent", "value": "other"},
            {"action": "remove", "name": "x-absent"},
        )
    )
    check_rules(made)
    headers = PROVIDERS["openai"].outgoing(asked(made)).headers
    assert [value for name, value in headers if name == b"user-agent"] == [b"mine/1"]
    assert (b"openai-organization", b"org") in headers
    assert (b"authorization", b"Bearer sk-1") in headers
    assert PROVIDERS["openai"].outgoing(asked(made)).headers is headers


@pytest.mark.parametrize("name", [*sorted(FORBIDDEN_HEADERS), "Authorization", "X-Amz-Date", "HOST"])
def test_credentials_framing_and_signatures_are_the_gateways(name: str):
    with pytest.raises(InvalidRequest):
        check_rules(options(headers=({"action": "remove", "name": name},)))


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "set", "path": "temperature"},
        {"action": "remove", "path": "temperature", "value": 1},
        {"action": "set", "path": "a..b", "value": 1},
        {"action": "set", "path": "max_tokens", "value": "many"},
        {"action": "set", "path": "max_tokens", "value": True},
        {"action": "set", "path": "max_tokens", "value": 0},
        {"action": "set", "path": "generationConfig", "value": {}},
        {"action": "set", "path": "long", "value": "x" * 5000},
    ],
)
def test_rule_that_could_never_be_applied_is_refused(rule: dict[str, Any]):
    with pytest.raises(InvalidRequest) as refused:
        check_rules(options(rule))
    assert refused.value.details["field"] == "options.body.0"


READ_AT_ADMISSION = {
    *openai.Request.__struct_fields__,
    *anthropic.Request.__struct_fields__,
    *responses.Request.__struct_fields__,
    *gemini._Body.__struct_fields__,
    *(f"generationConfig.{name}" for name in gemini.Output.__struct_fields__),
    *(f"generation_config.{name}" for name in gemini.Output.__struct_fields__),
    "models", "preset", "route",
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(READ_AT_ADMISSION))
@pytest.mark.parametrize("action", ["set", "default", "remove"])
def test_nothing_that_admission_reads_can_be_changed_but_limits_lowered(path: str, action: str):
    plain = tuple(part.replace("_", "").lower() for part in path.split("."))
    value = {} if action == "remove" else {"value": 1}
    if plain in LIMITS and action != "remove":
        check_rules(options({"action": action, "path": path, **value}))
        return
    is_container = plain == ("generationconfig",)
    for spelling in (path, path.upper(), *(() if is_container else (path + ".inner",))):
        with pytest.raises(InvalidRequest):
            check_rules(options({"action": action, "path": spelling, **value}))


def test_protected_and_limited_names_are_written_plainly():
    assert all(part == part.lower() and "_" not in part for path in PROTECTED | LIMITS for part in path)


NAMES = st.one_of(
    st.sampled_from(sorted(READ_AT_ADMISSION)),
    st.sampled_from([".".join(path) for path in sorted(PROTECTED | LIMITS)]),
    st.from_regex(r"[a-z_]{1,12}(\.[a-z]{1,6})?", fullmatch=True),
)
SPELLINGS = st.sampled_from([str, str.upper, str.title, lambda name: name.replace("_", ""), lambda name: name + ".x"])
VALUES = st.one_of(
    st.integers(-5, 10**9), st.none(), st.booleans(), st.text(max_size=8),
    st.dictionaries(st.sampled_from(["maxOutputTokens", "candidateCount", "n", "model"]), st.integers(1, 9)),
)  # fmt: skip
RULES = st.lists(
    st.builds(
        lambda action, name, spell, value: BodyRule(
            action=action, path=spell(name)[:200], **({} if action == "remove" else {"value": value})
        ),
        st.sampled_from(["set", "default", "remove"]), NAMES, SPELLINGS, VALUES,
    ),
    max_size=4,
)  # fmt: skip
HEADS = st.fixed_dictionaries(
    {},
    optional={
        "max_tokens": st.integers(1, ALLOWANCE),
        "max_completion_tokens": st.integers(1, ALLOWANCE),
        "n": st.integers(1, 3),
        "user": st.just("u"),
        "service_tier": st.sampled_from(["auto", "flex"]),
    },
)


@settings(max_examples=150, deadline=None)
@given(RULES, HEADS)
def test_no_rule_raises_what_goes_out_above_what_is_held(rules: list[BodyRule], head: dict[str, Any]):
    for provider, endpoint in (
        ("openai", "chat.completions"),
        ("gemini", "generate_content"),
        ("anthropic", "messages"),
    ):
        members: dict[str, Any] = dict(head)
        if endpoint == "generate_content":
            members = {"generationConfig": {"maxOutputTokens": head["max_tokens"]}} if "max_tokens" in head else {}
        elif endpoint == "messages":
            members = {"max_tokens": head.get("max_tokens", ALLOWANCE)}
        plain = asked(ChannelOptions(), provider, endpoint, **members)
        kept = [rule for rule in rules if _is_allowed(rule)]
        ruled = msgspec.structs.replace(plain, options=ChannelOptions(body=tuple(kept)))
        out, without = PROVIDERS[provider].outgoing(ruled), PROVIDERS[provider].outgoing(plain)
        assert out.path == without.path
        named = Named(model="public") if endpoint == "generate_content" else None
        found, before = read_request(endpoint, out.body, named), read_request(endpoint, without.body, named)
        assert (found.model, found.choices, found.asks) == (before.model, before.choices, before.asks)
        assert (found.service_tier, found.is_streaming) == (before.service_tier, before.is_streaming)
        if before.stated_output_tokens is not None:
            assert found.stated_output_tokens is not None
        assert (found.stated_output_tokens or 0) <= ALLOWANCE
        prompt = {"messages", "contents", "system", "systemInstruction", "tools", "input", "prompt"}
        sent_members, own = json.loads(out.body), json.loads(without.body)
        assert {name: sent_members.get(name) for name in prompt} == {name: own.get(name) for name in prompt}
        assert input_bound(endpoint, found, without.body) == input_bound(endpoint, before, without.body)


def _is_allowed(rule: BodyRule) -> bool:
    try:
        check_rules(ChannelOptions(body=(rule,)))
    except InvalidRequest:
        return False
    return True


def test_limit_above_what_was_admitted_is_cut_to_it():
    limit = {"action": "set", "path": "max_completion_tokens", "value": 100_000}
    assert sent(limit)["max_completion_tokens"] == ALLOWANCE
    assert sent({**limit, "value": 20}, max_completion_tokens=400)["max_completion_tokens"] == 20
    made = options({"action": "default", "path": "generation_config.max_output_tokens", "value": 100_000})
    call = asked(made, "gemini", "generate_content", generationConfig={"temperature": 1})
    body = json.loads(PROVIDERS["gemini"].outgoing(call).body)
    assert body["generationConfig"] == {"temperature": 1, "max_output_tokens": ALLOWANCE}
    assert "generation_config" not in body


def test_options_come_back_as_they_were_stored():
    stored = {
        "body": [{"action": "set", "path": "a", "value": None}, {"action": "remove", "path": "b"}],
        "headers": [{"action": "set", "name": "x-a", "value": "1", "when": {"is_streaming": False}}],
        "timeouts": {"total_seconds": 5},
    }
    assert msgspec.json.decode(msgspec.json.encode(msgspec.convert(stored, ChannelOptions))) == stored
    assert isinstance(msgspec.convert(stored, ChannelOptions).headers[0], HeaderRule)
