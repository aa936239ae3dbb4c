"""The environment, decoded once into one frozen struct.

What an operator edits while the product runs is a policy in Postgres, not a setting. `.env.example` explains every
variable; a test compares it with what is read here, in both directions.
"""

import base64
import binascii
import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

from airouter.mail.addresses import AddressUnusable, address_of
from airouter.mail.server import MailServer, MailServerInvalid, parse_server
from airouter.sites import is_loopback, site_difference

Mode = Literal["production", "demo"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECRET_KEY_BYTES = 32


class SettingsInvalid(Exception):
    """Variables are missing or cannot be understood; the message names every one of them."""


class SecretKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key of AIROUTER_SECRET_KEYS; `id` is stored beside what it encrypted."""

    id: str
    material: bytes

    def __repr__(self) -> str:
        return f"SecretKey(id={self.id!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("id", self.id)]


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is fixed at start; made by `load`, in tests too. Its repr carries no secret."""

    mode: Mode
    home: Path
    host: str
    port: int
    workers: int
    database_url: str | None
    database_direct_url: str | None
    journal_dir: Path
    secret_keys: tuple[SecretKey, ...]
    currency: str
    public_url: str
    console_url: str
    console_origins: tuple[str, ...]
    challenge_origin: str
    trusted_proxies: tuple[Network, ...]
    metrics_addr: Address | None
    password_hashes_at_once: int
    mail_server: MailServer | None
    mail_from: str | None
    drain_notice_seconds: float
    drain_seconds: float
    log_level: str

    @property
    def is_demo(self) -> bool:
        """Whether demo data are allowed."""
        return self.mode == "demo"

    @property
    def cookie_is_secure(self) -> bool:
        """The refresh cookie is Secure unless the public URL is http on loopback."""
        return urlsplit(self.public_url).scheme == "https" or not is_loopback(urlsplit(self.public_url).hostname or "")

    @property
    def database(self) -> str:
        """The URL of the pool.

        Raises: SettingsInvalid where there is none (only `up` can do without).
        """
        if self.database_url is None:
            raise SettingsInvalid("AIROUTER_DATABASE_URL is not set.")
        return self.database_url

    @property
    def database_direct(self) -> str:
        """The URL for LISTEN, migrations and advisory locks, which no pooler in transaction mode can carry."""
        return self.database_direct_url or self.database

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        for name in ("database_url", "database_direct_url"):
            shown[name] = shown[name] and without_password(shown[name])
        return list(shown.items())


def without_password(url: str) -> str:
    """A connection URL fit for a log."""
    return re.sub(r"(password=)[^&]*", r"\1***", re.sub(r"(//[^/@:]*):[^/]*@", r"\1:***@", url))


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Decode the environment.

    Raises: SettingsInvalid naming everything that is missing or wrong, not only the first.
    """
    return _Reader(os.environ if environ is None else environ).settings()


def variables() -> frozenset[str]:
    """The name of every variable that is read."""
    reader = _Reader({"AIROUTER_MODE": "demo"})
    reader.settings()
    return frozenset(reader.asked)


class _Reader:
    """Reads variables one by one and remembers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: value.strip() for name, value in environ.items() if value.strip()}
        self._missing: list[str] = []
        self._wrong: list[str] = []
        self.asked: list[str] = []

    def _get(self, name: str) -> str | None:
        self.asked.append(name)
        return self._environ.get(name)

    def settings(self) -> Settings:
        mode: Mode = (
            "demo" if self._choice("AIROUTER_MODE", "production", ("production", "demo")) == "demo" else "production"
        )
        home = self._path("AIROUTER_HOME", Path(".airouter"))
        port = self._whole("AIROUTER_PORT", 8080, 0, 65535)
        public_url = self._url("AIROUTER_PUBLIC_URL", f"http://127.0.0.1:{port}" if mode == "demo" else None)
        console_url = self._url("AIROUTER_CONSOLE_URL", public_url)
        origins = self._origins("AIROUTER_CONSOLE_ORIGINS", console_url)
        self._require_same_site(public_url, "AIROUTER_CONSOLE_URL", console_url)
        for origin in origins:
            if origin != console_url:
                self._require_same_site(public_url, "AIROUTER_CONSOLE_ORIGINS", origin)
        mail_server, mail_from = self._mail("AIROUTER_MAIL_URL", "AIROUTER_MAIL_FROM")
        settings = Settings(
            mode=mode,
            home=home,
            host=self._get("AIROUTER_HOST") or "127.0.0.1",
            port=port,
            workers=self._whole("AIROUTER_WORKERS", 1, 1, 256),
            database_url=self._database("AIROUTER_DATABASE_URL", is_required=mode == "production"),
            database_direct_url=self._database("AIROUTER_DATABASE_DIRECT_URL", is_required=False),
            journal_dir=self._path("AIROUTER_JOURNAL_DIR", home / "journal"),
            secret_keys=self._secret_keys("AIROUTER_SECRET_KEYS", is_required=mode == "production"),
            currency=self._currency("AIROUTER_CURRENCY", "USD"),
            public_url=public_url,
            console_url=console_url,
            console_origins=origins,
            challenge_origin=self._url("AIROUTER_CHALLENGE_ORIGIN", ""),
            trusted_proxies=self._networks("AIROUTER_TRUSTED_PROXIES"),
            metrics_addr=self._address("AIROUTER_METRICS_ADDR", Address(host="127.0.0.1", port=9464)),
            password_hashes_at_once=self._whole("AIROUTER_PASSWORD_HASHES_AT_ONCE", 2, 1, 64),
            mail_server=mail_server,
            mail_from=mail_from,
            drain_notice_seconds=self._seconds("AIROUTER_DRAIN_NOTICE_SECONDS", 0 if mode == "demo" else 3),
            drain_seconds=self._seconds("AIROUTER_DRAIN_SECONDS", 10 if mode == "demo" else 60),
            log_level=self._choice("AIROUTER_LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
        )
        self._refuse_if_wrong()
        return settings

    def _refuse_if_wrong(self) -> None:
        told = list(self._wrong)
        if self._missing:
            told.insert(0, f"set {', '.join(self._missing)}: production does not start without (see .env.example)")
        if "AIROUTER_SECRET_KEYS" in self._missing:
            told.append("`airouter secrets generate` prints a value for AIROUTER_SECRET_KEYS")
        if told:
            raise SettingsInvalid("The environment is not complete: " + "; ".join(told) + ".")

    def _choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self._get(name) or default
        if value not in allowed:
            self._wrong.append(f"{name} is {value!r}, which is none of {', '.join(allowed)}")
            return default
        return value

    def _whole(self, name: str, default: int, minimum: int, maximum: int) -> int:
        value = self._get(name) or str(default)
        if not value.isascii() or not value.isdigit() or not minimum <= int(value) <= maximum:
            self._wrong.append(f"{name} is {value!r}, not a whole number from {minimum} to {maximum}")
            return default
        return int(value)

    def _seconds(self, name: str, default: int) -> float:
        return float(self._whole(name, default, 0, 3600))

    def _path(self, name: str, default: Path) -> Path:
        return Path(self._get(name) or str(default)).expanduser().absolute()

    def _url(self, name: str, default: str | None) -> str:
        value = self._get(name) or default
        if value is None:
            self._missing.append(name)
            return ""
        if value and not _is_http(urlsplit(value)):
            self._wrong.append(f"{name} is {value!r}, not an http(s) address without path, query or user")
            return ""
        return value.rstrip("/")

    def _origins(self, name: str, console_url: str) -> tuple[str, ...]:
        values = [v.strip().rstrip("/") for v in (self._get(name) or console_url).split(",") if v.strip()]
        for value in values:
            if not _is_http(urlsplit(value)):
                self._wrong.append(f"{name} has {value!r}, not an origin like https://console.example.com")
        return tuple(v for v in values if _is_http(urlsplit(v)))

    def _require_same_site(self, public_url: str, name: str, url: str) -> None:
        if not public_url or not url:
            return
        difference = site_difference(public_url, url)
        if difference:
            self._wrong.append(
                f"{name} ({url}) and AIROUTER_PUBLIC_URL ({public_url}) are different sites: {difference}. "
                "Browsers do not send the sign-in cookie (SameSite=Strict) from one site to another, so nobody could "
                "stay signed in; put both below one domain, or behind one address"
            )

    def _database(self, name: str, *, is_required: bool) -> str | None:
        value = self._get(name)
        if value is None:
            if is_required:
                self._missing.append(name)
            return None
        if urlsplit(value).scheme not in {"postgres", "postgresql"}:
            self._wrong.append(f"{name} is not a postgresql:// URL")
        return value

    def _mail(self, url_name: str, from_name: str) -> tuple[MailServer | None, str | None]:
        url, sender = self._get(url_name), self._get(from_name)
        if url is None:
            return None, None
        if sender is None:
            self._wrong.append(f"{from_name} is not set, but {url_name} is: mail needs a sender")
            return None, None
        try:
            address_of(sender)
        except AddressUnusable as error:
            self._wrong.append(f"{from_name}: {error}")
            return None, None
        try:
            return parse_server(url), sender
        except MailServerInvalid as error:  # the value itself may hold a password
            self._wrong.append(f"{url_name}: {error}")
            return None, None

    def _secret_keys(self, name: str, *, is_required: bool) -> tuple[SecretKey, ...]:
        value = self._get(name)
        if value is None:
            if is_required:
                self._missing.append(name)
            return ()
        keys: list[SecretKey] = []
        for position, part in enumerate(value.split(","), start=1):
            key = _secret_key(part.strip())
            if key is None:  # the value itself must not reach a log
                self._wrong.append(f"{name}: key {position} is not id:base64 of {SECRET_KEY_BYTES} bytes")
            elif key.id in {k.id for k in keys}:
                self._wrong.append(f"{name}: the id {key.id!r} stands twice")
            else:
                keys.append(key)
        return tuple(keys)

    def _currency(self, name: str, default: str) -> str:
        value = self._get(name) or default
        if not re.fullmatch(r"[A-Z]{3}", value):
            self._wrong.append(f"{name} is {value!r}, not an ISO 4217 code such as USD")
        return value

    def _networks(self, name: str) -> tuple[Network, ...]:
        found: list[Network] = []
        for part in filter(None, (p.strip() for p in (self._get(name) or "").split(","))):
            try:
                found.append(ipaddress.ip_network(part))
            except ValueError:
                self._wrong.append(f"{name} has {part!r}, not an address or a network such as 10.0.0.0/8")
        return tuple(found)

    def _address(self, name: str, default: Address) -> Address | None:
        value = self._get(name)
        if value is None:
            return default
        if value == "off":
            return None
        host, colon, port = value.rpartition(":")
        if not colon or not port.isdigit() or int(port) > 65535:
            self._wrong.append(f"{name} is {value!r}, neither host:port nor off")
            return None
        return Address(host=host.strip("[]") or "0.0.0.0", port=int(port))  # noqa: S104 - asked for with ":port"


def _is_http(url: SplitResult) -> bool:
    is_bare = not (url.query or url.fragment or url.username or url.path.rstrip("/"))
    return url.scheme in {"http", "https"} and bool(url.hostname) and is_bare


def _secret_key(text: str) -> SecretKey | None:
    name, colon, encoded = text.partition(":")
    try:
        material = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    if not colon or not re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", name) or len(material) != SECRET_KEY_BYTES:
        return None
    return SecretKey(id=name, material=material)


def generate_secret_key(name: str, random: bytes) -> str:
    """One entry of AIROUTER_SECRET_KEYS from 32 random bytes."""
    if len(random) != SECRET_KEY_BYTES:
        message = f"a secret key is {SECRET_KEY_BYTES} bytes"
        raise ValueError(message)
    return f"{name}:{base64.b64encode(random).decode()}"
