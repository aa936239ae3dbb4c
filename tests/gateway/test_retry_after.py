"""When an upstream asks to come back, where its headers do not say it but its error does."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from airouter.gateway.routing.retry_after import retry_after_within

NOW = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ({"retry_after_seconds": 17}, 17),
        ({"retry_after_seconds": 0.2}, 1),
        ({"retry_after_seconds": 10**9}, 600),
        ({"headers": {"Retry-After": "20"}}, 20),
        ({"headers": {"Retry-After": 20}}, 20),
        ({"headers": {"X-RateLimit-Limit": "50", "X-RateLimit-Reset": str(NOW_MS + 30_000)}}, 30),
        ({"headers": {"X-RateLimit-Reset": str(NOW_MS - 30_000)}}, 0),
        ({"headers": {"X-RateLimit-Reset": "30"}}, None),
        ({"headers": {"Retry-After": "soon"}}, None),
        ({"headers": ["Retry-After"]}, None),
        ({"retry_after_seconds": True}, None),
        ({"retry_after_seconds": "20"}, None),
        ({"provider_name": "Elsewhere"}, None),
        (None, None),
    ],
)
def test_an_error_may_say_when_to_come_back(metadata: Any, seconds: int | None):
    error = json.dumps({"error": {"message": "slower", "code": 429, "metadata": metadata}}).encode()
    assert retry_after_within(error, NOW, 600) == seconds


@pytest.mark.parametrize("body", [b"", b"slow down", b"[]", b'{"error":"slower"}', b'{"error":{"metadata":3}}'])
def test_any_other_error_says_nothing_of_it(body: bytes):
    assert retry_after_within(body, NOW, 600) is None
