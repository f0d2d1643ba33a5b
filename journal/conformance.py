"""Whether what happened in pairs did so as the rules say; only observed, as the journal tells it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from journal import figures, keys
from journal.entry import Entry
from journal.spec import MISSING_THEN, WRONG_ORDER, Rule, Side

OPEN, LATE = "open", "late"  # what is missing is missing still, or came too late
STATES = (OPEN, LATE, WRONG_ORDER)
MOST = 1_000  # deviations of one page


class Seen(NamedTuple):
    """The first event of a side: when it was processed (Unix milliseconds) and in which place of RAW, 0 for none."""

    at: int = 0
    raw: int = 0
    partner: str = ""
    store: str = ""


NEVER = Seen()


class Pair(NamedTuple):
    """What was seen of a rule for one key."""

    rule: str
    key: str
    first: Seen = NEVER
    then: Seen = NEVER


class Deviation(NamedTuple):
    """A pair that breaks its rule: `since` when, and when it was `closed` (Unix milliseconds), 0 while it is open."""

    pair: Pair
    state: str
    since: int
    closed: int


class DayCount(NamedTuple):
    """How many deviations of a rule in a state began on a day (since 1970), by whose event was there."""

    rule: str
    day: int
    partner: str
    store: str
    state: str
    n: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deviations are looked for: of a state, begun from one time to another (Unix milliseconds, 0 for ever)."""

    rules: Sequence[Rule]
    now: int
    state: str = ""
    since: int = 0
    until: int = 0


class Conformance(Protocol):
    """What breaks the rules in force, up to date; a call blocks, so run it in a thread."""

    def deviations(self, wanted: Wanted, limit: int, after: int = 0) -> list[Deviation]:
        """Return deviations, newest first, without so many that were told before."""

    def counts(self, wanted: Wanted) -> list[DayCount]:
        """Return how many there are."""

    def behind(self) -> bool:
        """Tell whether a part of the journal has not been looked at yet, as a rule is new."""


def sights(rule: Rule, line: Entry) -> Iterator[Pair]:
    """Yield what an event that was routed says of a rule."""
    seen = Seen(line.at, line.raw, line.partner, figures.about(line.keys).get("store", ""))
    for value in dict.fromkeys(value for side in rule.first for value in _values(side, line)):
        yield Pair(rule.name, value, first=seen)
    for value in dict.fromkeys(value for side in rule.then for value in _values(side, line)):
        yield Pair(rule.name, value, then=seen)


def _values(side: Side, line: Entry) -> Iterable[str]:
    if line.type != side.type:
        return ()
    if side.key == keys.BUSINESS_KEY:
        return (line.key[: keys.LONGEST],) if line.key else ()
    return [value[: keys.LONGEST] for kind, value in keys.read(line.keys) if kind == side.key]


def together(one: Pair, other: Pair) -> Pair:
    """Return what two sights of a key say together: the event that came in first stands for its side."""
    return Pair(one.rule, one.key, _earlier(one.first, other.first), _earlier(one.then, other.then))


def _earlier(one: Seen, other: Seen) -> Seen:
    return other if other.raw and (not one.raw or other.raw < one.raw) else one


def told(rule: Rule, pair: Pair, now: int) -> Deviation | None:
    """Return how a pair breaks its rule at a time (Unix milliseconds), or None."""
    there, missing = (pair.first, pair.then) if rule.breaks == MISSING_THEN else (pair.then, pair.first)
    due = there.at + int(rule.within * 1000)
    if not there.raw:
        return None
    if rule.breaks == WRONG_ORDER:
        wrong = missing.raw > there.raw and missing.at >= due
        return Deviation(pair, WRONG_ORDER, there.at, missing.at) if wrong else None
    if not missing.raw:
        return Deviation(pair, OPEN, there.at, 0) if now > due else None
    return Deviation(pair, LATE, there.at, missing.at) if missing.at > due else None


def fingerprint(rule: Rule) -> str:
    """Return by what a rule is known whose pairs were looked for: another deadline needs no other pairs."""
    return "|".join((rule.name, text(rule.first), text(rule.then)))


def text(sides: Iterable[Side]) -> str:
    """Return events as people and fingerprints name them."""
    return ", ".join(f"{side.type} by {side.key}" for side in sides)
