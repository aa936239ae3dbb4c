"""What is read of a stream before anything reaches the client costs no memory, however much it is."""

import tracemalloc
from typing import cast

import pytest

from airouter.gateway.beginning import beginning
from airouter.providers.contract import StreamReader
from airouter.providers.registry import PROVIDERS
from airouter.providers.serving import Providers
from airouter.upstream.contract import BrokenOff, UpstreamAnswer
from tests.providers.calls import reader as chat_reader
from tests.providers.translated_calls import asked


class Answer:
    """A stream that says this so often, and ends."""

    headers = ()

    def __init__(self, data: bytes, times: int) -> None:
        self._data = data
        self._left = times

    async def chunk(self) -> bytes:
        self._left -= 1
        return self._data if self._left >= 0 else b""


def translating() -> StreamReader:
    provider = Providers(PROVIDERS).serving("anthropic", "chat.completions")
    assert provider is not None
    return provider.stream(asked("chat.completions", is_streaming=True, upstream_model="theirs", credential=""))


@pytest.mark.parametrize(
    ("said", "reader"),
    [(b": an error would be worse\n\n" * 40, translating()), (b"<p>", chat_reader(wants_usage=True))],
    ids=["comments that are not translated", "a page"],
)
async def test_what_is_no_answer_is_heard_to_its_end_without_being_kept(said: bytes, reader: StreamReader):
    answer = cast("UpstreamAnswer", Answer(said, 3_000))
    tracemalloc.start()
    try:
        with pytest.raises(BrokenOff):
            await beginning(answer, reader)
        assert tracemalloc.get_traced_memory()[1] < 300_000
    finally:
        tracemalloc.stop()
