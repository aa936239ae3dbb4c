"""The OpenAPI documents of this very version, for people and for generators of clients."""

from collections.abc import Callable
from threading import Lock
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from airouter.api.callers import Visitor


class Documents:
    """Made at the first question and kept: they cannot change while the process runs.

    That takes a second of work: it is asked in a thread, so that no call waits for it, and done once, whoever asks.
    """

    def __init__(self, make: Callable[[], dict[str, bytes]]) -> None:
        self._make = make
        self._making = Lock()
        self._made: dict[str, bytes] | None = None

    def get(self, name: str) -> bytes:
        """The bytes of the committed file of that name."""
        with self._making:
            if self._made is None:
                self._made = self._make()
        return self._made[name]


_A_DOCUMENT: Final = {
    200: ResponseSpec(data_container=dict[str, Any], description="The document", generate_examples=False)
}


@get(
    "/openapi.json",
    operation_id="getManagementDocument",
    summary="This document",
    tags=["Operations"],
    sync_to_thread=True,
    responses=_A_DOCUMENT,
)
def management_document(visitor: NamedDependency[Visitor], documents: NamedDependency[Documents]) -> Response[bytes]:
    """OpenAPI 3.1 of the management API."""
    del visitor
    return _json(documents.get("management.json"))


@get(
    "/openapi/gateway.json",
    operation_id="getGatewayDocument",
    summary="The document of the gateway's doors",
    tags=["Operations"],
    sync_to_thread=True,
    responses=_A_DOCUMENT,
)
def gateway_document(visitor: NamedDependency[Visitor], documents: NamedDependency[Documents]) -> Response[bytes]:
    """OpenAPI 3.1 of `/v1`."""
    del visitor
    return _json(documents.get("gateway.json"))


def _json(document: bytes) -> Response[bytes]:
    return Response(document, media_type="application/json", headers={"cache-control": "no-cache"})


DOCUMENTS = (management_document, gateway_document)
