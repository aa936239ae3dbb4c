"""Headers to a vendor: the same tuple for every call with the same credential, so that a client may keep its bytes."""

from collections.abc import Callable
from typing import Final

from airouter.providers.contract import Headers
from airouter.wire import http

_KEPT: Final = 4096
COMMON: Final[Headers] = (
    http.JSON,
    (b"accept", b"application/json, text/event-stream"),
    (b"accept-encoding", b"identity"),
    (b"user-agent", b"airouter"),
)


def bearer(credential: bytes) -> Headers:
    """The usual way to carry one."""
    return ((b"authorization", b"Bearer " + credential),)


class HeaderBook:
    """Remembers the headers of each credential; `authorise` makes those that carry it."""

    def __init__(self, authorise: Callable[[bytes], Headers]) -> None:
        self._authorise = authorise
        self._known: dict[tuple[str, Headers], Headers] = {}

    def of(self, credential: str, more: Headers = ()) -> Headers:
        """The common ones, the credential's if there is one, and these."""
        found = self._known.get((credential, more))
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            own = self._authorise(credential.encode()) if credential else ()
            found = self._known[credential, more] = (*COMMON, *own, *more)
        return found
