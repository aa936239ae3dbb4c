"""The head of a request as bytes, checked so that no value can end a line or frame the message anew."""

import re

from airouter.upstream.contract import Headers, RequestRefused, UpstreamRequest

_METHOD = re.compile(r"[A-Z]{1,20}")
_TARGET = re.compile(r"/[!\"$-~]*")
_AUTHORITY = re.compile(r"[0-9a-z._:\[\]-]+")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_VALUE_BYTES = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))

# Written by the client, because they describe the connection or where the message ends.
_OWNED = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

_CHECKED_NAMES_MAX = 512
_checked_names: set[bytes] = set()
"""Names found good before. Few differ, and each occurs on every call."""


def request_head(request: UpstreamRequest) -> bytes:
    """Request line, `host` and the caller's headers; `length_line` must follow.

    Raises: RequestRefused, whose message never repeats a value (it may be a credential).
    """
    authority = request.origin.authority
    if _METHOD.fullmatch(request.method) is None:
        raise RequestRefused("the method is not a plain upper-case word")
    if _TARGET.fullmatch(request.path) is None:
        raise RequestRefused(
            "the path does not start with a slash, or contains blanks, controls, non-ASCII or a fragment"
        )
    if _AUTHORITY.fullmatch(authority) is None:
        raise RequestRefused("the host is not plain ASCII in lower case")
    return f"{request.method} {request.path} HTTP/1.1\r\nhost: {authority}\r\n".encode("ascii") + _lines(
        request.headers
    )


def length_line(method: str, body: bytes) -> bytes:
    """How long the body is, and the empty line that ends the head. A method that carries no body says nothing."""
    if body or method in _METHODS_WITH_BODY:
        return b"content-length: %d\r\n\r\n" % len(body)
    return b"\r\n"


def _lines(headers: Headers) -> bytes:
    for name, value in headers:
        if name not in _checked_names:
            _check_name(name)
        if value.translate(None, _VALUE_BYTES):
            raise RequestRefused(f"the value of {name.decode('ascii')} contains a line break or control character")
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def _check_name(name: bytes) -> None:
    if _NAME.fullmatch(name) is None:
        raise RequestRefused("a header name contains characters that HTTP does not allow")
    if name.lower() in _OWNED:
        raise RequestRefused(f"the header {name.decode('ascii')} belongs to the client")
    if len(_checked_names) < _CHECKED_NAMES_MAX:
        _checked_names.add(name)
