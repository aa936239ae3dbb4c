"""HTTP/1.1 spoken in bytes to a gateway: one connection, and requests that any client could send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.live import Holder, Live
from tests.patience import PATIENCE_SECONDS


class Wire:
    """One connection, spoken to in bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def name(self) -> tuple[str, int]:
        """What the gateway knows the client by: address and port."""
        return self._writer.get_extra_info("sockname")

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            await asyncio.sleep(0)

    async def hear(self, *, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """One answer: status, headers, body without its framing."""
        head = (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)).decode()
        status_line, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if not has_body or status_line.split()[1] == "100":
            body = b""
        elif "content-length" in headers:
            body = await self._reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            body = await self._chunks()
        else:
            body = await self._reader.read()
        return int(status_line.split()[1]), headers, body

    async def begun(self) -> str:
        """The id of a request whose stream has begun."""
        head = (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)).decode().lower()
        await self._reader.readline()
        return head.partition("x-request-id: ")[2].partition("\r\n")[0]

    async def _chunks(self) -> bytes:
        parts = []
        while size := int(await self._reader.readline(), 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(parts)

    async def is_closed(self) -> bool:
        return await asyncio.wait_for(self._reader.read(1), PATIENCE_SECONDS) == b""

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):  # the other side was quicker
            await self._writer.wait_closed()


@asynccontextmanager
async def connected(house: Live) -> AsyncIterator[Wire]:
    wire = Wire(*await asyncio.open_connection("127.0.0.1", house.port))
    try:
        yield wire
    finally:
        await wire.close()


def request(
    holder: Holder, *headers: str, version: str = "1.1", script: dict[str, Any] | None = None, **more: Any
) -> bytes:
    asked = {"model": "demo", "messages": [{"role": "user", "content": "hello"}], **more}
    body = json.dumps(asked | ({"scripted": script} if script else {})).encode()
    lines = [
        f"POST /v1/chat/completions HTTP/{version}",
        "Host: gateway",
        f"Authorization: Bearer {holder.key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def text_of(body: bytes) -> str:
    return json.loads(body)["choices"][0]["message"]["content"]


def of_length(holder: Holder, framing: bytes) -> bytes:
    """The head of a request whose body is framed so."""
    head = request(holder).partition(b"\r\n\r\n")[0]
    head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
    return head + b"\r\n" + framing + b"\r\n\r\n"
