"""Tokens that no provider counted: by the tokenizer where it is installed, else by bytes, and only where policy
`limits.estimates` wants them.

The tokenizer runs when the answer is there, in a thread, so no other call waits for it. The text of a stream is not
kept: what a stream wrote is estimated by its bytes, what it read is counted like any prompt. Vectors are estimated by
bytes alone, as their answer says it.
"""

import asyncio
from typing import Final

import msgspec

from airouter.gateway.meter import Metered
from airouter.gateway.tokenizer import Tokenizer
from airouter.wire.endpoint import VECTORS, Endpoint
from airouter.wire.requests import RequestHead, estimated_input_tokens, prompt_texts
from airouter.wire.written import written_texts

_ONLY_THE_REQUEST: Final = 1


class Estimates:
    """Says what to charge where nothing was reported, and what to answer where nobody counts."""

    def __init__(self, tokenizer: Tokenizer | None) -> None:
        self._tokenizer = tokenizer

    async def settled(self, metered: Metered, model: str, *, is_wanted: bool, answer: bytes | None) -> Metered:
        """The same with better figures, or without any. `answer` is the whole answer as the client gets it, if it came
        whole.

        An answer that the client left or that we cut is estimated in any case: leaving early would be free otherwise.
        """
        guess = metered.guess
        if guess is None:
            return metered
        if guess.is_complete and not is_wanted:
            return msgspec.structs.replace(metered, quantities={"request": _ONLY_THE_REQUEST}, source="none")
        if self._tokenizer is None or guess.endpoint in VECTORS:
            return metered
        read = prompt_texts(guess.endpoint, guess.request)
        wrote = None if answer is None else written_texts(guess.endpoint, answer)
        quantities = dict(metered.quantities)
        try:
            if any(read):
                quantities["input"] = await asyncio.to_thread(self._tokenizer.count, read, model)
            if wrote is not None:
                quantities["output"] = await asyncio.to_thread(self._tokenizer.count, wrote, model)
        except asyncio.CancelledError:  # the client left, or we stop: the figures by bytes are as good as charged
            return metered
        return msgspec.structs.replace(metered, quantities=quantities)

    async def input_tokens(self, endpoint: Endpoint, request: RequestHead) -> int:
        """How many tokens a request has, to the best of our knowledge."""
        if self._tokenizer is None:
            return estimated_input_tokens(endpoint, request)
        return await asyncio.to_thread(self._tokenizer.count, prompt_texts(endpoint, request), request.model)
