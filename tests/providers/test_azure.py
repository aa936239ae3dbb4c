"""Azure OpenAI: where requests go, by what they are authorised, and what Azure says besides."""

import json
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from airouter.domain.catalogue import ChannelOptions
from airouter.domain.errors import InvalidRequest
from airouter.providers.contract import Call
from airouter.providers.exchanged import check_credential, public_part
from airouter.providers.registry import EXCHANGING, PROVIDERS
from airouter.wire.requests import read_request
from tests.providers.calls import call, delta, event, fed, stop, usage_event
from tests.providers.recordings import ABSENT, rows_at

AZURE = PROVIDERS["azure-openai"]
RESOURCE = "https://res.openai.azure.com"
DATED = ChannelOptions(api_version="2024-10-21")
APPLICATION = '{"tenant_id": "t-1", "client_id": "c-1", "client_secret": "s&cret"}'


def asked(endpoint: Any, base_url: str = RESOURCE, options: ChannelOptions | None = None, **changes: Any) -> Call:
    member = {"responses": "input", "embeddings": "input", "completions": "prompt"}.get(endpoint, "messages")
    value = [{"role": "user", "content": "Hi"}] if member == "messages" else "Hi"
    body = json.dumps({"model": "gpt-5", member: value}).encode()
    made = Call(
        endpoint=endpoint,
        request=read_request(endpoint, body),
        body=body,
        upstream_model="my deployment/1",
        credential="key-1",
        base_url=base_url,
        options=options or ChannelOptions(),
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("endpoint", "base_url", "options", "path"),
    [
        ("chat.completions", RESOURCE, None, "/openai/v1/chat/completions"),
        ("embeddings", RESOURCE, None, "/openai/v1/embeddings"),
        ("responses", RESOURCE, None, "/openai/v1/responses"),
        ("chat.completions", RESOURCE + "/openai/v1", None, "/chat/completions"),
        ("responses", RESOURCE + "/openai/v1", ChannelOptions(api_version="preview"), "/responses?api-version=preview"),
        ("chat.completions", RESOURCE + "/openai", None, "/v1/chat/completions"),
        ("chat.completions", RESOURCE, DATED,
         "/openai/deployments/my%20deployment%2F1/chat/completions?api-version=2024-10-21"),
        ("completions", RESOURCE, DATED,
         "/openai/deployments/my%20deployment%2F1/completions?api-version=2024-10-21"),
        ("embeddings", RESOURCE + "/openai", DATED,
         "/deployments/my%20deployment%2F1/embeddings?api-version=2024-10-21"),
        ("responses", RESOURCE, DATED, "/openai/responses?api-version=2024-10-21"),
    ],
)  # fmt: skip
def test_address_follows_the_channels_and_its_version(
    endpoint: Any, base_url: str, options: ChannelOptions | None, path: str
):
    out = AZURE.outgoing(asked(endpoint, base_url, options))
    assert out.path == path
    assert json.loads(out.body)["model"] == "my deployment/1"


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"credential": "0123456789abcdef"}, (b"api-key", b"0123456789abcdef")),
        ({"credential": "eyJ0eXAi.eyJhdWQi.c2ln"}, (b"authorization", b"Bearer eyJ0eXAi.eyJhdWQi.c2ln")),
        ({"credential": APPLICATION, "bearer": "eyJ.from.entra"}, (b"authorization", b"Bearer eyJ.from.entra")),
    ],
)
def test_key_goes_out_as_a_key_and_a_token_as_a_bearer(changes: dict[str, Any], header: tuple[bytes, bytes]):
    headers = AZURE.outgoing(asked("chat.completions", **changes)).headers
    assert header in headers
    assert sum(name in {b"api-key", b"authorization"} for name, _ in headers) == 1
    assert not any(b"cret" in value for _, value in headers)


def test_application_asks_entra_for_a_token_and_a_key_asks_nobody():
    grant = EXCHANGING["azure-openai"].grant(APPLICATION, 0)
    assert grant is not None
    assert grant.url == "https://login.microsoftonline.com/t-1/oauth2/v2.0/token"
    assert parse_qs(grant.form.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["c-1"],
        "client_secret": ["s&cret"],
        "scope": ["https://cognitiveservices.azure.com/.default"],
    }
    assert EXCHANGING["azure-openai"].grant("0123456789abcdef", 0) is None
    assert (public_part(APPLICATION), public_part("0123456789abcdef")) == ("c-1", None)


@pytest.mark.parametrize(
    "credential", ['{"tenant_id": "t"}', "{", APPLICATION[:-1] + ', "authority": "http://x.test"}']
)
def test_json_of_another_kind_is_no_credential(credential: str):
    with pytest.raises(InvalidRequest) as refused:
        check_credential("azure", credential)
    assert "cret" not in str(refused.value).replace("client_secret", "")


def test_content_filter_is_about_the_request_and_a_missing_deployment_about_the_channel():
    filtered = b'{"error":{"code":"content_filter","param":"prompt","message":"filtered","innererror":{"code":"x"}}}'
    assert AZURE.refusal(400, filtered) == "request"
    assert AZURE.refusal(404, b'{"error":{"code":"DeploymentNotFound","message":"gone"}}') == "model"
    assert AZURE.refusal(401, b'{"statusCode":401,"message":"Unauthorized"}') == "credential"


def test_stream_that_begins_with_verdicts_about_the_prompt_passes_and_is_metered():
    verdicts = event(
        {"choices": [], "created": 0, "id": "", "model": "", "object": "",
         "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}]}
    )  # fmt: skip
    plain = [verdicts, delta("Hi"), stop(), usage_event(9, 4), b"data: [DONE]\n\n"]
    stream = AZURE.stream(call(stream=True))
    assert fed(stream, plain) == verdicts + delta("Hi") + stop() + b"data: [DONE]\n\n"
    assert stream.is_complete
    assert stream.reported is not None
    assert stream.reported.quantities == {"input": 9, "output": 4, "request": 1}


def test_recorded_answer_of_azures_responses_is_read_as_openais():
    rows = rows_at("openai.azure.com")
    if not rows:
        pytest.skip(ABSENT)
    for row in rows:
        answer = AZURE.answer(asked("responses"), json.dumps(row["json"]).encode())
        assert answer.is_proper
        assert answer.reported is not None
        assert answer.reported.quantities is not None
        assert sum(answer.reported.quantities.values()) - 1 == row["json"]["usage"]["total_tokens"]
        assert AZURE.outgoing(asked("responses")).path == row["uri"].partition(".com")[2].partition("?")[0]
