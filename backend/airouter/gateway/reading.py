"""The request of a call, as the door takes it."""

from airouter.domain.errors import InvalidRequest, UnsupportedMediaType
from airouter.gateway.exchange import Exchange
from airouter.translation.responses_as_chat import as_chat
from airouter.wire.openai import InputInsteadOfMessages
from airouter.wire.requests import RequestHead, read_request


def read_call(exchange: Exchange) -> tuple[RequestHead, bytes, tuple[str, ...]]:
    """Its head, its body, and what had to be left out: only where a client took the wrong address for its body.

    Raises:
        InvalidRequest: it cannot be meant.
        UnsupportedMediaType: it is encoded.
    """
    endpoint, body = exchange.door.endpoint, exchange.body
    try:
        return read_request(endpoint, body, exchange.named), body, ()
    except InputInsteadOfMessages:
        chat, dropped = as_chat(body)
        return read_request(endpoint, chat), chat, dropped
    except InvalidRequest:
        if exchange.encoding is None:
            raise
        raise UnsupportedMediaType(
            f"The body is encoded (`content-encoding: {exchange.encoding}`). Send it as plain JSON."
        ) from None
