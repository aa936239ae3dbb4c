"""When an answer is one, by one rule for every dialect, whole or streamed, passed through or translated.

Each dialect has a list in which it puts what is said: choices, blocks, items, candidates, vectors. With something in it
an answer is one, and so is one that says what was used, be the list empty. What has neither said nothing: it is as
good as none, another channel is asked, and nothing is charged.
"""

from collections.abc import Callable

from airouter.providers.contract import Answered, Kept, Reported
from airouter.wire.owner_ids import error_without_owner_ids
from airouter.wire.prompt import estimated_tokens


def has_figures(reported: Reported | None) -> bool:
    """What was used was said, and can be true."""
    return reported is not None and reported.quantities is not None


def says_something(reported: Reported | None, *, has_content: bool) -> bool:
    """The rule."""
    return has_content or has_figures(reported)


def answered(
    body: bytes,
    reported: Reported | None,
    *,
    has_shape: bool,
    has_content: bool,
    written_bytes: Callable[[], int] = lambda: 0,
    kept: Kept | None = None,
) -> Answered:
    """A whole answer, read. `has_shape`: it is one of its dialect, and says of no error.

    `written_bytes` is asked for only where figures are missing: how much of the answer the model wrote.
    """
    is_empty = has_shape and not says_something(reported, has_content=has_content)
    return Answered(
        body=body if has_shape else error_without_owner_ids(body),
        reported=reported,
        is_proper=has_shape and not is_empty,
        is_empty=is_empty,
        written_tokens=0 if has_figures(reported) else estimated_tokens(written_bytes()),
        kept=kept,
    )
