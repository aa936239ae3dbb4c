"""How Anthropic's models are told to think, whoever serves them.

Up to version 4.6 they take a budget in tokens. Later ones refuse that, and every member that says how words are drawn;
they take an effort in words (platform.claude.com, "What's new in Claude Opus 4.7", 2026; recorded for 4.7 and 5). A
model whose name does not say its version is asked as the earlier ones, like the servers that imitate them.
"""

import re
from typing import Any, Final

from airouter.translation.conversation import Conversation, Effort, Part, Reasoning, ToolResult
from airouter.translation.effort import budget_for, effort_for
from airouter.translation.support import Dialect

_VERSION: Final = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_LAST_WITH_BUDGET: Final = (4, 6)
_WORDS: Final[dict[Effort, str]] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}


def is_adaptive(model: str) -> bool:
    """It decides itself how much to think, and how its words are drawn."""
    found = _VERSION.search(model)
    return found is not None and (int(found[1]), int(found[2] or 0)) > _LAST_WITH_BUDGET


def thinking(conversation: Conversation, allowance: int, vendor: Dialect) -> dict[str, Any]:
    """`thinking`, and the effort beside it; empty: the model is not asked to think.

    No thinking beside a forced tool, nor, with a budget, in the middle of tool use whose thought is not at hand: it is
    refused there.
    """
    asked, choice = conversation.thinking, conversation.tool_choice
    if asked is None or (choice is not None and choice.mode in {"required", "named"}):
        return {}
    if not is_adaptive(conversation.model):
        budget = None if _lost_its_thought(conversation, vendor) else budget_for(asked, allowance)
        return {} if budget is None else {"thinking": {"type": "enabled", "budget_tokens": budget}}
    word = _WORDS.get(effort_for(asked) or "none")
    if word is None:
        return {}
    how: dict[str, Any] = {"type": "adaptive"}
    if vendor == "anthropic" and asked.is_shown is not False:  # they keep their thoughts to themselves otherwise
        how["display"] = "summarized"
    return {"thinking": how, "output_config": {"effort": word}}


def _lost_its_thought(conversation: Conversation, vendor: Dialect) -> bool:
    last = next((turn for turn in reversed(conversation.turns) if turn.role == "assistant"), None)
    goes_on = bool(conversation.turns) and any(isinstance(part, ToolResult) for part in conversation.turns[-1].parts)
    return goes_on and last is not None and not any(_is_thought_of(part, vendor) for part in last.parts)


def _is_thought_of(part: Part, vendor: Dialect) -> bool:
    return isinstance(part, Reasoning) and part.vendor == vendor
