"""What handlers say about themselves in the OpenAPI document: which refusals to expect."""

from http import HTTPStatus
from typing import Any, Final

from litestar.openapi.datastructures import ResponseSpec

from airouter.api.errors import Problem

_WORDS: Final = {
    401: "Not signed in, or the session has ended",
    402: "The balance or a limit is too small",
    403: "Signed in, but not allowed to do this",
    404: "There is nothing here, or nothing of yours",
    408: "The body did not come in in time",
    409: "Does not fit the present state",
    410: "Not any more",
    413: "The body is too large",
    415: "The body is not declared as JSON",
    422: "The request cannot be meant like this; `field` says where",
    429: "Too many attempts; `retry-after` says when to come again",
    503: "Something that this needs cannot be reached; `retry-after` says when to come again",
}


def described(status: int) -> dict[str, Any]:
    """The same in the document itself, for what no handler has to say because it holds for all of a kind."""
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": _WORDS[status], "content": {"application/problem+json": problem}}


def refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """The described errors of a route: those given, and those that every route can answer."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=_WORDS.get(status, HTTPStatus(status).phrase),
            generate_examples=False,
        )
        for status in sorted({*statuses, 503})
    }


def changed(view: type) -> dict[int, ResponseSpec]:
    """The other answer of a route that adds something, or changes the one of that name."""
    words = "It existed and was changed"
    return {200: ResponseSpec(data_container=view, description=words, generate_examples=False)}
