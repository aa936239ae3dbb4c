"""Vertex AI: addresses, authority, and the two publishers' dialects at Google Cloud."""

import json
from typing import Any
from urllib.parse import parse_qs

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from airouter.domain.errors import InvalidRequest
from airouter.providers.contract import Call
from airouter.providers.exchanged import check_credential, public_part
from airouter.providers.registry import EXCHANGING, PROVIDERS
from airouter.providers.serving import Providers
from airouter.translation.support import NotTranslatable
from airouter.wire.requests import Named, read_request
from tests.providers.recordings import ABSENT, rows_at

VERTEX, CLAUDE = PROVIDERS["vertex"], PROVIDERS["vertex-anthropic"]
EUROPE = "https://europe-west4-aiplatform.googleapis.com"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def key_file(**changes: str) -> str:
    """A service account's key file, as Google makes them."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "my-project",
            "private_key_id": "k-1",
            "private_key": PRIVATE,
            "client_email": "router@my-project.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": "https://oauth2.googleapis.com/token",
            **changes,
        }
    )


def gemini(base_url: str = EUROPE, *, is_streaming: bool = False, body: bytes | None = None, **changes: Any) -> Call:
    body = body or b'{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}'
    request = read_request("generate_content", body, Named(model="public", is_streaming=is_streaming))
    made = Call(
        endpoint="generate_content", request=request, body=body, upstream_model="gemini-2.5-flash",
        credential=key_file(), bearer="ya29.token", base_url=base_url,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def claude(endpoint: Any = "messages", **members: Any) -> Call:
    body = {"model": "public", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], **members}
    data = json.dumps(body).encode()
    return Call(
        endpoint=endpoint, request=read_request(endpoint, data), body=data,
        upstream_model="claude-sonnet-4-5@20250929", credential=key_file(), bearer="ya29.token",
        base_url="https://us-east5-aiplatform.googleapis.com",
        client_headers=((b"anthropic-version", b"2023-06-01"), (b"anthropic-beta", b"b-1")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        (EUROPE, "/v1/projects/my-project/locations/europe-west4"),
        (EUROPE + "/v1beta1", "/projects/my-project/locations/europe-west4"),
        ("https://aiplatform.googleapis.com", "/v1/projects/my-project/locations/global"),
        ("https://aiplatform.eu.rep.googleapis.com", "/v1/projects/my-project/locations/eu"),
        (EUROPE + "/v1/projects/other/locations/europe-west4", ""),
    ],
)
def test_address_has_the_location_of_the_host_and_the_project_of_the_account(base_url: str, path: str):
    out = VERTEX.outgoing(gemini(base_url))
    assert out.path == path + "/publishers/google/models/gemini-2.5-flash:generateContent"
    streamed = VERTEX.outgoing(gemini(base_url, is_streaming=True))
    assert streamed.path.endswith(":streamGenerateContent?alt=sse")
    assert (b"authorization", b"Bearer ya29.token") in out.headers
    assert out.body == b'{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}'


def test_api_key_of_express_mode_has_no_project():
    out = VERTEX.outgoing(gemini("https://aiplatform.googleapis.com", credential="AIzaKey", bearer=""))
    assert out.path == "/v1/publishers/google/models/gemini-2.5-flash:generateContent"
    assert (b"x-goog-api-key", b"AIzaKey") in out.headers
    assert EXCHANGING["vertex"].grant("AIzaKey", 0) is None


def test_content_without_a_role_is_the_users():
    body = b'{"contents":[{"parts":[{"text":"Hi"}]},{"role":"model","parts":[]}],"n":1.50}'
    assert VERTEX.outgoing(gemini(body=body)).body == (
        b'{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[]}],"n":1.50}'
    )


def test_service_account_signs_for_a_token():
    grant = EXCHANGING["vertex"].grant(key_file(), 1_700_000_000)
    assert grant is not None
    assert grant.url == "https://oauth2.googleapis.com/token"
    form = parse_qs(grant.form.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assertion = form["assertion"][0]
    claims = jwt.decode(
        assertion, KEY.public_key(), algorithms=["RS256"], audience=grant.url,
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert claims == {
        "iss": "router@my-project.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": grant.url,
        "iat": 1_700_000_000,
        "exp": 1_700_003_600,
    }
    assert jwt.get_unverified_header(assertion)["kid"] == "k-1"
    assert public_part(key_file()) == "router@my-project.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    "credential",
    [
        "{}",
        '{"type": "authorized_user"}',
        key_file(private_key="-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        key_file(token_uri="http://metadata.google.internal/token"),
        key_file(token_uri="file:///etc/passwd"),
        PRIVATE.replace("-----", "{"),
    ],
)
def test_what_cannot_sign_or_would_send_its_proof_in_the_clear_is_refused_without_being_repeated(credential: str):
    with pytest.raises(InvalidRequest) as refused:
        check_credential("service_account", credential)
    assert "AAAA" not in str(refused.value)
    assert PRIVATE[60:90] not in str(refused.value)


def test_whole_key_files_and_api_keys_are_taken():
    check_credential("service_account", key_file())
    check_credential("service_account", "AIzaKey")


@pytest.mark.parametrize(("streams", "verb"), [(False, "rawPredict"), (True, "streamRawPredict")])
def test_claude_has_its_model_in_the_address_and_its_version_in_the_body(verb: str, *, streams: bool):
    out = CLAUDE.outgoing(claude(stream=streams, temperature=0.5, fallbacks="default"))
    prefix = "/v1/projects/my-project/locations/us-east5/publishers/anthropic/models"
    assert out.path == f"{prefix}/claude-sonnet-4-5@20250929:{verb}"
    body = json.loads(out.body)
    assert not {"model", "fallbacks"} & body.keys()
    assert (body["anthropic_version"], body["temperature"]) == ("vertex-2023-10-16", 0.5)
    assert (b"anthropic-beta", b"b-1") in out.headers
    assert not any(name == b"anthropic-version" for name, _ in out.headers)


def test_claudes_tokens_are_counted_at_an_address_of_their_own():
    out = CLAUDE.outgoing(claude("messages.count_tokens"))
    assert out.path.endswith("/publishers/anthropic/models/count-tokens:rawPredict")
    assert json.loads(out.body)["model"] == "claude-sonnet-4-5@20250929"


@pytest.mark.parametrize("wrapper", [None, "generateContentRequest", "generate_content_request"])
def test_geminis_tokens_are_counted_without_a_wrapper_and_without_what_is_refused(wrapper: str | None):
    counted = {"contents": [{"parts": [{"text": "Hi"}]}], "systemInstruction": {"parts": [{"text": "Be brief."}]}}
    more = {"toolConfig": {}, "safetySettings": [], "model": "models/public"}
    body = json.dumps({wrapper: counted | more} if wrapper else counted | more).encode()
    call = gemini(body=b'{"contents":[]}', endpoint="generate_content.count_tokens")
    out = VERTEX.outgoing(msgspec.structs.replace(call, body=body))
    assert out.path.endswith("/publishers/google/models/gemini-2.5-flash:countTokens")
    assert json.loads(out.body) == counted | {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    answer = b'{"totalTokens":4,"totalBillableCharacters":2,"promptTokensDetails":[{"modality":"TEXT","tokenCount":4}]}'
    answered = VERTEX.answer(call, answer)
    assert (answered.is_proper, answered.body, answered.reported) == (True, answer, None)
    assert not VERTEX.answer(call, b'{"totalBillableCharacters":2}').is_proper


def test_a_count_of_another_dialect_is_asked_of_vertex_in_its_words():
    served = Providers(dict(PROVIDERS)).serving("vertex", "messages.count_tokens")
    assert served is not None
    body = {"messages": [{"role": "user", "content": "Hi"}], "system": "Be brief."}
    call = claude("messages.count_tokens")
    out = served.outgoing(msgspec.structs.replace(call, body=json.dumps({"model": "public", **body}).encode()))
    assert json.loads(out.body) == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
    }
    assert json.loads(served.answer(call, b'{"totalTokens":7}').body) == {"input_tokens": 7}


def embeddings(texts: Any, **members: Any) -> Call:
    body = json.dumps({"model": "public", "input": texts, **members}).encode()
    return msgspec.structs.replace(
        gemini(), endpoint="embeddings", request=read_request("embeddings", body), body=body,
        upstream_model="text-embedding-005",
    )  # fmt: skip


def test_vectors_are_asked_for_in_vertex_words_and_come_back_in_openais():
    call = embeddings(["a", "b"], dimensions=2, task_type="RETRIEVAL_QUERY", user="u")
    out = VERTEX.outgoing(call)
    assert out.path.endswith("/publishers/google/models/text-embedding-005:predict")
    assert json.loads(out.body) == {
        "instances": [{"content": text, "task_type": "RETRIEVAL_QUERY"} for text in ("a", "b")],
        "parameters": {"outputDimensionality": 2},
    }
    assert out.dropped == ("user",)
    vector = {"values": [0.5, -1], "statistics": {"token_count": 3.0, "truncated": False}}
    answer = VERTEX.answer(call, json.dumps({"predictions": [{"embeddings": vector}] * 2}).encode())
    assert answer.reported is not None
    assert answer.reported.quantities == {"input": 6, "request": 1}
    said = json.loads(answer.body)
    assert [(one["index"], one["embedding"]) for one in said["data"]] == [(0, [0.5, -1]), (1, [0.5, -1])]
    assert said["usage"] == {"prompt_tokens": 6, "total_tokens": 6}
    nobody_counted = {"predictions": [{"embeddings": {"values": [1]}}]}
    assert VERTEX.answer(call, json.dumps(nobody_counted).encode()).reported is None
    assert not VERTEX.answer(call, b'{"error": {}}').is_proper
    with pytest.raises(NotTranslatable):
        VERTEX.outgoing(embeddings([[1, 2]]))


def test_model_that_the_project_does_not_have_is_no_fault_of_the_request():
    assert VERTEX.refusal(404, b'{"error":{"code":404,"status":"NOT_FOUND"}}') == "model"
    assert VERTEX.refusal(400, b'{"error":{"code":400,"status":"INVALID_ARGUMENT"}}') == "request"
    assert CLAUDE.refusal(529, b"{}") == "overloaded"


def test_recorded_answers_are_read_to_the_token_and_their_addresses_are_ours():
    rows = rows_at("aiplatform.googleapis.com")
    if not rows:
        pytest.skip(ABSENT)
    assert len(rows) >= 20
    for row in rows:
        _, _, host, *segments = row["uri"].partition("?")[0].split("/")
        path, model = "/" + "/".join(segments), segments[-1].partition(":")[0]
        project = segments[2]
        body = json.dumps(row["request"]).encode()
        call = gemini(
            f"https://{host}/{segments[0]}", body=body, upstream_model=model, credential=key_file(project_id=project)
        )
        out = VERTEX.outgoing(call)
        assert f"/{segments[0]}{out.path}" == path
        assert json.loads(out.body) == row["request"]
        answer = VERTEX.answer(call, json.dumps(row["json"]).encode())
        total = row["json"]["usageMetadata"].get("totalTokenCount")
        if total is not None:
            assert answer.reported is not None
            assert answer.reported.quantities is not None
            counted = {name: n for name, n in answer.reported.quantities.items() if name not in {"request", "search"}}
            assert sum(counted.values()) == total
