"""What every policy topic is."""

from typing import Annotated

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(max_length=120)]
Link = Annotated[str, Meta(max_length=2000)]
Seconds = Annotated[int, Meta(ge=1, le=3600)]


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator edits as a whole while the gateway runs. A field that is not enforced does not exist."""

    def check(self) -> None:
        """What types cannot say. Raises InvalidRequest with the `field`."""

    def needs_mail(self) -> str | None:
        """The field that promises a mail; None: this can be followed without a mail server."""
        return None
