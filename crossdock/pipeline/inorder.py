"""Keeps the order of a stream that is consumed whole when messages get lost on the way; the worker's batches pass it."""

from collections.abc import Callable, Sequence

from crossdock.kernel.stream import Message

PATIENCE = 20.0  # seconds; a lost message comes again long before, so one that does not was deleted from the stream


class InOrder:
    """Lets messages pass in the order of their sequences; what comes before its turn waits here, unacknowledged."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = 0
        self._early: dict[int, Message] = {}
        self._since = 0.0

    def take(self, messages: Sequence[Message]) -> list[Message]:
        """Return what may be worked on now: of these messages, and of those that were waiting for them."""
        if not self._early:
            self._since = self._clock()
        self._early |= {message.seq: message for message in messages}
        if not self._next or self._clock() - self._since > PATIENCE:
            self._next = max(self._next, min(self._early, default=0))
        passed = []
        for seq in sorted(self._early):
            if seq > self._next:
                break
            self._next = max(self._next, seq + 1)
            passed.append(self._early.pop(seq))
        if passed:
            self._since = self._clock()
        return passed
