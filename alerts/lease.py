"""Which of several operations processes watches and tells: the one that holds a record and renews it."""

import secrets
from collections.abc import Callable

from alerts.ports import Records

NAME = "lease"
LENGTH = 15.0  # seconds without a renewal after which another process takes over


class Lease:
    """The turn of one process; `clock` gives seconds that only go forward.

    How old a renewal is, each process measures by its own clock, from when it saw it: clocks of machines differ.
    """

    def __init__(self, records: Records, clock: Callable[[], float]) -> None:
        self._records = records
        self._clock = clock
        self._me = secrets.token_hex(8).encode()
        self._seen = 0, 0.0  # version of the record, and when it was first seen
        self._until = 0.0

    def held(self) -> bool:
        """Tell whether it is our turn still."""
        return self._clock() < self._until

    async def take(self) -> bool:
        """Renew our turn, or take it when nobody else renews theirs.

        Raises:
            Unavailable: the store does not answer.
        """
        now = self._clock()
        stored, version = await self._records.get(NAME) or (b"", 0)
        if version != self._seen[0]:
            self._seen = version, now
        if stored not in (b"", self._me) and now - self._seen[1] < LENGTH:
            self._until = 0.0
            return False
        made = await self._records.put(NAME, self._me, version)
        self._seen, self._until = (made or version, now), now + LENGTH if made else 0.0
        return made is not None

    async def give_up(self) -> None:
        """Let another process take over at once.

        Raises:
            Unavailable: the store does not answer.
        """
        if self.held():
            self._until = 0.0
            await self._records.put(NAME, b"", self._seen[0])
