"""The searchable projection of the journal, as the console, the CLI and the status API read it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from journal import entry
from journal.cause import cause_of, problem_id
from journal.entry import Entry
from journal.search import Letters, Page, Search

OPEN, REPLAYING, RESOLVED, DISCARDED = "open", "replaying", "resolved", "discarded"


@dataclass(frozen=True, slots=True)
class LetterState:
    """A dead letter as the projection knows it; the content stays in the DLQ stream under `ref`."""

    id: str
    event_id: str
    stage: str
    source: str
    route: str
    partner: str
    reason: str
    detail: str
    state: str
    first_seen: int
    last_seen: int
    failures: int
    ref: int
    attempts: int = 0
    cause: str = ""
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `dlq list --json`; `attempts` counts all tries of all its failures."""
        return {
            "id": self.id,
            "event_id": self.event_id,
            "stage": self.stage,
            "source": self.source,
            "route": self.route,
            "reason": self.reason,
            "detail": self.detail,
            "state": self.state,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "attempts": self.attempts,
            "problem": self.problem,
        }


class LetterPage(NamedTuple):
    """Dead letters as people list them; `next` is empty at the end."""

    items: tuple[LetterState, ...]
    next: str


_SKEW = 1000  # milliseconds by which the processes' stamps of one event may cross
_STAGES = (entry.GATEWAY, entry.PROCESS, entry.DELIVER, entry.REPLAY)


def in_order(lines: Sequence[Entry]) -> list[Entry]:
    """Return hops by time, but each `accepted` before all else of its event and `matched` before what followed it."""
    of_event: dict[int, list[Entry]] = {}
    for line in lines:
        of_event.setdefault(line.raw, []).append(line)

    def place(line: Entry) -> tuple[int, int, bool]:
        return _moment(line, of_event[line.raw]), _STAGES.index(line.stage), line.outcome != entry.MATCHED

    return sorted(lines, key=place)


def _moment(line: Entry, of_event: Sequence[Entry]) -> int:
    """Return when a hop was at the latest: the gateway and the feed note theirs while the event goes on already."""
    if line.outcome == entry.ACCEPTED:
        return min(other.at for other in of_event)
    if line.outcome == entry.MATCHED:
        return min(other.at for other in of_event if other.stage == line.stage and line.at - other.at <= _SKEW)
    return line.at


_AFTER = {entry.REPLAYED: REPLAYING, entry.DISCARDED: DISCARDED}
_AFTER |= dict.fromkeys((entry.DELIVERED, entry.ROUTED, entry.SKIPPED, entry.DUPLICATE), RESOLVED)
_AFTER |= dict.fromkeys(entry.LETTERED, OPEN)
# A second replay of a letter does not undo its end, nor does giving up what was sent through meanwhile.
_ONLY_FROM = {entry.REPLAYED: (OPEN,), entry.WAITING: (REPLAYING,), entry.DISCARDED: (OPEN, REPLAYING, DISCARDED)}


def state_after(line: Entry) -> str | None:
    """Return the state an entry puts its dead letter in, or None when it says nothing about one."""
    if not line.dead_letter:
        return None
    return OPEN if entry.takes_back(line) else _AFTER.get(line.outcome)


def letter_after(letter: LetterState | None, line: Entry) -> LetterState | None:
    """Return what is known of a dead letter after one more entry that names it; None while nothing is known of it."""
    state = state_after(line)
    if line.outcome in entry.LETTERED:
        return _failed(letter, line)
    if letter is None or state is None or letter.state not in _ONLY_FROM.get(line.outcome, (letter.state,)):
        return letter
    return replace(letter, state=state, last_seen=line.at)


def _failed(letter: LetterState | None, line: Entry) -> LetterState:
    if letter is not None:
        return replace(
            letter,
            state=OPEN,
            last_seen=line.at,
            detail=line.detail,
            reason=line.reason,
            ref=line.ref,
            cause=(cause := _cause(line)),
            problem=problem_id(cause),
            failures=letter.failures + 1,
            attempts=letter.attempts + line.attempts,
        )
    return LetterState(
        id=line.dead_letter,
        event_id=line.id,
        stage=line.stage,
        source=line.source,
        route=line.route,
        partner=line.partner,
        reason=line.reason,
        detail=line.detail,
        state=OPEN,
        first_seen=line.at,
        last_seen=line.at,
        failures=1,
        ref=line.ref,
        attempts=line.attempts,
        cause=(cause := _cause(line)),
        problem=problem_id(cause),
    )


