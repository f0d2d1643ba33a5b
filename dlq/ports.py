"""What replay needs of the outside world."""

from typing import Protocol

from dlq.record import DeadLetter


class Letters(Protocol):
    """The stored dead letters."""

    async def get(self, seq: int) -> DeadLetter | None:
        """Return the dead letter stored under a sequence of DLQ, or None when it is gone."""
