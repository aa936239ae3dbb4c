"""Every provider this build can talk to, by the name that a channel carries."""

from typing import Final

from airouter.providers.anthropic import AnthropicProvider
from airouter.providers.azure import AzureProvider
from airouter.providers.bedrock import BedrockProvider
from airouter.providers.cohere import CohereProvider
from airouter.providers.contract import Provider
from airouter.providers.exchanged import Exchanging
from airouter.providers.gemini import GeminiProvider
from airouter.providers.openai import OpenAIProvider
from airouter.providers.vendors import VENDORS
from airouter.providers.vertex import VertexAnthropicProvider, VertexProvider
from airouter.world import now

SCRIPTED: Final = "scripted"
"""The provider whose upstream lives in this process (scripted.py). It speaks OpenAI's dialect like the others."""

_AZURE: Final = AzureProvider("azure-openai", VENDORS["azure-openai"])
_VERTEX: Final = VertexProvider()
_VERTEX_ANTHROPIC: Final = VertexAnthropicProvider()
_OWN: Final[dict[str, Provider]] = {
    "anthropic": AnthropicProvider(),
    "bedrock": BedrockProvider(now),
    "cohere": CohereProvider(),
    "azure-openai": _AZURE,
    "gemini": GeminiProvider(),
    "vertex": _VERTEX,
    "vertex-anthropic": _VERTEX_ANTHROPIC,
}
"""Those with a dialect or an authorisation of their own."""

PROVIDERS: Final[dict[str, Provider]] = {
    name: _OWN.get(name) or OpenAIProvider(name, vendor) for name, vendor in VENDORS.items()
}
"""One for each row of vendors.py; most speak OpenAI's dialect and differ as their row says."""

EXCHANGING: Final[dict[str, Exchanging]] = {one.name: one for one in (_AZURE, _VERTEX, _VERTEX_ANTHROPIC)}
"""Those some of whose credentials are exchanged for tokens first."""
