"""A request that is sent twice is done once."""

import asyncio
from typing import Any

from tests.builders import run_sql, signed_in

KEYS = "/api/v1/keys"


async def test_a_repeated_request_gets_the_first_answer_without_its_secret(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        headers = {"idempotency-key": "once"}
        first = await ada.client.post(KEYS, json={"name": "k"}, headers=headers)
        again = await ada.client.post(KEYS, json={"name": "k"}, headers=headers)
        assert (first.status_code, again.status_code) == (201, 201)
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"
        assert again.json() == {**first.json(), "key": None}
        other = await ada.client.post(KEYS, json={"name": "another"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    kept = await run_sql(database, "SELECT answer FROM idempotency_keys")
    assert first.json()["key"].encode() not in kept[0]["answer"]
    assert len(await run_sql(database, "SELECT 1 FROM keys")) == 1


async def test_parallel_requests_with_one_key_do_the_thing_once(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        sent = [ada.client.post(KEYS, json={"name": "k"}, headers={"idempotency-key": "p"}) for _ in range(12)]
        answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert sum(1 for answer in answers if answer.status_code == 201 and answer.json()["key"]) == 1
    in_progress = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert set(in_progress) <= {"idempotency_in_progress"}
    assert len(await run_sql(database, "SELECT 1 FROM keys")) == 1


async def test_two_accounts_keep_their_keys_apart(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as eve:
        headers = {"idempotency-key": "same"}
        mine = await ada.client.post(KEYS, json={"name": "k"}, headers=headers)
        theirs = await eve.client.post(KEYS, json={"name": "k"}, headers=headers)
        assert mine.json()["id"] != theirs.json()["id"]
        assert theirs.json()["key"]


async def test_a_process_that_died_before_keeping_its_answer_made_the_thing_once(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        headers = {"idempotency-key": "crash"}
        first = await ada.client.post(KEYS, json={"name": "k"}, headers=headers)
        await run_sql(
            database,
            "UPDATE idempotency_keys SET status = NULL, answer = NULL, started_at = now() - interval '30 seconds'",
        )
        early = await ada.client.post(KEYS, json={"name": "k"}, headers=headers)
        assert (early.status_code, early.json()["code"]) == (409, "idempotency_in_progress")
        await run_sql(database, "UPDATE idempotency_keys SET started_at = now() - interval '61 seconds'")
        again = await ada.client.post(KEYS, json={"name": "k"}, headers=headers)
        assert again.status_code == 201
        assert again.json()["id"] == first.json()["id"]
        assert again.json()["key"] is None
    assert len(await run_sql(database, "SELECT 1 FROM keys")) == 1


async def test_a_refusal_is_replayed_too_and_a_day_later_the_key_is_new(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        headers = {"idempotency-key": "refused"}
        first = await ada.client.post(KEYS, json={"name": ""}, headers=headers)
        again = await ada.client.post(KEYS, json={"name": ""}, headers=headers)
        assert (first.status_code, again.status_code) == (422, 422)
        assert again.json()["request_id"] == first.json()["request_id"]
        await run_sql(database, "UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
        assert (await ada.client.post(KEYS, json={"name": "k"}, headers=headers)).status_code == 201


async def test_an_unprintable_or_endless_key_is_refused(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        for key in ("", "x" * 256, "a\tb"):
            answer = await ada.client.post(KEYS, json={"name": "k"}, headers={"idempotency-key": key})
            assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key"), key
