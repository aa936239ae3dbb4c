"""What reading costs: `python -m tests.bench.stream_reader`. Microseconds per call, median and spread of the rounds.

The rounds of all cases are interleaved, so that a noisy moment of the machine hits each of them alike.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from airouter.domain.catalogue import ChannelOptions
from airouter.gateway import meter
from airouter.providers.contract import Call
from airouter.providers.registry import PROVIDERS
from airouter.wire.openai import read_request
from airouter.wire.prompt import input_bound
from tests.providers.calls import DONE, call, delta, event, stop, usage, usage_event

CHUNKS = 100
ROUNDS = 15
PADDING = {
    "created": 1_754_693_442,
    "system_fingerprint": "fp_07871e2ad8",
    "service_tier": "default",
    "obfuscation": "Umu4rjZrtKjm",
}
PIECES = [*(delta(" word", usage=None, **PADDING) for _ in range(CHUNKS - 3)), stop(usage=None), usage_event(), DONE]
STREAM = b"".join(PIECES)
TORN = [STREAM[start : start + 1_460] for start in range(0, len(STREAM), 1_460)]
PROVIDER = PROVIDERS["openai-compatible"]
REQUEST = call({"model": "m", "messages": [{"role": "user", "content": "x" * 600}], "temperature": 0.5, "stream": True})
WANTING = call(
    {
        "model": "m",
        "messages": [{"role": "user", "content": "x" * 600}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
)
ESTIMATED = call(REQUEST.body, options=ChannelOptions(include_usage=False))
REWRITING = call(REQUEST.body, options=ChannelOptions(rewrite_model=True))
ANSWER = event(
    {
        "id": "c",
        "object": "chat.completion",
        "model": "up",
        "usage": usage(700, 300),
        "choices": [{"message": {"content": "x" * 1_500}}],
    }
)[6:-2]


def read(made: Call, pieces: list[bytes]) -> Callable[[], None]:
    """One stream, from its first byte to what it is charged for."""

    def run() -> None:
        reader = PROVIDER.stream(made)
        feed = reader.feed
        for piece in pieces:
            feed(piece)
        reader.finish()
        meter.finished(reader, is_gone=False)

    return run


def send() -> None:
    request = read_request("chat.completions", REQUEST.body)
    input_bound("chat.completions", request, REQUEST.body)
    PROVIDER.outgoing(REQUEST)


def answer() -> None:
    meter.whole(PROVIDER.answer(REQUEST, ANSWER), REQUEST, is_gone=False)


CASES: dict[str, tuple[Callable[[], None], int]] = {
    "stream, an event a read, usage hidden": (read(REQUEST, PIECES), CHUNKS),
    "stream, an event a read, usage wanted": (read(WANTING, PIECES), CHUNKS),
    "stream, in reads of 1,460 bytes": (read(REQUEST, TORN), CHUNKS),
    "stream, in one read": (read(REQUEST, [STREAM]), CHUNKS),
    "stream, text counted for an estimate": (read(ESTIMATED, PIECES), CHUNKS),
    "stream, model rewritten": (read(REWRITING, PIECES), CHUNKS),
    "request read, bounded and sent": (send, 1),
    "answer of 1.7 KB read and metered": (answer, 1),
}


def main() -> None:
    """Print the table."""
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name, (run, chunks) in CASES.items():
            repeat = 20 if chunks > 1 else 1_000
            before = time.process_time()
            for _ in range(repeat):
                run()
            times[name].append((time.process_time() - before) / repeat * 1_000_000)
    print(f"{'us of CPU':44} {'per call':>9} {'per chunk':>10}   spread of {ROUNDS} rounds, per call")
    for name, (_, chunks) in CASES.items():
        rounds = sorted(times[name])
        middle = statistics.median(rounds)
        per_chunk = f"{middle / chunks:10.2f}" if chunks > 1 else " " * 10
        print(f"{name:44} {middle:9.1f} {per_chunk}   {rounds[0]:.1f} - {rounds[-1]:.1f}")


if __name__ == "__main__":
    main()
