"""The connections a server holds: when they are too many, one that has brought no request for long makes room."""

import resource
from collections import OrderedDict
from collections.abc import Iterator
from typing import Protocol

CONNECTIONS = 4096
_FILES = 256  # descriptors for everything that is not a connection


def lift_file_limit() -> int:
    """Raise this process's limit of open files as far as connections need it, and return how many of them it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + _FILES
    if resource.RLIM_INFINITY != soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(CONNECTIONS, soft - _FILES))


class Guest(Protocol):
    """A connection, as the room knows it."""

    since: float

    @property
    def is_waiting(self) -> bool:
        """No answer is under way, so nobody loses one when the connection ends."""

    def dismiss(self) -> None:
        """End at once."""


class Room:
    """Keeps connections within a number.

    Those that have never brought a whole request go first, the oldest of them at the front; then the others, from the
    one that has been without a request for longest. So clients who only connect drive out each other.
    """

    def __init__(self, most: int = CONNECTIONS) -> None:
        self._most = most
        self._new: OrderedDict[Guest, None] = OrderedDict()  # a dict looks for its first over all that have left it
        self._known: set[Guest] = set()
        self._longest: list[tuple[float, Guest]] = []  # known ones as they once were, the longest waiting at the end

    def enter(self, guest: Guest) -> bool:
        """Take a connection in; false when all others are being answered, so that it gets nothing."""
        if len(self._new) + len(self._known) < self._most:
            self._new[guest] = None
            return True
        leaving = next(self._leaving(), None)
        self._new[guest] = None
        if leaving is None:
            return False
        self.leave(leaving)
        leaving.dismiss()
        return True

    def prove(self, guest: Guest) -> None:
        """Note the first whole request of a connection."""
        if guest in self._new:
            del self._new[guest]
            self._known.add(guest)

    def leave(self, guest: Guest) -> None:
        """Forget a connection."""
        self._new.pop(guest, None)
        self._known.discard(guest)

    def _leaving(self) -> Iterator[Guest]:
        yield from (guest for guest in self._new if guest.is_waiting)
        yield from self._still_waiting()
        waiting = ((guest.since, guest) for guest in self._known if guest.is_waiting)
        self._longest = sorted(waiting, key=lambda pair: -pair[0])  # one look at all serves many that come
        yield from self._still_waiting()

    def _still_waiting(self) -> Iterator[Guest]:
        while self._longest:
            since, guest = self._longest.pop()
            if guest in self._known and guest.since == since and guest.is_waiting:
                yield guest
