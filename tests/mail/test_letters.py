"""Every letter can be written in every language, says the same in text and HTML, and believes no fact."""

import re

import pytest

from airouter.domain.order import ALARMING
from airouter.mail import letters
from airouter.mail.addresses import AddressUnusable, address_of
from airouter.mail.letters import LANGUAGES, FactMissing, LetterUnknown, language_of, read_letter, write
from airouter.mail.post_office import Mail, compose
from airouter.mail.server import MailServerInvalid, parse_server
from airouter.world import new_id

EVERY = [(letter, language) for letter in sorted(letters.letters()) for language in LANGUAGES]
ALWAYS = {"site": "Acme", "console": "https://console.example.com"}
HOSTILE = '<b>&"\r\nBcc: victim@example.com\r\n\r\nhttp://evil.example {link}'


def facts_of(letter: str, language: str, value: str = "said") -> dict[str, object]:
    named = read_letter(letter, language).facts
    return {**ALWAYS, **{name: "https://c.example/x?token=1" if "link" in name else value for name in named}}


@pytest.mark.parametrize(("letter", "language"), EVERY)
def test_letter_carries_its_facts_in_text_and_html(letter: str, language: str) -> None:
    facts = facts_of(letter, language)
    written = write(letter, language, facts)
    for name in read_letter(letter, language).facts:
        assert str(facts[name]) in written.subject + written.text
        assert str(facts[name]) in written.html
    assert not re.search(r"\{[a-z_]+\}", written.subject + written.text)


@pytest.mark.parametrize(("letter", "language"), EVERY)
def test_letter_without_one_of_its_facts_is_not_written(letter: str, language: str) -> None:
    for name in read_letter(letter, language).facts:
        facts = facts_of(letter, language)
        del facts[name]
        with pytest.raises(FactMissing, match=name):
            write(letter, language, facts)


@pytest.mark.parametrize(("letter", "language"), EVERY)
def test_what_strangers_chose_is_neither_markup_nor_a_header_nor_a_link(letter: str, language: str) -> None:
    written = write(letter, language, {**facts_of(letter, language, HOSTILE), "site": HOSTILE})
    assert "<b>" not in written.html
    assert "http://evil" not in written.html + written.text + written.subject
    assert "\n" not in written.subject
    message = compose(Mail(mail_id=new_id(), to="a@example.com", written=written), address_of("Acme <no@example.com>"))
    assert message["Bcc"] is None
    assert message.as_bytes()


@pytest.mark.parametrize("letter", sorted(letters.letters()))
def test_every_language_tells_the_same_facts(letter: str) -> None:
    assert len({read_letter(letter, language).facts for language in LANGUAGES}) == 1


@pytest.mark.parametrize("outcome", sorted(ALARMING))
def test_what_became_of_a_payment_is_told_in_the_words_of_the_letters_language(outcome: str) -> None:
    facts = {**ALWAYS, "method": "卡", "outcome": outcome, "order": "–", "link": "https://c.example/x"}
    chinese = write("payment_review", "zh", {**facts, "site": "网关"})
    for part in (chinese.subject, chinese.text.replace("https://c.example/x", "")):
        assert not re.search(r"[A-Za-z]", part)
    body = re.sub(r"<[^>]*>", "", chinese.html.replace("https://c.example/x", ""))
    assert not re.search(r"[A-Za-z]", body)
    english = write("payment_review", "en", facts)
    assert outcome not in english.text, "a code is for machines"


def test_locale_without_a_language_of_ours_reads_english() -> None:
    assert [language_of(locale) for locale in (None, "de", "en-GB", "zh-CN", "zh")] == ["en", "en", "en", "zh", "zh"]


@pytest.mark.parametrize("name", ["nothing", "../verify_email", "Verify_email", ""])
def test_unknown_letter_is_a_mistake_of_ours(name: str) -> None:
    with pytest.raises(LetterUnknown):
        read_letter(name, "en")


@pytest.mark.parametrize("address", ["a@example.com\r\nBcc: b@example.com", "a@b@c, d@e", "nobody", "@example.com", ""])
def test_address_that_would_become_something_else_is_refused(address: str) -> None:
    with pytest.raises(AddressUnusable):
        address_of(address)


def test_international_domain_travels_as_ascii() -> None:
    assert address_of("a@bücher.example").addr_spec == "a@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("smtp://mail.example.com", "smtp://mail.example.com:25"),
        ("smtps://ada:s%40crt@mail.example.com", "smtps://ada:***@mail.example.com:465"),
        ("smtp+starttls://ada:x@mail.example.com:2587", "smtp+starttls://ada:***@mail.example.com:2587"),
    ],
)
def test_server_is_named_without_its_password(url: str, said: str) -> None:
    server = parse_server(url)
    assert str(server) == said
    assert said in repr(server)


@pytest.mark.parametrize(
    "url",
    ["smtp://ada:secret@mail.example.com", "http://mail.example.com", "smtp://", "smtp://h/path", "smtp://h:port"],
)
def test_server_that_would_hear_a_password_in_the_clear_or_is_none_is_refused(url: str) -> None:
    with pytest.raises(MailServerInvalid) as refused:
        parse_server(url)
    assert "secret" not in str(refused.value)
