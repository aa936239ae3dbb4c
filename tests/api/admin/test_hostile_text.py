"""Text that no database can store is a refusal, wherever it stands, and never a failure of ours."""

import httpx
import pytest

ADMIN = "/api/v1/admin"


async def test_a_nul_character_is_refused_wherever_it_stands(
    operator: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for method, address, body in [
        ("POST", "/groups", {"name": "g", "multiplier_micros": 1, "label": "a\0b"}),
        ("POST", "/models", {"model": "m", "description": "a\0b"}),
        ("POST", "/channels", {"name": "a\0b", "provider": "scripted"}),
        ("POST", "/channels", {"name": "c", "provider": "scripted", "models": {"m": "a\0b"}}),
        ("POST", "/redemption-batches", {"name": "a\0b", "amount": 1, "count": 1}),
        ("PUT", "/policies/display", {"name": "a\0b"}),
        ("GET", "/accounts?q=a%00b", None),
        ("GET", "/users?q=a%00b", None),
        ("GET", "/rate-cards?model=a%00b", None),
        ("GET", "/usage?model=a%00b", None),
        ("GET", "/groups/a%00b", None),
        ("PATCH", "/models/a%00b", {}),
        ("DELETE", "/groups/a%00b", None),
    ]:
        with subtests.test(f"{method} {address} {body}"):
            answer = await operator.request(method, f"{ADMIN}{address}", **({} if body is None else {"json": body}))
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text


async def test_a_search_for_anything_is_only_a_search(operator: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for text in ("'; DROP TABLE users; --", "\\", "%_\\%", "😀", "a" * 200):
        with subtests.test(text):
            answer = await operator.get(f"{ADMIN}/users", params={"q": text})
            assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert (await operator.get(f"{ADMIN}/users", params={"q": "a" * 201})).status_code == 422
