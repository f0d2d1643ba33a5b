"""What alerts need of the outside world."""

from collections.abc import Mapping
from typing import Protocol

from alerts.notice import Notice
from alerts.spec import Channel, Condition

Figures = Mapping[str, float | None]  # by subject, such as `route stock-to-erp`; None while nobody can tell


class Observer(Protocol):
    """Where figures come from."""

    async def figures(self, when: Condition) -> Figures:
        """Return the figure of each subject that a condition is about.

        Raises:
            Unavailable: what knows it does not answer.
        """


class Sender(Protocol):
    """How notices reach a channel."""

    async def send(self, channel: Channel, notice: Notice) -> str:
        """Send a notice, and return what was answered; what is sent twice has the same id.

        Raises:
            Unavailable: it did not arrive; the text says why and holds no secret.
        """

    async def close(self) -> None:
        """Let go of connections."""


class Records(Protocol):
    """Small documents by name, each replaced only by who has seen it.

    Every method raises Unavailable when the store does not answer; a record may be stored all the same.
    """

    async def all(self, under: str = "") -> dict[str, tuple[bytes, int]]:
        """Return all records with their versions, or those whose names begin with a word and a dot."""

    async def get(self, name: str) -> tuple[bytes, int] | None:
        """Return a record with its version, None when there is none."""

    async def put(self, name: str, stored: bytes, version: int) -> int | None:
        """Store a record in the place of a version, 0 for none, and return its own; None when another one is there."""
