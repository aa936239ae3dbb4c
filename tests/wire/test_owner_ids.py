"""A vendor's words about a request reach the client; whose credential was used does not."""

import json
from typing import Any

import pytest

from airouter.api.door_errors import passed_on
from airouter.providers.registry import PROVIDERS
from airouter.providers.serving import Providers
from airouter.wire.owner_ids import without_owner_ids
from tests.providers.translated_calls import asked

TEAM, KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"The model m does not exist or your team {TEAM} has no access", "or your team *** has no access"),
        (f"Access denied. API key ID: {KEY}, team ID {TEAM}.", "API key ID: ***, team ID ***."),
        (f"Buy some at https://console.x.ai/team/{TEAM}.", "https://console.x.ai/team/***."),
        ("Request too large for m in organization org-AbCdEfGhIjKlMnOpQrStUvWx on", "in organization *** on"),
        ("too large in organization `org_01hx3kfyqcfyxvxjwz9q3y2v7m` service", "in organization `***` service"),
        ("Project `proj_AbCdEfGhIjKlMnOpQrStUvWx` may not", "Project `***` may not"),
        ("Incorrect key: sk-proj-********************AbC1.", "Incorrect key: ***"),
        ("Incorrect key: sk-proj-abcdefGHIJKL0123456789abcdef", "Incorrect key: ***"),
        ("Wrong: arn:aws:bedrock:us-east-1:123456789012:inference-profile/x, sorry", "Wrong: ***, sorry"),
        ("Your account 2100123456 has not", "Your account *** has not"),
        ("for projects/our-project-42/locations/global", "for projects/***/locations/global"),
        ("by robot@our-project.iam.gserviceaccount.com", "by ***"),
        ("https://our-house.openai.azure.com/openai/v1", "https://***/openai/v1"),
        ("The endpoint ep-20250101123456-abcde takes no pictures", "The endpoint *** takes no pictures"),
        ("No such model for user_2abCDefGHijKLmnOPqrSTuvWXyz, sorry", "No such model for ***, sorry"),
    ],
)
@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("is_same_dialect", [True, False])
def test_who_owns_the_credential_is_left_out_of_what_a_client_reads(
    said: str,
    told: str,
    dialect: str,
    is_same_dialect: bool,  # noqa: FBT001
):
    body = json.dumps({"error": {"message": said, "type": "invalid_request_error"}}).encode()
    message = json.loads(passed_on(400, body, dialect, KEY, is_same_dialect))["error"]["message"]
    assert told in message
    assert not any(one in message for one in (TEAM, KEY, "123456789012", "our-"))


@pytest.mark.parametrize(
    "said",
    [
        "This model's maximum context length is 128000 tokens; your messages resulted in 1234567890 tokens.",
        "Invalid 'tools[0].name': 'task-force-of-the-organization' has 200000 characters.",
        f"No file with id {TEAM}; request id {KEY}",
        "Unknown model sk-learn-something-or-other; organization chart, project plan, key 12, account 7",
        "messages.1.content: the key org-chart is not permitted",
        'schema: {"key": "value", "project": "x", "account": 3}',
    ],
)
def test_everything_else_stays_as_it_is(said: str):
    body = json.dumps({"error": {"message": said}}).encode()
    assert without_owner_ids(body) == body


ORGANISATION = "org-AbCdEfGhIjKlMnOpQrStUvWx"
WORDS = f"Rate limit reached in organization {ORGANISATION} on tokens per min"
TOLD = "Rate limit reached in organization *** on tokens per min"
QUOTED = f"what is {ORGANISATION}?"
FAILED: dict[str, list[dict[str, Any]]] = {
    "chat": [
        {"id": "c", "choices": [{"index": 0, "delta": {"content": QUOTED}}]},
        {"error": {"code": 429, "message": WORDS}},
    ],
    "responses": [
        {"type": "response.output_text.delta", "delta": QUOTED},
        {"type": "error", "code": "rate_limit_exceeded", "message": WORDS},
        {
            "type": "response.failed",
            "response": {"id": "r", "status": "failed", "instructions": QUOTED, "error": {"message": WORDS}},
        },
    ],
    "anthropic": [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": QUOTED}},
        {"type": "error", "error": {"type": "rate_limit_error", "message": WORDS}},
    ],
    "gemini": [
        {"candidates": [{"content": {"parts": [{"text": QUOTED}]}}]},
        {"error": {"code": 429, "message": WORDS}},
    ],
}
"""The ends of streams, by the provider's dialect."""
WAYS = [
    ("messages", "anthropic", "anthropic"),
    ("chat.completions", "anthropic", "anthropic"),
    ("responses", "openai", "responses"),
    ("responses", "mistral", "chat"),
    ("messages", "openai", "chat"),
    ("generate_content", "openai", "chat"),
    ("generate_content", "gemini", "gemini"),
    ("responses", "gemini", "gemini"),
]
"""A door, a provider, and the dialect that it is asked in."""


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "each by itself"])
@pytest.mark.parametrize(("door", "provider", "spoken"), WAYS)
def test_nor_of_an_error_within_a_stream_and_the_words_of_the_model_stay(
    door: Any, provider: str, spoken: str, *, at_once: bool
):
    serving = Providers(PROVIDERS).serving(provider, door)
    assert serving is not None
    reader = serving.stream(asked(door, is_streaming=True, upstream_model="theirs", credential=""))
    events = [f"data: {json.dumps(one)}\n\n".encode() for one in FAILED[spoken]]
    out = b"".join(reader.feed(event) for event in ([b"".join(events)] if at_once else events))
    assert TOLD.encode() in out
    assert WORDS.encode() not in out
    if serving is PROVIDERS[provider]:
        assert out.count(QUOTED.encode()) == sum(json.dumps(one).count(QUOTED) for one in FAILED[spoken])
    error = reader.error
    assert error is not None
    assert ORGANISATION.encode() in error, "who is to blame is told by all of its words"


def test_nor_of_a_whole_response_that_failed():
    body = json.dumps(
        {
            "id": "r",
            "object": "response",
            "status": "failed",
            "output": [],
            "instructions": QUOTED,
            "error": {"message": WORDS},
        }
    ).encode()
    answered = PROVIDERS["openai"].answer(asked("responses", upstream_model="theirs", credential=""), body)
    assert answered.body == body.replace(WORDS.encode(), TOLD.encode())
