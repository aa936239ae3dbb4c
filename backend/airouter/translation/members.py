"""Looking into a client's JSON: each look says what shape it expects, and names the member that has another."""

from collections.abc import Container, Mapping
from typing import Any

from airouter.domain.errors import InvalidRequest
from airouter.translation.conversation import CacheFor
from airouter.translation.support import Feature


class Members:
    """The members of one object. A null is a member that is not there."""

    def __init__(self, given: Mapping[str, Any], where: str = "") -> None:
        self._given = given
        self._where = where

    def value(self, name: str) -> Any:
        """Whatever it is."""
        return self._given.get(name)

    def text(self, name: str) -> str | None:
        """A text."""
        return self._expect(name, str, "a text")

    def flag(self, name: str) -> bool | None:
        """True or false."""
        return self._expect(name, bool, "true or false")

    def integer(self, name: str) -> int | None:
        """A whole number; 12.0 is one."""
        value = self.number(name)
        if value is None:
            return None
        if isinstance(value, float) and not value.is_integer():
            raise self._wrong(name, "a whole number")
        return int(value)

    def number(self, name: str) -> float | None:
        """A number."""
        value = self._given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, "a number")
        return value

    def mapping(self, name: str) -> dict[str, Any] | None:
        """An object, as it is."""
        return self._expect(name, dict, "an object")

    def inner(self, name: str) -> "Members":
        """An object to look into; an empty one where there is none."""
        return Members(self.mapping(name) or {}, self._place(name))

    def inner_text(self, name: str, member: str) -> str | None:
        """A text, or the text of that name inside an object: both spellings of `image_url` are in use."""
        value = self._given.get(name)
        return value if isinstance(value, str) else self.inner(name).text(member)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; a text alone is a list of one."""
        value = self._given.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, "a text or a list of texts")
        return tuple(value)

    def objects(self, name: str) -> list["Members"]:
        """A list of objects."""
        value = self._given.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        found: list[Members] = []
        for number, item in enumerate(value):
            if not isinstance(item, dict):
                raise self._wrong(f"{name}[{number}]", "an object")
            found.append(Members(item, self._place(f"{name}[{number}]")))
        return found

    def parts(self, name: str) -> list["Members"]:
        """Content: a list of parts, where a text alone stands for one part of text."""
        value = self._given.get(name)
        return [Members({"type": "text", "text": value})] if isinstance(value, str) else self.objects(name)

    def cache_mark(self) -> CacheFor | None:
        """`cache_control`, as Anthropic spells it; some clients of OpenAI's dialect send it too."""
        mark = self._given.get("cache_control")
        if not isinstance(mark, dict):
            return None
        return "1h" if mark.get("ttl") == "1h" else "5m"

    def beyond(self, features: Mapping[str, Feature], known: Container[str]) -> dict[Feature, str]:
        """The features that members outside `known` ask for; a member nobody knows is `unknown`."""
        found: dict[Feature, str] = {}
        for name, value in self._given.items():
            if value is None or value in ([], {}) or name in known:
                continue
            feature = features.get(name, "unknown")
            if name not in features:
                name = f"{found['unknown']}, {name}" if "unknown" in found else name  # noqa: PLW2901
            found[feature] = name
        return found

    def others(self, known: Container[str]) -> list[str]:
        """The names of members outside `known`."""
        return [name for name, value in self._given.items() if value is not None and name not in known]

    def __contains__(self, name: str) -> bool:
        return self._given.get(name) is not None

    def _place(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def _expect(self, name: str, kind: type[Any], words: str) -> Any:
        value = self._given.get(name)
        if value is not None and not isinstance(value, kind):
            raise self._wrong(name, words)
        return value

    def _wrong(self, name: str, words: str) -> InvalidRequest:
        place = self._place(name)
        return InvalidRequest(f"{place}: this must be {words}.", field=place)
