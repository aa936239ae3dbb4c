"""Whether this process may take traffic, and if not, why. Its parts register what they know about themselves."""

from collections.abc import Awaitable, Callable

Check = Callable[[], Awaitable[str | None]]
"""None: fine; else the reason in words."""


class Readiness:
    """Asked by `/readyz`."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def register(self, name: str, check: Check) -> None:
        """A part of the process that has to be well before traffic may come."""
        self._checks[name] = check

    async def reasons(self) -> dict[str, str]:
        """What stands against traffic, by part; empty: ready."""
        found: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                reason = await check()
            except Exception as error:  # noqa: BLE001 - a check that breaks is a reason, too
                reason = f"the check failed: {type(error).__name__}"
            if reason is not None:
                found[name] = reason
        return found
