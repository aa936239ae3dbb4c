"""The head of a request as bytes, checked so that no value can end a line or frame the message anew."""

import re

from airouter.upstream.contract import RequestRefused, UpstreamRequest

_METHOD = re.compile(r"[A-Z]{1,20}")
_TARGET = re.compile(r"/[!-~]*")
_AUTHORITY = re.compile(r"[0-9a-z._:\[\]-]+")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

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


def request_head(request: UpstreamRequest) -> bytes:
    """Request line, `host` and the caller's headers; `length_line` must follow.

    Raises: RequestRefused, whose message never repeats a value (it may be a credential).
    """
    if _METHOD.fullmatch(request.method) is None:
        raise RequestRefused("the method is not a plain upper-case word")
    if _TARGET.fullmatch(request.path) is None:
        raise RequestRefused("the path does not start with a slash or contains blanks, control characters or non-ASCII")
    authority = request.origin.authority
    if _AUTHORITY.fullmatch(authority) is None:
        raise RequestRefused("the host is not plain ASCII in lower case")
    lines = [f"{request.method} {request.path} HTTP/1.1\r\nhost: {authority}\r\n".encode("ascii")]
    for name, value in request.headers:
        if _NAME.fullmatch(name) is None:
            raise RequestRefused("a header name contains characters that HTTP does not allow")
        if name.lower() in _OWNED:
            raise RequestRefused(f"the header {name.decode('ascii')} belongs to the client")
        if _VALUE.fullmatch(value) is None:
            raise RequestRefused(f"the value of {name.decode('ascii')} contains a line break or control character")
        lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join(lines)


def length_line(method: str, body: bytes) -> bytes:
    """How long the body is, and the empty line that ends the head. A method that carries no body says nothing."""
    if body or method in _METHODS_WITH_BODY:
        return b"content-length: %d\r\n\r\n" % len(body)
    return b"\r\n"
