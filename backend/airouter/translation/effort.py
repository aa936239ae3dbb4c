"""How hard to think, in the words of one dialect and the figures of another.

An effort is a share of the output allowance: the more a model may write, the more of it may be thought. The shares are
ours; no vendor says what its words mean in tokens.
"""

from typing import Final, get_args

from airouter.domain.errors import InvalidRequest
from airouter.translation.conversation import Effort, Thinking

BUDGET_MIN: Final = 1024
"""The least that Anthropic accepts."""
_TENTHS: Final[dict[Effort, int]] = {"minimal": 1, "low": 2, "medium": 5, "high": 8, "xhigh": 9, "max": 9}
_EFFORTS: Final = frozenset(get_args(Effort))


def check_effort(effort: str | None, field: str) -> Effort | None:
    """A word that means an effort; `default` (Groq) and `auto` mean none in particular. Raises InvalidRequest."""
    if effort in {None, "default", "auto"}:
        return None
    if effort not in _EFFORTS:
        raise InvalidRequest(f"{field}: one of {', '.join(get_args(Effort))}.", field=field)
    return effort  # type: ignore[return-value]


def budget_for(thinking: Thinking, allowance: int) -> int | None:
    """Tokens to think with, of an output allowance; None: no thinking is asked for, or there is no room for any."""
    if thinking.budget_tokens is not None:
        return min(thinking.budget_tokens, allowance - 1) if thinking.budget_tokens > 0 else None
    if thinking.effort is None or thinking.effort == "none":
        return None
    budget = max(BUDGET_MIN, allowance * _TENTHS[thinking.effort] // 10)
    return budget if budget < allowance else None


def effort_for(thinking: Thinking | None) -> Effort | None:
    """The word that comes nearest, where only words are understood; budgets are compared with a usual allowance."""
    if thinking is None:
        return None
    if thinking.effort is not None:
        return thinking.effort
    if thinking.budget_tokens is None:
        return None
    if thinking.budget_tokens <= 0:
        return "none"
    return "low" if thinking.budget_tokens <= 2 * BUDGET_MIN else "medium" if thinking.budget_tokens <= 8192 else "high"
