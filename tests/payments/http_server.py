"""A small HTTP server in a thread: what the fakes of payment companies are made of."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request; `form` holds the fields of its body, or of its query where there is no body."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


Answer = tuple[int, Any]
"""Status, and a JSON document or a text."""


@contextmanager
def served(answer: Callable[[Asked], Answer]) -> Iterator[str]:
    """The server's address, without a slash at its end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            asked = Asked(
                method=self.command,
                path=parts.path,
                query=query,
                form=dict(parse_qsl(body, keep_blank_values=True)) if body else query,
                headers={name.lower(): value for name, value in self.headers.items()},
            )
            status, document = answer(asked)
            said = document.encode() if isinstance(document, str) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "text/html" if isinstance(document, str) else "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
