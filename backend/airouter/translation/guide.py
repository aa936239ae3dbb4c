"""The table of support.py as people read it in docs/guide/dialects.md."""

from typing import Final, get_args

from airouter.translation.support import RULES, Dialect, Feature

_HEADS: Final[dict[Dialect, str]] = {
    "chat": "chat completions",
    "responses": "responses",
    "anthropic": "Anthropic",
    "gemini": "Gemini",
    "bedrock": "Bedrock",
    "cohere": "Cohere",
}
_MARKS: Final = {"carried": "✓", "dropped": "–", "refused": "✗"}
SPOKEN: Final[tuple[Dialect, ...]] = ("chat", "responses", "anthropic", "gemini", "bedrock", "cohere")
"""The dialects that a provider of this version can be asked in."""


def table(dialects: tuple[Dialect, ...] = SPOKEN) -> str:
    """A row for each feature, a column for each dialect of a provider; reasons are numbered below."""
    reasons: dict[str, int] = {}
    rows = [
        "| what a request asks for | " + " | ".join(_HEADS[dialect] for dialect in dialects) + " |",
        "|---|" + "---|" * len(dialects),
    ]
    for feature in get_args(Feature):
        cells: list[str] = []
        for dialect in dialects:
            rule = RULES[dialect][feature]
            note = f" {reasons.setdefault(rule.why, len(reasons) + 1)}" if rule.why else ""
            cells.append(_MARKS[rule.fate] + note)
        rows.append(f"| `{feature}` | " + " | ".join(cells) + " |")
    notes = [f"{number}. {why}" for why, number in reasons.items()]
    return "\n".join([*rows, "", *notes]) + "\n"
