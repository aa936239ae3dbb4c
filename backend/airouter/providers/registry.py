"""Every provider this build can talk to, by the name that a channel carries."""

from typing import Final

from airouter.providers.anthropic import AnthropicProvider
from airouter.providers.contract import Provider
from airouter.providers.gemini import GeminiProvider
from airouter.providers.openai import OpenAIProvider
from airouter.providers.reporting import VENDORS

SCRIPTED: Final = "scripted"
"""The provider whose upstream lives in this process (scripted.py). It speaks OpenAI's dialect like the others."""

PROVIDERS: Final[dict[str, Provider]] = {
    **{name: OpenAIProvider(name, habits) for name, habits in VENDORS.items()},
    "anthropic": AnthropicProvider(),
    "gemini": GeminiProvider(),
}
"""Most speak OpenAI's dialect and differ in how they report usage (reporting.py)."""
