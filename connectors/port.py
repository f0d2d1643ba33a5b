"""What every kind of connector looks like to the deliver lanes."""

from dataclasses import dataclass
from typing import Literal, Protocol

from crossdock.kernel.event import Event

Outcome = Literal["delivered", "retry", "throttled", "permanent"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one attempt.

    `status` is the target's own (0 when it gave none); `detail` is text for people; `retry_after` is in seconds
    and set only when throttled.
    """

    outcome: Outcome
    status: int
    detail: str
    retry_after: float = 0.0


class Connector(Protocol):
    """One open destination; its failures are results, never exceptions."""

    async def deliver(self, event: Event, key: str) -> Result:
        """Make one attempt; `key` is the same for every attempt and replay of this event on this route."""

    async def close(self) -> None:
        """Let go of connections; attempts under way may fail."""
