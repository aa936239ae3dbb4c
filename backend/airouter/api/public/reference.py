"""`/api/docs`: the documents of this very version as pages to read and try, without a byte from elsewhere.

The reader of OpenAPI documents is Scalar, as published and pinned by its hash (reader/README.md). It makes its styles
in the page, which is the one thing that this page's Content-Security-Policy allows beyond its own files: no script
but ours runs, and nothing is asked of another origin.
"""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency

from airouter.api.callers import Visitor

_FOLDER: Final = Path(__file__).parent / "reader"
PAGE: Final = "/api/docs"
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@cache
def _compressed() -> bytes:
    return (_FOLDER / "scalar.js.gz").read_bytes()


@cache
def _version() -> str:
    """Stands in the script's address, so that browsers keep it for ever."""
    return hashlib.sha256(_compressed()).hexdigest()[:16]


@get(PAGE, operation_id="showReference", include_in_schema=False, sync_to_thread=False)
def reference_page(visitor: NamedDependency[Visitor]) -> Response[bytes]:
    """The page: nothing but the places of its two scripts."""
    del visitor
    page = (_FOLDER / "page.html").read_text().replace("{version}", _version())
    headers = {
        "cache-control": "no-cache",
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    return Response(page.encode(), media_type="text/html", headers=headers)


@get(f"{PAGE}/start.js", operation_id="readReferenceStart", include_in_schema=False, sync_to_thread=False)
def reference_start(visitor: NamedDependency[Visitor]) -> Response[bytes]:
    """Which documents there are, and what the reader may not do."""
    del visitor
    headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
    return Response((_FOLDER / "start.js").read_bytes(), media_type="text/javascript", headers=headers)


@get(f"{PAGE}/scalar.js", operation_id="readReferenceReader", include_in_schema=False, sync_to_thread=True)
def reference_reader(request: Request[Any, Any, Any], visitor: NamedDependency[Visitor]) -> Response[bytes]:
    """The reader itself, compressed as it is kept; who cannot read that gets it plain."""
    del visitor
    headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
    }
    body = _compressed()
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, media_type="text/javascript", headers=headers)


REFERENCE: Final = (reference_page, reference_start, reference_reader)
"""Every route of the page."""
