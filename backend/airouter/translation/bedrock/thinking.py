"""How hard to think: Converse has no word for it, so each family of models is told in its own."""

from collections.abc import Callable
from typing import Any, Final

from airouter.translation import claude
from airouter.translation.conversation import Conversation
from airouter.translation.effort import effort_for

_LEVELS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
Written = dict[str, Any]


def written(conversation: Conversation, allowance: int) -> Written:
    """Members of `additionalModelRequestFields`; empty: the model is left to itself."""
    if conversation.thinking is None:
        return {}
    family = _family(conversation.model)
    return {} if family is None else family(conversation, allowance)


def _claude(conversation: Conversation, allowance: int) -> Written:
    return claude.thinking(conversation, allowance, "bedrock")


def _nova(conversation: Conversation, allowance: int) -> Written:
    """The highest effort is refused beside a limit of the output (Nova 2's user guide, 2026)."""
    del allowance
    level = _level(conversation)
    if level is None:
        return {}
    if level == "high" and conversation.max_output_tokens is not None:
        level = "medium"
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": level}}


def _gpt_oss(conversation: Conversation, allowance: int) -> Written:
    """It cannot be kept from thinking."""
    del allowance
    return {"reasoning_effort": _level(conversation) or "low"}


def _qwen(conversation: Conversation, allowance: int) -> Written:
    del allowance
    level = _level(conversation)
    return {} if level is None else {"reasoning_config": level}


def _level(conversation: Conversation) -> str | None:
    return _LEVELS.get(effort_for(conversation.thinking) or "")


_FAMILIES: Final[tuple[tuple[str, Callable[[Conversation, int], Written]], ...]] = (
    ("anthropic.claude", _claude),
    ("amazon.nova-2", _nova),
    ("openai.gpt-oss", _gpt_oss),
    ("qwen.qwen3", _qwen),
)
"""What the name of a model contains, whatever region's prefix stands before it. Qwen's from recorded calls."""


def _family(model: str) -> Callable[[Conversation, int], Written] | None:
    return next((write for mark, write in _FAMILIES if mark in model), None)
