"""Answers that are kept for requests sent again under the same `Idempotency-Key`."""

from enum import Enum
from typing import NamedTuple, Protocol

UNDER_WAY = 60  # seconds after which a request whose gateway died may be tried again
KEPT = 24 * 3600  # seconds; the Idempotency-Key draft, section 2.3, wants it published


class KeptAnswer(NamedTuple):
    """The answer that a request got."""

    status: int
    media: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Begin(Enum):
    """Whether a request may be carried out; not while an equal one is, nor when its key stands for another one."""

    BEGUN = "begun"
    IN_FLIGHT = "in flight"
    MISMATCH = "mismatch"


class Answers(Protocol):
    """Where it is kept which requests were begun and how they were answered, shared by all gateways.

    All acts raise `Unavailable` when the store does not answer.
    """

    async def begin(self, name: str, fingerprint: str, owner: str) -> Begin | KeptAnswer:
        """Begin a request, unless one of its name is known; `owner` is a token that nobody else has."""

    async def finish(self, name: str, owner: str, answer: KeptAnswer) -> None:
        """Keep the answer, unless the request is no longer this owner's."""

    async def abandon(self, name: str, owner: str) -> None:
        """Forget that the request was begun, unless it is no longer this owner's."""
