"""The mail server that an installation uses, as its environment names it."""

from typing import Final, Literal
from urllib.parse import unquote, urlsplit

import msgspec

from airouter.sites import is_loopback

Security = Literal["none", "starttls", "tls"]

_SCHEMES: Final[dict[str, tuple[Security, int]]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}


class MailServerInvalid(ValueError):
    """The URL names no mail server that we would speak to. The message carries no password."""


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail is handed over. `security` decides about TLS; certificates are always checked."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"MailServer({self})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("url", str(self))]

    def __str__(self) -> str:
        scheme = next(name for name, (security, _) in _SCHEMES.items() if security == self.security)
        return f"{scheme}://{self.username + ':***@' if self.username else ''}{self.host}:{self.port}"


def parse_server(url: str) -> MailServer:
    """`smtp://`, `smtp+starttls://` or `smtps://`, with `user:password@` (percent-encoded) where the server asks.

    Raises:
        MailServerInvalid: also for a password that would cross a network in the clear.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise MailServerInvalid("it is no URL") from error
    if parts.scheme not in _SCHEMES:
        raise MailServerInvalid(f"its scheme is none of {', '.join(_SCHEMES)}")
    if not host or parts.path.rstrip("/") or parts.query or parts.fragment:
        raise MailServerInvalid("it is not scheme://user:password@host:port")
    security, default_port = _SCHEMES[parts.scheme]
    username, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    if username and security == "none" and not is_loopback(host):
        raise MailServerInvalid("a password would be sent in the clear: use smtp+starttls:// or smtps://")
    return MailServer(
        host=host, port=port or default_port, security=security, username=username or None, password=password
    )
