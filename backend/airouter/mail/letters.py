"""Letters: one file for each language, from which the text and the HTML of a mail are made in the same words.

    letters/<en|zh>/<letter>.txt:

        Subject: Confirm your address for {site}

        Hello,

        somebody joined {site} with this address.

        [Confirm the address]({link})

A blank line parts paragraphs. A paragraph that is `[words]({fact})` alone becomes a button, and in the text the words
with the link below. `{name}` is a fact: all that stand in the file have to be given with `post`; `{site}` (what the
operator calls the place) and `{console}` (its address) are always there. Nothing else is markup: what a fact says is
escaped, kept to one line, cut at 200 characters, and cannot pass for a link. Facts named `link` or `…_link`, and
`console`, are the addresses. A fact named `outcome` is a code, told in the words of mail/outcomes.py.
"""

import html
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from airouter.mail.outcomes import OUTCOMES

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

_FOLDER: Final = Path(__file__).parent / "letters"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_FACT: Final = re.compile(r"\{([a-z_]+)\}")
_BUTTON: Final = re.compile(r"\[([^\]]+)\]\(\{([a-z_]+)\}\)")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_FACT_LENGTH_MAX: Final = 200
_ALWAYS: Final = frozenset({"site", "console"})


class LetterUnknown(LookupError):
    """No file of this name: a mistake of ours."""


class FactMissing(LookupError):
    """A letter was posted without something that stands in it: a mistake of ours."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter in one language."""

    subject: str
    paragraphs: tuple[str, ...]

    @property
    def facts(self) -> frozenset[str]:
        """What has to be given."""
        return frozenset(_FACT.findall("\n".join((self.subject, *self.paragraphs)))) - _ALWAYS


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A letter with its facts."""

    subject: str
    text: str
    html: str


def language_of(locale: str | None) -> Language:
    """The language we have that is nearest to a person's."""
    return "zh" if locale is not None and locale.lower().partition("-")[0] == "zh" else "en"


def letters() -> frozenset[str]:
    """The name of every letter."""
    return frozenset(path.stem for path in (_FOLDER / "en").glob("*.txt"))


@lru_cache(maxsize=256)
def read_letter(letter: str, language: Language) -> Letter:
    """Raises LetterUnknown."""
    path = _FOLDER / language / f"{letter}.txt"
    if not _NAME.fullmatch(letter) or not path.is_file():
        raise LetterUnknown(f"there is no letter {letter!r} in {language!r}")
    head, *paragraphs = re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip())
    assert head.startswith("Subject: "), f"{path.name} does not begin with its subject"
    return Letter(subject=head.removeprefix("Subject: ").strip(), paragraphs=tuple(paragraphs))


def write(letter: str, locale: str | None, facts: Mapping[str, object]) -> Written:
    """The letter as this person reads it.

    Raises:
        LetterUnknown, FactMissing
    """
    language = language_of(locale)
    found = read_letter(letter, language)
    missing = (found.facts | _ALWAYS) - facts.keys()
    if missing:
        raise FactMissing(f"the letter {letter!r} needs {', '.join(sorted(missing))}")
    words = OUTCOMES[language]
    told = {name: words.get(str(value), value) if name == "outcome" else value for name, value in facts.items()}
    said = {name: _one_line(name, value) for name, value in told.items()}
    subject = _fill(found.subject, said)
    return Written(
        subject=subject,
        text="\n\n".join(_paragraph_as_text(paragraph, said) for paragraph in found.paragraphs) + "\n",
        html=_page(language, subject, [_paragraph_as_html(paragraph, said) for paragraph in found.paragraphs]),
    )


def _one_line(name: str, value: object) -> str:
    line = _CONTROL.sub(" ", str(value)).strip()
    if name in {"link", "console"} or name.endswith("_link"):
        return line
    # A name may be chosen by a stranger: mail programs must not make a link of it.
    return line[:_FACT_LENGTH_MAX].replace("://", ": //")


def _fill(template: str, said: Mapping[str, str]) -> str:
    return _FACT.sub(lambda found: said[found[1]], template)


def _paragraph_as_text(paragraph: str, said: Mapping[str, str]) -> str:
    button = _BUTTON.fullmatch(paragraph)
    if button is not None:
        return f"{_fill(button[1], said)}:\n{said[button[2]]}"
    return _fill(paragraph, said)


def _paragraph_as_html(paragraph: str, said: Mapping[str, str]) -> str:
    button = _BUTTON.fullmatch(paragraph)
    if button is not None:
        link, label = html.escape(said[button[2]]), html.escape(_fill(button[1], said))
        return (
            f'<p style="margin:24px 0"><a href="{link}" style="{_BUTTON_STYLE}">{label}</a></p>'
            f'<p style="{_SMALL_STYLE}">{link}</p>'
        )
    escaped = {name: html.escape(value) for name, value in said.items()}
    return f'<p style="margin:0 0 16px">{_fill(html.escape(paragraph), escaped).replace(chr(10), "<br>")}</p>'


# Colours that hold on white and on black: mail programs turn a page dark as they like.
_BODY_STYLE: Final = (
    "margin:0;padding:24px;font-family:-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei',sans-serif;"
    "font-size:15px;line-height:1.6"
)
_BUTTON_STYLE: Final = (
    "display:inline-block;padding:10px 18px;border-radius:6px;background:#4a4fc4;color:#ffffff;"
    "text-decoration:none;font-weight:600"
)
_SMALL_STYLE: Final = "margin:0 0 16px;font-size:12px;word-break:break-all;opacity:0.75"


def _page(language: Language, subject: str, paragraphs: list[str]) -> str:
    tag = "zh-CN" if language == "zh" else "en"
    return (
        f'<!doctype html><html lang="{tag}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{html.escape(subject)}</title></head>"
        f'<body style="{_BODY_STYLE}"><div style="max-width:520px;margin:0 auto">{"".join(paragraphs)}</div>'
        "</body></html>\n"
    )
