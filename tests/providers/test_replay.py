"""The replay upstream judged by the official client: recorded traffic over a socket is what the provider sent."""

import asyncio
import json

import openai
import pytest

from tests.providers.recordings import ABSENT, RECORDINGS
from tests.providers.replay import Played, Received, replaying, torn

STREAMS = [recording for recording in RECORDINGS if recording.is_stream and b"[DONE]" in recording.body]


async def test_replayed_answer_arrives_as_it_was_sent():
    body = b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[]}'

    def choose(request: Received) -> Played:
        assert request.path == "/v1/chat/completions"
        assert json.loads(request.body)["model"] == "m"
        return Played(pieces=torn(body, seed=1))

    async with replaying(choose) as replay:
        client = openai.AsyncOpenAI(api_key="sk-x", base_url=replay.base_url, max_retries=0)
        for _ in range(2):
            answer = await client.chat.completions.with_raw_response.create(model="m", messages=[])
            assert answer.content == body
        assert len(replay.received) == 2
        await client.close()


async def test_break_is_seen_by_the_client():
    async with replaying(lambda _: Played(pieces=[b"{"], breaks=True)) as replay:
        client = openai.AsyncOpenAI(api_key="sk-x", base_url=replay.base_url, max_retries=0)
        with pytest.raises((openai.APIConnectionError, asyncio.IncompleteReadError)):
            await client.chat.completions.create(model="m", messages=[])
        await client.close()


async def test_recorded_streams_are_read_by_the_official_client():
    if not STREAMS:
        pytest.skip(ABSENT)
    for recording in STREAMS:
        played = Played(content_type=recording.content_type, pieces=torn(recording.body, seed=7))
        async with replaying(lambda _, played=played: played) as replay:
            client = openai.AsyncOpenAI(api_key="sk-x", base_url=replay.base_url, max_retries=0)
            stream = await client.chat.completions.create(model="m", messages=[], stream=True)
            chunks = [chunk async for chunk in stream]
            assert len(chunks) == recording.body.count(b"data: {")
            await client.close()
