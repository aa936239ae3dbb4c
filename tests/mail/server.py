"""A real mail server for tests, which keeps what it takes and refuses what it is told to."""

import asyncio
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


class Server:
    """`taken`: what it took. `replies`: what it says to a recipient instead."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.replies: dict[str, str] = {}
        self._bound: socket.socket | None = None
        self._listening: asyncio.Server | None = None
        self._calls: list[SMTP] = []

    async def handle_RCPT(  # noqa: N802
        self, _server: object, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content or b"", policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        return "250 OK"

    def reserve(self) -> int:
        """The port it will listen on. Until it does, whoever connects is refused, and nobody else gets the port."""
        self._bound = socket.socket()
        self._bound.bind(("127.0.0.1", 0))
        return self._bound.getsockname()[1]

    async def start(self, **options: Any) -> int:
        """The port it listens on: the one that was reserved, or a free one."""
        if self._bound is None:
            self.reserve()
        assert self._bound is not None
        loop = asyncio.get_running_loop()

        def call() -> SMTP:
            self._calls.append(SMTP(self, loop=loop, hostname="localhost", enable_SMTPUTF8=True, **options))
            return self._calls[-1]

        self._listening = await loop.create_server(call, sock=self._bound)
        return self._bound.getsockname()[1]

    async def stop(self) -> None:
        """Hangs up on whoever is there."""
        if self._listening is not None:
            self._listening.close()
        elif self._bound is not None:
            self._bound.close()
        for call in self._calls:
            for way in (call.transport, call._original_transport):
                if way is not None:
                    way.abort()
        under_way = [call._handler_coroutine for call in self._calls if call._handler_coroutine is not None]
        for one in under_way:
            one.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if self._listening is not None:
            await self._listening.wait_closed()
