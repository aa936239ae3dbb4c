"""The outbox against a real mail server: TLS, passwords, refusals for now and for good, and a server that is away."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult

from airouter.mail.post_office import PostOffice, PrintedOffice, SmtpOffice
from airouter.mail.server import parse_server
from airouter.services.mailbox import Mailbox
from airouter.services.vault import Vault
from airouter.storage.database import Database
from tests.builders import run_sql
from tests.mail.server import Server
from tests.settings import SECRET
from tests.upstream.certificates import Authority

CONSOLE = "https://console.example.com"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    started = Server()
    yield started
    await started.stop()


@pytest.fixture
async def outbox(database: str) -> AsyncIterator[Database]:
    opened = await Database.open(database)
    yield opened
    await opened.close()


def mailbox_of(database: Database, office: PostOffice | None) -> Mailbox:
    return Mailbox(database, Vault((SECRET,)), office, CONSOLE)


def office_at(port: int, scheme: str = "smtp", login: str = "", tls: ssl.SSLContext | None = None) -> SmtpOffice:
    return SmtpOffice(parse_server(f"{scheme}://{login}localhost:{port}"), "Acme <no-reply@acme.example>", tls=tls)


async def post(mailbox: Mailbox, database: Database, to: str = "ada@example.com", **more: object) -> None:
    facts = {"link": f"{CONSOLE}/verify#token=tok-en", "address": "203.0.113.9", "hours": 24}
    async with database.transaction() as connection:
        await mailbox.post(connection, to=to, locale="zh-CN", letter="verify_email", facts=facts, **more)


async def states(dsn: str) -> list[tuple[str, str, int]]:
    rows = await run_sql(dsn, "SELECT recipient, state, attempts FROM mails ORDER BY recipient")
    return [(row["recipient"], row["state"], row["attempts"]) for row in rows]


async def make_due(dsn: str) -> None:
    await run_sql(dsn, "UPDATE mails SET next_at = now()")


async def test_mail_goes_out_in_the_readers_language_as_text_and_html(
    database: str, outbox: Database, server: Server
) -> None:
    mailbox = mailbox_of(outbox, office_at(await server.start()))
    await post(mailbox, outbox)
    await mailbox.deliver()
    (message,) = server.taken
    assert message["To"] == "ada@example.com"
    assert message["From"] == "Acme <no-reply@acme.example>"
    assert "确认" in message["Subject"]
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert page is not None
    assert f"{CONSOLE}/verify#token=tok-en" in text.get_content()
    assert f'href="{CONSOLE}/verify#token=tok-en"' in page.get_content()
    assert await states(database) == [("ada@example.com", "sent", 1)]


async def test_no_link_lies_readable_in_the_outbox_and_none_at_all_once_sent(
    database: str, outbox: Database, server: Server
) -> None:
    mailbox = mailbox_of(outbox, office_at(await server.start()))
    await post(mailbox, outbox)
    (row,) = await run_sql(database, "SELECT * FROM mails")
    assert b"tok-en" not in bytes(row["facts"])
    assert "tok-en" not in str(dict(row))
    await mailbox.deliver()
    assert await run_sql(database, "SELECT facts FROM mails WHERE facts IS NOT NULL") == []


async def test_a_mail_whose_transaction_fails_is_not_sent(database: str, outbox: Database, server: Server) -> None:
    mailbox = mailbox_of(outbox, office_at(await server.start()))

    async def fail() -> None:
        async with outbox.transaction() as connection:
            await mailbox.post(connection, to="ada@example.com", locale=None, letter="test", facts={})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    await mailbox.deliver()
    assert server.taken == []
    assert await states(database) == []


async def test_one_occasion_is_written_about_once_also_when_posted_in_parallel(
    outbox: Database, server: Server
) -> None:
    mailbox = mailbox_of(outbox, office_at(await server.start()))
    await asyncio.gather(*(post(mailbox, outbox, once="invitation/1") for _ in range(6)))
    await asyncio.gather(*(mailbox.deliver() for _ in range(3)))
    assert len(server.taken) == 1


async def test_many_senders_at_once_send_each_mail_once(database: str, outbox: Database, server: Server) -> None:
    mailbox = mailbox_of(outbox, office_at(await server.start()))
    people = [f"p{number:02}@example.com" for number in range(30)]
    for to in people:
        await post(mailbox, outbox, to)
    await asyncio.gather(*(mailbox.deliver() for _ in range(4)))
    assert sorted(message["To"] for message in server.taken) == people
    assert await states(database) == [(to, "sent", 1) for to in people]


async def test_a_server_that_was_away_gets_the_mail_once_it_is_back(
    database: str, outbox: Database, server: Server
) -> None:
    mailbox = mailbox_of(outbox, office_at(server.reserve()))
    await post(mailbox, outbox)
    await post(mailbox, outbox, "bob@example.com")
    await mailbox.deliver()
    assert await states(database) == [("ada@example.com", "failed", 1), ("bob@example.com", "failed", 1)]
    await mailbox.deliver()  # not due yet
    assert [attempts for _, _, attempts in await states(database)] == [1, 1]
    await server.start()
    await make_due(database)
    await mailbox.deliver()
    await mailbox.deliver()
    assert sorted(message["To"] for message in server.taken) == ["ada@example.com", "bob@example.com"]


async def test_refused_for_good_is_given_up_and_refused_for_now_is_tried_again(
    database: str, outbox: Database, server: Server
) -> None:
    server.replies = {"gone@example.com": "550 no such mailbox", "full@example.com": "452 mailbox full"}
    mailbox = mailbox_of(outbox, office_at(await server.start()))
    for to in ("gone@example.com", "full@example.com", "ada@example.com"):
        await post(mailbox, outbox, to)
    await mailbox.deliver()
    assert await states(database) == [
        ("ada@example.com", "sent", 1), ("full@example.com", "failed", 1), ("gone@example.com", "given_up", 1),
    ]  # fmt: skip
    (row,) = await run_sql(database, "SELECT last_error, facts FROM mails WHERE state = 'given_up'")
    assert "550" in row["last_error"]
    assert row["facts"] is None
    server.replies = {}
    await make_due(database)
    await mailbox.deliver()
    assert [message["To"] for message in server.taken] == ["ada@example.com", "full@example.com"]


async def test_a_mail_that_is_too_late_to_be_of_use_is_given_up(
    database: str, outbox: Database, server: Server
) -> None:
    mailbox = mailbox_of(outbox, office_at(await server.start()))
    await post(mailbox, outbox, lifetime=timedelta(hours=1))
    await run_sql(database, "UPDATE mails SET give_up_at = now() - interval '1 second'")
    await mailbox.deliver()
    assert server.taken == []
    assert await states(database) == [("ada@example.com", "given_up", 1)]


async def test_a_sender_that_died_leaves_its_mail_to_the_next(database: str, outbox: Database, server: Server) -> None:
    mailbox = mailbox_of(outbox, office_at(await server.start()))
    await post(mailbox, outbox)
    await run_sql(database, "UPDATE mails SET state = 'sending', next_at = now() + interval '10 minutes', attempts = 1")
    await mailbox.deliver()
    assert server.taken == []
    await make_due(database)
    await mailbox.deliver()
    assert await states(database) == [("ada@example.com", "sent", 2)]


async def test_starttls_and_a_password_are_used_and_a_wrong_one_is_no_reason_to_give_up(
    database: str, outbox: Database, server: Server, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "mail")
    trusting = ssl.create_default_context(cafile=authority.file)
    seen: list[bytes] = []

    def authenticate(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
        seen.append(getattr(data, "password", b""))
        is_right = getattr(data, "password", b"") == b"s3cret pass"
        return AuthResult(success=is_right, handled=False)  # or the server would leave a refusal unsaid

    port = await server.start(
        tls_context=authority.server_context("localhost"),
        require_starttls=True, auth_require_tls=True, auth_required=True, authenticator=authenticate,
    )  # fmt: skip
    wrong = mailbox_of(outbox, office_at(port, "smtp+starttls", "ada:wrong@", trusting))
    await post(wrong, outbox)
    await wrong.deliver()
    (row,) = await run_sql(database, "SELECT state, last_error FROM mails")
    assert row["state"] == "failed"
    assert row["last_error"].startswith("535 ")
    assert "wrong" not in row["last_error"]
    await make_due(database)
    right = mailbox_of(outbox, office_at(port, "smtp+starttls", "ada:s3cret%20pass@", trusting))
    await right.deliver()
    assert len(server.taken) == 1
    assert seen[-1] == b"s3cret pass"


async def test_a_server_that_offers_no_tls_where_it_is_asked_for_gets_nothing(
    database: str, outbox: Database, server: Server
) -> None:
    mailbox = mailbox_of(outbox, office_at(await server.start(), "smtp+starttls", "ada:s3cret@"))
    await post(mailbox, outbox)
    await mailbox.deliver()
    assert server.taken == []
    assert await states(database) == [("ada@example.com", "failed", 1)]


async def test_a_demo_prints_its_mail_and_its_owner_may_read_it(outbox: Database) -> None:
    said: list[str] = []
    mailbox = mailbox_of(outbox, PrintedOffice(said.append))
    await post(mailbox, outbox)
    await mailbox.deliver()
    assert f"{CONSOLE}/verify#token=tok-en" in said[0]
    assert "ada@example.com" in said[0]
    (row,) = await mailbox.mails(state=None, after_time=None, after_id=None, limit=10)
    assert "tok-en" in (await mailbox.read(row.mail_id)).text


async def test_without_a_mail_server_nothing_is_kept(database: str, outbox: Database) -> None:
    mailbox = mailbox_of(outbox, None)
    await post(mailbox, outbox)
    assert not mailbox.is_configured
    assert await states(database) == []
