"""A real mail server for tests, which keeps what it takes and refuses what it is told to."""

import asyncio
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope, Session


class Server:
    """`taken`: what it took. `replies`: what it says to a recipient instead."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.replies: dict[str, str] = {}
        self.controller: Controller | None = None

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

    async def start(self, port: int = 0, **options: object) -> int:
        """The port it listens on: the one that was asked for, or a free one."""
        if not port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=port, **options)
        await asyncio.to_thread(self.controller.start)
        return port

    async def stop(self) -> None:
        if self.controller is not None:
            await asyncio.to_thread(self.controller.stop)
            self.controller = None
