"""Vectors for a client of whatever dialect, in place of the answer that a vendor gave."""

from typing import Any, Final

import msgspec

from airouter.providers.contract import Answered, Call, Reported
from airouter.providers.saying import answered
from airouter.translation.embeddings import Wish, read_request, write_reply
from airouter.wire.members import decode_head
from airouter.wire.requests import estimated_input_tokens

_ANY: Final = msgspec.json.Decoder(dict[str, Any])


def given(call: Call) -> dict[str, Any]:
    """The client's body.

    Raises:
        InvalidRequest: it cannot be read.
    """
    return decode_head(_ANY, call.body)


def shaped(call: Call, vectors: list[msgspec.Raw], reported: Reported | None) -> Answered:
    """The vectors as the client wanted them, with what was counted, else with what is charged in its place."""
    if reported is None or reported.quantities is None:
        tokens = estimated_input_tokens(call.endpoint, call.request)
    else:
        tokens = sum(quantity for meter, quantity in reported.quantities.items() if meter != "request")
    wish = read_request(call.endpoint, given(call)) if call.body else Wish(texts=())
    written = write_reply(call.endpoint, vectors, wish, model=call.request.model, input_tokens=tokens)
    return answered(msgspec.json.encode(written), reported, has_shape=True, has_content=bool(vectors))
