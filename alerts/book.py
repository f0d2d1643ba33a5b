"""What is known of one alert: for which subjects it stands, who hushed it, what is still to be told.

Plain values and how they go on when figures come; nothing here waits or speaks to anybody.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple, TypeVar

from alerts import notice, words
from alerts.notice import Due, Notice, Point
from alerts.spec import Alert
from crossdock.kernel.jsontext import dumps
from crossdock.kernel.records import known, unknown

PENDING, FIRING, RESOLVED = "pending", "firing", "resolved"
RECENT = 20  # that have ended and are still shown
MOST_DUE = 50  # notices that wait for one channel
MOST_POINTS = 50  # subjects that a notice names
MOST_BYTES, MOST_BYTES_DUE = 500 << 10, 300 << 10  # of standings and of notices: a broker takes 1 MiB for all of it
MOST_BYTES_RECENT, MOST_BYTES_HUSHED = 50 << 10, 100 << 10
FIGURES = 30_000  # milliseconds after which figures that moved are stored, though nothing else is new


@dataclass(frozen=True, slots=True)
class Standing:
    """One subject for which a condition holds, or held; times are Unix milliseconds, 0 for not yet."""

    subject: str
    state: str
    since: int
    figure: float
    text: str
    page: str
    fired: int = 0
    told: int = 0
    ended: int = 0

    def size(self) -> int:
        """Return how many bytes it takes at most as it is stored, whatever its times and its figure come to."""
        return 250 + len(dumps((self.subject, self.subject, self.text, self.page)))


@dataclass(frozen=True, slots=True)
class Hush:
    """A person knows: nothing is told again while it lasts, or nothing at all `until` a time (Unix milliseconds)."""

    who: str
    at: int
    note: str = ""
    until: int = 0

    def is_silent(self, now: int) -> bool:
        """Tell whether even what is new is not told."""
        return self.until > now


_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Book:
    """All that is known of one alert; `number` counts its notices, `fault` says why it cannot be judged.

    `at` is when its figures were stored, in Unix milliseconds. `left_out` subjects had no room in it, and `lost`
    notices were given up for newer ones. `more` is what a later version of Crossdock stored, and is stored again.
    """

    standings: Mapping[str, Standing] = field(default_factory=dict)
    recent: tuple[Standing, ...] = ()
    hushed: Mapping[str, Hush] = field(default_factory=dict)
    due: tuple[Due, ...] = ()
    number: int = 0
    to: tuple[str, ...] = ()
    severity: str = ""
    do: str = ""
    fault: str = ""
    at: int = 0
    left_out: int = 0
    lost: int = 0
    more: Mapping[str, Any] = field(default_factory=dict)

    def stored(self) -> bytes:
        """Return what `read` reads."""
        return dumps({**self.more, **{one.name: getattr(self, one.name) for one in fields(self) if one.name != "more"}})

    def differs(self, other: "Book") -> bool:
        """Tell whether there is more to store than figures that moved a moment ago."""
        return _still(self) != _still(other) or (bool(self.standings) and abs(self.at - other.at) >= FIGURES)


def read(document: Mapping[str, Any]) -> Book:
    """Return what was stored."""
    due = (Due(**known(Due, one) | {"notice": notice.read(one["notice"])}) for one in document["due"])
    read_here = {
        "standings": {name: Standing(**known(Standing, one)) for name, one in document["standings"].items()},
        "recent": tuple(Standing(**known(Standing, one)) for one in document["recent"]),
        "hushed": {name: Hush(**known(Hush, one)) for name, one in document["hushed"].items()},
        "due": tuple(due),
        "to": tuple(document["to"]),
        "more": {name: document[name] for name in unknown(Book, document)},
    }
    return Book(**known(Book, document) | read_here)


def advance(book: Book, rule: Alert, figures: Mapping[str, float | None], base: str, now: int) -> Book:
    """Return the book after figures; `base` is the address of the console.

    A subject whose figure is None stays as it is; one that is not there any more has ended.
    """
    holding = {one for one in figures if _holds(one, book, rule, figures)}
    older = sorted(holding & book.standings.keys(), key=lambda one: (book.standings[one].since, one))
    oldest = itertools.chain(older, sorted(holding - book.standings.keys()))
    made = (_holding(one, book, rule, figures[one], base, now) for one in oldest)
    # Beyond what fits none is made: subjects may be many thousands.
    fitting = {one.subject: one for one in _fitting(made, MOST_BYTES, Standing.size)}
    over = [book.standings[one] for one in sorted(book.standings.keys() - holding)]
    ended = [replace(one, state=RESOLVED, ended=now) for one in over if one.state == FIRING]
    do = rule.do or words.KINDS[rule.when.kind].do
    book = replace(book, to=rule.to, severity=rule.severity, do=do, fault="", at=now)
    book = replace(book, standings=dict(sorted(fitting.items())), left_out=len(holding) - len(fitting))
    return _told(book, ended, _Telling(rule.name, rule.repeat, now))


def end(book: Book, alert: str, now: int) -> Book:
    """Return the book of an alert that is no more: what it stood for is resolved, and those told of it hear so."""
    ended = [replace(one, state=RESOLVED, ended=now) for one in book.standings.values() if one.state == FIRING]
    return _told(replace(book, standings={}, fault=""), ended, _Telling(alert, 0, now))


def hush(book: Book, subject: str, by: Hush, now: int) -> Book:
    """Return the book after a person said to know; one whose time is over already takes an earlier one back.

    Of more than there is room for the newest are kept.
    """
    others = {name: one for name, one in book.hushed.items() if name != subject}
    if 0 < by.until <= now:
        return replace(book, hushed=others)
    newest = sorted({**others, subject: by}.items(), key=lambda one: -one[1].at)
    return replace(book, hushed=dict(_fitting(newest, MOST_BYTES_HUSHED)))


def done(book: Book, due: Due) -> Book:
    """Return the book without a notice that its channel has, or will not get."""
    return replace(book, due=tuple(one for one in book.due if not _same(one, due)))


def later(book: Book, due: Due, at: int) -> Book:
    """Return the book with a notice to be tried again."""
    again = [replace(one, at=at, tries=one.tries + 1) if _same(one, due) else one for one in book.due]
    return replace(book, due=tuple(again))


def standing_id(alert: str, subject: str) -> str:
    """Return the id of an alert for a subject."""
    return "al-" + hashlib.blake2b(f"{alert}\0{subject}".encode(), digest_size=6).hexdigest()


def _size(one: Any) -> int:
    return len(dumps(one)) + 1


def _fitting(ones: Iterable[_Part], most: int, size: Callable[[_Part], int] = _size) -> Iterator[_Part]:
    """Yield those that fit into so many bytes as they are stored, as far as they go in their order."""
    for one in ones:
        most -= size(one)
        if most < 0:
            return
        yield one


def _same(one: Due, other: Due) -> bool:
    return (one.channel, one.notice.id) == (other.channel, other.notice.id)


def _still(book: Book) -> tuple[Any, ...]:
    still = {name: (one.state, one.since, one.page, one.fired, one.told) for name, one in book.standings.items()}
    return replace(book, standings={}, at=0), still


def _holds(subject: str, book: Book, rule: Alert, figures: Mapping[str, float | None]) -> bool:
    figure = figures[subject]
    return subject in book.standings if figure is None else figure > rule.when.above


def _holding(subject: str, book: Book, rule: Alert, figure: float | None, base: str, now: int) -> Standing:
    if figure is None:
        return book.standings[subject]
    before = book.standings.get(subject)
    page = base + words.page(rule.when, subject)
    one = before or Standing(subject, PENDING, now, figure, "", page)
    fires = one.state == FIRING or now - one.since >= rule.lasts * 1000
    text = words.what(rule.when, subject, figure)
    fired = one.fired or (now if fires else 0)
    return replace(one, state=FIRING if fires else PENDING, fired=fired, figure=figure, text=text, page=page)


class _Telling(NamedTuple):
    """Of which alert is told, how often it is told again (seconds), and when this is."""

    alert: str
    repeat: float
    now: int


def _told(book: Book, ended: list[Standing], by: _Telling) -> Book:
    """Return the book with the notices that are due by now, and what has ended in it."""
    firing = [one for one in book.standings.values() if one.state == FIRING and _is_open(book, one, by.now)]
    fresh = [one for one in firing if not one.told]
    again = [one for one in firing if one.told and by.now - one.told >= by.repeat * 1000]
    silent = {name for name, one in book.hushed.items() if one.is_silent(by.now)}
    over = [one for one in ended if one.told and one.subject not in silent]
    for state, ones in ((notice.FIRING, fresh), (notice.REPEATED, again), (notice.RESOLVED, over)):
        book = _noticed(book, by, state, ones) if ones else book
    told = {one.subject: replace(one, told=by.now) for one in (*fresh, *again)}
    left = {
        name: one for name, one in book.hushed.items() if name in silent or (not one.until and name in book.standings)
    }
    recent = tuple(_fitting((*ended, *book.recent)[:RECENT], MOST_BYTES_RECENT))
    return replace(book, standings={**book.standings, **told}, recent=recent, hushed=left)


def _is_open(book: Book, one: Standing, now: int) -> bool:
    """Tell whether nobody has said to know."""
    by = book.hushed.get(one.subject)
    return by is None or 0 < by.until <= now


def _noticed(book: Book, by: _Telling, state: str, ones: Iterable[Standing]) -> Book:
    """Return the book with one more notice for each channel; one that has not got the last needs no repetition."""
    number = book.number + 1
    digest = hashlib.blake2b(f"{by.alert}\0{number}\0{by.now}".encode(), digest_size=8).hexdigest()
    points = [Point(one.subject, one.text, one.since, one.ended, one.figure, one.page) for one in ones]
    named, more = tuple(points[:MOST_POINTS]), max(0, len(points) - MOST_POINTS)
    told = Notice(f"an-{digest}", by.alert, state, book.severity, by.now, book.do, named, more)
    due, lost = book.due, book.lost
    for channel in book.to:
        waiting = [one for one in due if one.channel == channel]
        if waiting and state == notice.REPEATED:
            continue
        dropped = waiting[: max(0, len(waiting) - MOST_DUE + 1)]
        due = (*(one for one in due if one not in dropped), Due(channel, told, by.now))
        lost += len(dropped)
    fitting = list(_fitting(reversed(due), MOST_BYTES_DUE))[::-1]
    return replace(book, number=number, due=tuple(fitting), lost=lost + len(due) - len(fitting))
