"""How many records the next sync carries: fewer while Postgres refuses the content, until the bad one is found."""

from collections.abc import Sequence

from airouter.domain.ids import RequestId


class Batch:
    """A search by halves among the pending records, which stay in their order."""

    def __init__(self, full: int) -> None:
        self.size_max = full
        """The next sync carries at most so many records: `full`, unless something is being looked for."""
        self.is_bare = False
        """Not even a sync without records passed: the next one asks for nothing, so that the node lives on."""
        self._full = full
        self._suspect: RequestId | None = None
        """Refused alone. It is proven bad when a sync without it passes and it is refused again."""

    def refused(self, records: Sequence[RequestId]) -> bool:
        """A sync with these was rolled back because of its content. Whether the first of them is proven bad."""
        if len(records) > 1:
            self.size_max = len(records) // 2
            return False
        if not records:
            self.is_bare = True
            return False
        if self._suspect != records[0]:
            self._suspect = records[0]
            self.size_max = 0
            return False
        self._suspect = None
        return True

    def passed(self, size: int) -> None:
        """A sync with so many records was confirmed."""
        self.is_bare = False
        if self.size_max >= self._full:
            return
        if self.size_max == 0:
            self.size_max = 1  # the suspect alone
        elif size:
            self._suspect = None
            self.size_max = min(self._full, self.size_max * 2)