def _cause(line: Entry) -> str:
    return cause_of(line.stage, line.route or line.source, line.reason, line.detail).text()


class CauseCount(NamedTuple):
    """The dead letters of one cause, state and partner: how many, since `recent` too, from when to when, and one."""

    cause: str
    state: str
    partner: str
    number: int
    recent: int
    first_seen: int
    last_seen: int
    sample: str


class Origin(NamedTuple):
    """One step of an event by which it can be sent again: accepted, made canonical as `seq`, or given up."""

    raw: int
    outcome: str
    seq: int
    dead_letter: str
    type: str


class Journeys(Protocol):
    """What became of a partner's events; a call blocks, so run it in a thread.

    The steps of an event are its entries, but of those that only differ in when they were the last stands for all, with
    their number as `attempts`: a delivery may be retried for days.
    """

    def journey(self, partner: str, event_id: str, origin: str = "", limit: int = 1000) -> list[Entry]:
        """Return the steps of all events of a partner with this id, oldest first; `origin` is their `source`.

        An event is found by its entries before delivery; one of which only deliveries are left is not.
        """

    def accepted(self, partner: str, after: tuple[int, int], until: int, limit: int) -> list[Entry]:
        """Return one entry of each event of a partner that came in before `until`, in the order of acceptance.

        `after` is time and sequence in RAW of the last one known. Times are Unix milliseconds.
        """

    def steps(self, raws: Sequence[int]) -> list[Entry]:
        """Return the steps of events by their sequence in RAW, oldest first."""


class JournalStore(Journeys, Protocol):
    """Reading side and projection of the journal; calls block, so run them in a thread."""

    def find(self, text: str, limit: int = 1000) -> list[Entry]:
        """Return the entries of the newest events whose id, business key or other key is `text`, oldest first."""

    def search(self, wanted: Search) -> Page:
        """Return a page of events that fit, newest first."""

    def forget(self, before: int) -> None:
        """Delete the days that ended before a time (Unix milliseconds), and dead letters not heard of since."""

    def prepare(self) -> None:
        """Make the store anew, at position 0, when an earlier version made it; only who projects may ask for that."""

    def position(self) -> int:
        """Return the sequence in JOURNAL up to which everything is projected."""

    def project(self, entries: Sequence[Entry], position: int) -> None:
        """Store entries and the new position in one transaction; what is at or before the position is ignored."""

    def try_out(self, entries: Sequence[Entry]) -> None:
        """Do what `project` does with entries, and undo it: to see whether it raises."""

    def origins(self, raws: Sequence[int]) -> list[Origin]:
        """Return the steps by which events can be sent again; events by their sequence in RAW, in no order."""

    def recent(self, limit: int) -> list[Entry]:
        """Return the last entries, newest first."""

    def letters(
        self, *, state: str = "", route: str = "", reason: str = "", problem: str = "", limit: int = 100
    ) -> list[LetterState]:
        """Return dead letters, oldest first."""

    def newest(self, wanted: Letters) -> LetterPage:
        """Return a page of dead letters: open ones first, and of these and of the others the newest first.

        Newest is what was first seen last, as that does not change; one whose state changes meanwhile may come twice.
        """

    def known(self, ids: Sequence[str]) -> dict[str, LetterState]:
        """Return those of the dead letters that are known, by id."""

    def causes(self, recent: int) -> list[CauseCount]:
        """Return how many dead letters there are by cause, state and partner; `recent` is Unix milliseconds."""

    def delivered(self, route: str, first: int, last: int) -> int:
        """Return how many of the canonical events from one sequence to another were delivered on a route."""

    def letter(self, letter_id: str) -> LetterState | None:
        """Return one dead letter."""

    def counts(self) -> dict[str, Any]:
        """Return how many entries there are by stage, name and outcome, and open dead letters, in all and by name."""
