"""Finds the entries that a store refuses for what they say, so that those beside them are stored."""

import logging
from collections.abc import Sequence
from json import JSONDecodeError

from crossdock.kernel.problems import Unavailable
from journal.entry import Entry
from journal.store import JournalStore

log = logging.getLogger(__name__)

MOST = 100  # entries that are left out one after another; more of them are a fault of the program or of the store
_OF_BINDING = frozenset({"InterfaceError", "ProgrammingError"})
_UNBOUND = ("is not supported", "cannot adapt type")  # as SQLite's driver and psycopg say it


class Sieve:
    """Leaves out what a store refuses; `row` counts what it refused since it took anything."""

    def __init__(self, store: JournalStore) -> None:
        self._store = store
        self.row = 0

    def refused(self, entries: Sequence[Entry]) -> dict[int, str]:
        """Return why entries are refused, by their place; blocks.

        Raises:
            Unavailable: more than `MOST` are, one after another.
        """
        if self.row >= MOST:
            self._fault(entries[-1:])  # a store that takes this one is well again
        found: dict[int, str] = {}
        self._look(entries, 0, found)
        return found

    def _look(self, entries: Sequence[Entry], first: int, found: dict[int, str]) -> None:
        fault = self._fault(entries)
        if fault and (half := len(entries) // 2):
            self._look(entries[:half], first, found)
            self._look(entries[half:], first + half, found)
        elif fault:
            self.row += 1
            if self.row > MOST:
                log.error("journal: the store refuses more than %d entries one after another; it is not they", MOST)
                raise Unavailable(f"the store refuses every entry: {fault}")
            found[first] = fault

    def _fault(self, entries: Sequence[Entry]) -> str:
        """Return why entries are refused together, nothing when they are taken."""
        try:
            self._store.try_out(entries)
        except Exception as error:
            if not is_of_data(error):
                raise
            return type(error).__name__
        self.row = 0
        return ""


def is_of_data(error: Exception) -> bool:
    """Tell whether a store failed because of a value that it was given, and would always.

    Not because it is away or full, nor by a mistake of the program.
    """
    original = getattr(error, "orig", None) or error  # of SQLAlchemy's errors the driver's own
    kinds = {kind.__name__ for kind in type(original).__mro__}  # of any driver: PEP 249
    if not kinds.isdisjoint(_OF_BINDING):
        return any(words in str(original) for words in _UNBOUND)
    return "DataError" in kinds or isinstance(original, OverflowError | UnicodeEncodeError | JSONDecodeError)
