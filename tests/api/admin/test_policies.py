"""Policies: typed, a whole topic at a time; what is not enforced is refused."""

import httpx
import pytest

from airouter.domain.policy import TOPICS

POLICIES = "/api/v1/admin/policies"


async def test_every_topic_can_be_read_and_written_back(operator: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for topic in TOPICS:
        with subtests.test(f"{topic!r}"):
            policy = (await operator.get(f"{POLICIES}/{topic}")).json()
            assert set(policy) == set(TOPICS[topic].__struct_fields__)
            answer = await operator.put(f"{POLICIES}/{topic}", json=policy)
            assert (answer.status_code, answer.json()) == (200, policy)


async def test_the_list_says_who_changed_what(operator: httpx.AsyncClient) -> None:
    await operator.put(f"{POLICIES}/limits", json={"unstated_output_tokens": 17})
    lines = {line["topic"]: line for line in (await operator.get(POLICIES)).json()["items"]}
    assert set(lines) == set(TOPICS)
    assert lines["limits"]["value"]["unstated_output_tokens"] == 17
    assert lines["limits"]["updated_by"] is not None
    assert lines["display"]["updated_at"] is None


async def test_a_put_is_the_whole_topic(operator: httpx.AsyncClient) -> None:
    await operator.put(f"{POLICIES}/signup", json={"mode": "open", "blocked_domains": ["spam.example"]})
    await operator.put(f"{POLICIES}/signup", json={"mode": "open"})
    policy = (await operator.get(f"{POLICIES}/signup")).json()
    assert (policy["mode"], policy["group"], policy["blocked_domains"]) == ("open", "default", [])
    await operator.put(f"{POLICIES}/signup", json={})
    assert (await operator.get(f"{POLICIES}/signup")).json()["mode"] == "closed"


async def test_a_policy_that_cannot_be_followed_is_refused(
    operator: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for topic, body in [
        ("signup", {"mode": "sometimes"}),
        ("signup", {"group": "nowhere"}),
        ("signup", {"captcha": True}),
        ("limits", {"unstated_output_tokens": "many"}),
        ("limits", {"unstated_output_tokens": 0}),
        ("limits", {"overrun_max": -1}),
        ("limits", {"body_bytes_max": -5}),
        ("routing", {"attempts_max": 0}),
        ("routing", {"first_byte_seconds": -1}),
        ("display", {"factor_micros": 0}),
        ("display", {"decimals": 99}),
        ("display", {"links": {"docs": "javascript:alert(1)"}}),
        ("network", {"allowed_networks": ["10.0.0.0/99"]}),
        ("topup", {"methods": []}),
    ]:
        with subtests.test(f"{topic!r} {body!r}"):
            before = (await operator.get(f"{POLICIES}/{topic}")).json()
            answer = await operator.put(f"{POLICIES}/{topic}", json=body)
            assert answer.status_code == 422, answer.text
            assert answer.json()["field"]
            assert (await operator.get(f"{POLICIES}/{topic}")).json() == before


async def test_topics_to_come_say_so_and_others_do_not_exist(
    operator: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for method in ["GET", "PUT"]:
        with subtests.test(f"{method!r}"):
            planned = await operator.request(method, f"{POLICIES}/retention", json={"is_enabled": True})
            assert (planned.status_code, planned.json()["code"]) == (422, "not_supported_yet")
            unknown = await operator.request(method, f"{POLICIES}/weather", json={})
            assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
