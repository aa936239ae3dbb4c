"""Tool calls one after the other, for dialects whose calls cannot grow side by side: some vendors mix parallel ones."""

from airouter.translation.json_text import is_object
from airouter.translation.reply import CallBegan, CallDelta, Stopped

CallEvent = CallBegan | CallDelta | Stopped


def check_is_over(event: CallDelta) -> bytes:
    """Nothing is left to be said of a call that has been closed.

    Raises:
        ValueError: there is.
    """
    if event.arguments.strip():
        raise ValueError("a call went on after it was whole")
    return b""


class CallOrder:
    """Holds what is said of a call back until the call before it is whole. One for each choice of a stream.

    A call is whole when its arguments are a JSON object, or when the model has stopped.
    """

    __slots__ = ("_arguments", "_held", "_open")

    def __init__(self) -> None:
        self._open: int | None = None
        self._arguments: list[str] = []
        self._held: dict[int, list[CallEvent]] = {}
        """In the order in which they began."""

    def ordered(self, event: CallEvent) -> list[CallEvent]:
        """What can be said now. More of a call that was whole before comes out as it is, and fits nowhere."""
        match event:
            case Stopped():
                out = [held for events in self._held.values() for held in events]
                self._held.clear()
                self._open = None
                return [*out, event]
            case CallBegan() if self._is_open():
                self._held[event.number] = [event]
                return []
            case CallDelta() if event.number in self._held:
                self._held[event.number].append(event)
                return []
            case _:
                return [event, *self._said(event)]

    def _said(self, event: CallBegan | CallDelta) -> list[CallEvent]:
        """Take note; what follows of those that waited for this."""
        if isinstance(event, CallBegan):
            self._open, self._arguments = event.number, []
        elif event.number == self._open:
            self._arguments.append(event.arguments)
        out: list[CallEvent] = []
        while self._held and not self._is_open():
            out += self._release()
        return out

    def _release(self) -> list[CallEvent]:
        self._open = next(iter(self._held))
        events = self._held.pop(self._open)
        self._arguments = [event.arguments for event in events if isinstance(event, CallDelta)]
        return events

    def _is_open(self) -> bool:
        return self._open is not None and not is_object("".join(self._arguments))
