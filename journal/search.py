"""What is looked for in the journal, and a page of what was found."""

from dataclasses import dataclass

from journal import entry
from journal.entry import Entry

COMMON = (entry.ACCEPTED, entry.ROUTED, entry.MATCHED, entry.DELIVERED)  # outcomes that every event has
MOST = 1000  # events of one page


@dataclass(frozen=True, slots=True)
class Search:
    """Events of which one entry says all of this; what is empty does not matter.

    `key` is an id, a business key or what a schema names a key, of any kind or of one. `since` and `until` (Unix
    milliseconds, the second is excluded) are about that entry, `reason` is a part of its reason or detail in either
    case. `after` is the end of the page before.
    """

    key: str = ""
    kind: str = ""
    partner: str = ""
    source: str = ""
    route: str = ""
    outcome: str = ""
    reason: str = ""
    since: int = 0
    until: int = 0
    after: str = ""
    limit: int = 100

    @property
    def says_more_than_when(self) -> bool:
        """Whether it is about what became of events, not just about who sent them and when."""
        return bool(self.route or self.outcome or self.reason)


@dataclass(frozen=True, slots=True)
class Letters:
    """Dead letters of which all of this is true; what is empty does not matter.

    `text` is a part of the id, of that of the event or of the detail, in either case. `after` is the end of the page
    before.
    """

    state: str = ""
    route: str = ""
    reason: str = ""
    problem: str = ""
    partner: str = ""
    text: str = ""
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Page:
    """The newest fitting entry of each event, newest first; `next` is empty at the end.

    A page may be short, or empty, and not be the last: looking is bounded too.
    """

    items: tuple[Entry, ...] = ()
    next: str = ""
