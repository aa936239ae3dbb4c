"""How hard to think, in the words of one dialect and the figures of another.

An effort is a share of the output allowance: the more a model may write, the more of it may be thought. The shares are
ours; no vendor says what its words mean in tokens.
"""

from typing import Final, get_args

from airouter.domain.errors import InvalidRequest
from airouter.translation.conversation import Conversation, Effort, Part, Reasoning, Thinking, ToolResult
from airouter.translation.support import Dialect

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


def budget_beside_tools(conversation: Conversation, allowance: int, vendor: Dialect) -> int | None:
    """The budget for one of Anthropic's models, whoever serves it; None: it is not to think.

    No thinking beside a forced tool, nor in the middle of tool use whose thought is not at hand: it is refused there.
    """
    if conversation.thinking is None:
        return None
    choice = conversation.tool_choice
    if choice is not None and choice.mode in {"required", "named"}:
        return None
    last = next((turn for turn in reversed(conversation.turns) if turn.role == "assistant"), None)
    goes_on = bool(conversation.turns) and any(isinstance(part, ToolResult) for part in conversation.turns[-1].parts)
    if goes_on and last is not None and not any(_is_thought_of(part, vendor) for part in last.parts):
        return None
    return budget_for(conversation.thinking, allowance)


def _is_thought_of(part: Part, vendor: Dialect) -> bool:
    return isinstance(part, Reasoning) and part.vendor == vendor


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
