"""What an operator may change in the requests of one channel: members of the body, headers, how long to wait.

What a rule may not touch is said where rules are applied (providers/overrides.py).
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct

Action = Literal["set", "default", "remove"]
"""`set`: this value whatever was there. `default`: where nothing was. `remove`: nothing."""

Path = Annotated[str, Meta(min_length=1, max_length=200)]
"""Names of members from the outside in, with dots between them; a dot within a name is written `\\.`."""
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
HeaderValue = Annotated[str, Meta(pattern=r"^[\x21-\x7e]([\x20-\x7e]{0,998}[\x21-\x7e])?$")]
Names = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(max_length=200)]
Seconds = Annotated[int, Meta(ge=1, le=3600)]


class When(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which calls a rule is for; what is left out holds for all."""

    models: Names = ()
    """Public names."""
    endpoints: Names = ()
    """As the provider is asked, after translation."""
    is_streaming: bool | None = None

    def holds(self, model: str, endpoint: str, *, is_streaming: bool) -> bool:
        return (
            (not self.models or model in self.models)
            and (not self.endpoints or endpoint in self.endpoints)
            and (self.is_streaming is None or self.is_streaming == is_streaming)
        )


class BodyRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A change of the JSON that goes out. `value` is any JSON, null included; `remove` has none."""

    action: Action
    path: Path
    value: Any = UNSET
    when: When = When()


class HeaderRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A change of the headers that go out. `remove` has no value."""

    action: Action
    name: HeaderName
    value: HeaderValue | None = None
    when: When = When()


class ChannelTimeouts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How long to wait for this upstream, where policy `routing` is not right for it."""

    connect_seconds: Seconds | None = None
    first_byte_seconds: Seconds | None = None
    idle_seconds: Seconds | None = None
    total_seconds: Annotated[int, Meta(ge=1, le=86_400)] | None = None
    """From the beginning of an attempt to the last byte of its answer; what was reported until then is charged."""
