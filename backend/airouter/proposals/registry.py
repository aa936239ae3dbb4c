"""Every list that can be read from bytes, by its public name."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

from airouter.domain.errors import InvalidRequest
from airouter.domain.proposal import PriceListing
from airouter.proposals import litellm, models_dev, pricing_page

Source = Literal["shipped", "litellm", "models_dev", "pricing_page"]

KNOWN_ADDRESSES: Final[Mapping[Source, str]] = {
    "litellm": "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json",
    "models_dev": "https://models.dev/api.json",
}
"""Where a list is published. Nothing is fetched unless an operator asks for it."""

_READERS: Final[Mapping[str, Callable[[bytes], PriceListing]]] = {
    "litellm": litellm.read,
    "models_dev": models_dev.read,
}


def read_listing(source: Source, content: bytes, group: str | None) -> PriceListing:
    """What the document says.

    Raises:
        InvalidRequest: it is no such list, or a group was named that it does not have.
    """
    if source == "pricing_page":
        return pricing_page.read(content, group)
    if group is not None:
        raise InvalidRequest("group: only the price list of another site has groups.", field="group")
    return _READERS[source](content)
