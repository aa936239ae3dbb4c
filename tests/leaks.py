"""No secret is ever logged: the suite notes each one that it makes, and in the end looks for all of them in all logs.

    Noted are passwords, API keys, management tokens, access and refresh tokens, codes, links, and whatever the vault
    encrypts (credentials of providers, secrets of payment methods, second factors, what stands in mails). Looked at is
    each record of the run, with its traceback and its extra fields, and the log lines of processes that tests started.

With xdist each worker looks at its own. The last check runs as a test of its own would: it fails the run.
"""

import functools
import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from airouter.services import keys, passwords, sessions, tokens, vault

_LENGTH_MIN: Final = 10
"""Shorter ones would be found by chance."""
_LENGTH_MAX: Final = 4096
_NOT_SECRET: Final = frozenset({
    "attempts", "access-token", "refresh-token", "referral-identity", "welcomed-identity", "challenge", "mfa-token",
    "passkey-challenge",
})  # fmt: skip
"""What the vault hashes or signs without its being a secret: addresses, ids, public challenges."""
_BULKY: Final = frozenset({"personal-export", "payment-body"})
_TOKEN_IN_LINK: Final = re.compile(r"[A-Za-z0-9_-]{32,}")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A link that names an order by its id gives nothing away."""
_LOG_LINE: Final = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* (?:DEBUG|INFO|WARNING|ERROR|CRITICAL) .*$", re.MULTILINE
)
_ANYWHERE: Final = re.compile(
    r"sk-air-[A-Za-z0-9]{40}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)
"""What gives itself away whoever made it."""
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


HEARD: Final[set[str]] = set()
"""What processes that tests started said, where it is not in a file that outlives the test."""


class Leaks(logging.Handler):
    """Every secret and every log text of this process."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.secrets: dict[str, str] = {}
        self.texts: set[str] = set()
        self.logs: list[Path] = []

    def note(self, secret: object, kind: str) -> None:
        """A secret from now on; it may have been logged before."""
        text = secret.decode("utf-8", "replace") if isinstance(secret, bytes) else str(secret)
        if _LENGTH_MIN <= len(text) <= _LENGTH_MAX:
            self.secrets.setdefault(text, kind)

    def emit(self, record: logging.LogRecord) -> None:
        extra = [f"{name}={value!r}" for name, value in record.__dict__.items() if name not in _STANDARD]
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.texts.add(" ".join([record.name, record.getMessage(), *extra, trace]))

    def found(self) -> list[str]:
        """Each log text with a secret in it, and what kind of secret that is; never the secret itself."""
        texts = [*self.texts, *self._lines_of_processes()]
        by_head: dict[str, list[str]] = {}
        for secret in self.secrets:
            by_head.setdefault(secret[:_LENGTH_MIN], []).append(secret)
        return [
            f"{kind} in: {text[:60]!r} … {where}"
            for text in texts
            for kind, where in (*self._known(text, by_head), *self._evident(text))
        ]

    def _known(self, text: str, by_head: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
        for at in range(len(text) - _LENGTH_MIN + 1):
            for secret in by_head.get(text[at : at + _LENGTH_MIN], ()):
                if text.startswith(secret, at):
                    yield self.secrets[secret], f"at character {at}"

    def _evident(self, text: str) -> Iterator[tuple[str, str]]:
        for match in _ANYWHERE.finditer(text):
            yield "what looks like a secret", f"at character {match.start()}"

    def _lines_of_processes(self) -> Iterator[str]:
        said = [*HEARD, *map(_read, self.logs)]
        for text in said:
            yield from (match[0] for match in _LOG_LINE.finditer(text))


def logs_below(folder: Path) -> list[Path]:
    """Every log in there; what somebody removes meanwhile is no error."""
    return sorted(Path(place, name) for place, _, names in os.walk(folder) for name in names if name.endswith(".log"))


def _read(log: Path) -> str:
    try:
        return log.read_text(errors="replace")
    except FileNotFoundError:
        return ""


class LeakPlugin:
    """Notes and listens from the beginning of the run to its end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.leaks = Leaks()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        logging.getLogger().addHandler(self.leaks)
        logging.getLogger("airouter").setLevel(logging.INFO)  # as an installation logs
        watch(self.leaks)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        temporary = getattr(self.config, "_tmp_path_factory", None)
        if temporary is not None:
            self.leaks.logs = logs_below(temporary.getbasetemp())
        found = self.leaks.found()
        if found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            session.shouldfail = "secrets were logged"
            said = "\n".join(["", "SECRETS WERE LOGGED", *sorted(set(found))[:50], ""])
            reporter = self.config.pluginmanager.get_plugin("terminalreporter")
            if reporter is not None:
                reporter.write_line(said, red=True)
            worker = getattr(self.config, "workeroutput", None)
            if worker is not None:
                worker["leaks"] = said

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """On xdist's own process: what a worker found fails the whole run."""
        said = getattr(node, "workeroutput", {}).get("leaks")
        if said:
            self.leaks.texts.add("sk-air-" + "0" * 40)  # so that the last check here fails, too
            reporter = self.config.pluginmanager.get_plugin("terminalreporter")
            if reporter is not None:
                reporter.write_line(said, red=True)


def watch(leaks: Leaks) -> None:
    """Note what the places answer where secrets are made, and what is given to those that keep or check them."""
    keys.new_secret = _noting_answer(keys.new_secret, leaks, "an API key")
    tokens.new_secret = _noting_answer(tokens.new_secret, leaks, "a management token")
    _wrap(passwords.Passwords, "hash", lambda password: leaks.note(password, "a password"))
    _wrap(passwords.Passwords, "verify", lambda _stored, password: leaks.note(password, "a password"))
    _wrap(vault.Vault, "encrypt", functools.partial(_note_encrypted, leaks))
    for name in ("mac", "macs"):
        _wrap(vault.Vault, name, functools.partial(_note_hashed, leaks))
    made = sessions.Sessions._tokens

    def noting(self: Any, *arguments: Any) -> Any:
        answer = made(self, *arguments)
        leaks.note(answer.access_token, "an access token")
        leaks.note(answer.refresh_token, "a refresh token")
        return answer

    sessions.Sessions._tokens = noting  # type: ignore[method-assign]


def _noting_answer(make: Callable[[], str], leaks: Leaks, kind: str) -> Callable[[], str]:
    @functools.wraps(make)
    def noting() -> str:
        secret = make()
        leaks.note(secret, kind)
        return secret

    return noting


def _wrap(owner: Any, name: str, note: Callable[..., None]) -> None:
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def noting(self: Any, *arguments: Any) -> Any:
        note(*arguments)
        return inner(self, *arguments)

    setattr(owner, name, noting)


def _note_encrypted(leaks: Leaks, purpose: str, _table: str, _row_id: object, plaintext: str) -> None:
    if purpose == "mail":  # facts: only what a link carries is secret
        for token in _TOKEN_IN_LINK.findall(_ID.sub("", plaintext)):
            leaks.note(token, "a link in a mail")
    elif purpose not in _BULKY:
        leaks.note(plaintext, f"what was encrypted as {purpose}")


def _note_hashed(leaks: Leaks, purpose: str, data: bytes) -> None:
    if purpose.partition(":")[0] not in {*_NOT_SECRET, "sign-up-challenge"}:
        leaks.note(data, f"what was hashed as {purpose}")
