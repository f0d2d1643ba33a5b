"""The running sums of the ledger: what each entry of the journal changes, and what the streams say themselves.

A state for each raw event, and for each event of each route, stands in `Marks`, so nothing is counted twice however
often it is recorded, and the sums are right after every entry.
"""

from collections.abc import Container, Iterable, Mapping

from crossdock.kernel.stream import DLQ, EVENTS, RAW
from journal import entry
from journal.entry import Entry
from journal.marks import STATE, Days, Lost, Marks, Stored

DAY = 86_400_000  # milliseconds
(
    OPEN, BEHIND, GUESSED, PASSED, DEAD, AGAIN, DELIVERED, DISCARDED, SKIPPED, QUARANTINED, ROUTED, DUPLICATE, COPY,
) = range(1, 14)  # fmt: skip
STATES = 16
_OF = {
    entry.ROUTED: ROUTED, entry.DUPLICATE: DUPLICATE, entry.DEAD_LETTERED: DEAD, entry.QUARANTINED: QUARANTINED,
    entry.REPLAYED: AGAIN, entry.DELIVERED: DELIVERED, entry.DISCARDED: DISCARDED, entry.SKIPPED: SKIPPED,
}  # fmt: skip
_FINAL = frozenset({ROUTED, DUPLICATE, DELIVERED, SKIPPED, DISCARDED, COPY})
_LETTERED = frozenset({DEAD, QUARANTINED})
_NOTED = _LETTERED | {AGAIN}
_BITS = STATE.bit_length()

Sums = dict[tuple[str, int], list[int]]


class Book:
    """The sums; `kept` says from when on (Unix milliseconds) what a stream was given must still be there.

    `takes` names the types that each feed takes and `carries` its routes: of what it does not hand out nobody waits.
    `doubtful` holds what is said to be stored and was not yet when the streams were last looked at. `replays` says when
    (Unix milliseconds) what was replayed and has no outcome was, by route (none for a raw event) and sequence.
    """

    def __init__(self) -> None:
        self.raw = Marks("I")
        self.routes: dict[str, Marks] = {}
        self.looked: dict[str, Marks] = {}
        self.sources: list[str] = []
        self.source_sums: Sums = {}
        self.route_sums: Sums = {}
        self.repeats: dict[tuple[str, int], int] = {}
        self.stored = {RAW: Stored(), EVENTS: Stored(), DLQ: Stored()}
        self.kept = dict.fromkeys(self.stored, 0)
        self.takes: Mapping[str, Container[str]] = {}
        self.carries: Mapping[str, Iterable[str]] = {}
        self.doubtful: dict[tuple[str, int], Lost] = {}
        self.letters: dict[tuple[str, int], tuple[int, Lost]] = {}
        self.replays: dict[tuple[str, int], int] = {}
        self._days = {RAW: Days(), EVENTS: Days()}
        self._numbers: dict[str, int] = {}
        self._guesses = 0

    def tell(self, lines: Iterable[Entry]) -> None:
        """Take entries, in any order."""
        for line in lines:
            stage, outcome = line.stage, line.outcome
            if outcome == entry.MATCHED:
                self._matched(line)
            elif stage == entry.GATEWAY:
                self._accepted(line)
            elif outcome == entry.DISCARDED and not line.route:
                continue  # an event that a person gave up before it had a route stays a dead letter of its source
            elif stage == entry.REPLAY and entry.takes_back(line):
                self._unsent(line)
            elif stage == entry.DELIVER or (stage == entry.REPLAY and line.route):
                self._word(line)
            elif stage in (entry.PROCESS, entry.REPLAY):
                self._processed(line)

    def know(self, seq: int, source: str, at: int) -> None:
        """Take a first message of RAW that was read."""
        if not self.raw[seq]:
            number = self._numbers.get(source)
            self._raw(seq, self._number(source) if number is None else number, OPEN, 0, at)

    def copy(self, seq: int) -> None:
        """Take a message of RAW that was read and is the copy of another."""
        self.raw[seq] = COPY

    def pass_by(self, feed: str, seq: int) -> None:
        """Note that a feed has nothing to say of a message of EVENTS."""
        self.looked_at(feed)[seq] = COPY

    def set(self, route: str, seq: int, state: int, at: int) -> None:
        """Put an event of a route into a state, 0 for none."""
        marks = self._marks(route)
        self._put(marks, route, seq, marks[seq], state, at)

    def _put(self, marks: Marks, route: str, seq: int, old: int, state: int, at: int) -> None:
        marks[seq] = state
        if GUESSED in (old, state):
            self._guesses += (state == GUESSED) - (old == GUESSED)
        self._count(self.route_sums, route, EVENTS, seq, at, old, state)

    def _marks(self, route: str) -> Marks:
        marks = self.routes.get(route)
        if marks is None:
            marks = self.routes[route] = Marks()
        return marks

    def state(self, route: str, seq: int) -> int:
        """Return the state of an event of a route."""
        marks = self.routes.get(route)
        return marks[seq] if marks is not None else 0

    def source_of(self, value: int) -> str:
        """Return the source that a number of `raw` names."""
        return self.sources[value >> _BITS]

    def day(self, stream: str, seq: int) -> int:
        """Return the day of a message, in days of Unix time."""
        return self._days[stream].at(seq)

    def trim(self, stream: str, first: int) -> None:
        """Let go of what is past the retention of a stream."""
        begun, self.stored[stream].first = self.stored[stream].first, first
        if stream == RAW:
            for seq, value in list(self.raw.said(begun, first - 1)):
                if value != COPY:
                    self._raw(seq, value >> _BITS, 0, value & STATE, 0)
            self.raw.forget(first)
        elif stream == EVENTS:
            for route, marks in self.routes.items():
                for seq, _ in list(marks.said(begun, first - 1)):
                    self.set(route, seq, 0, 0)
                marks.forget(first)
            for marks in self.looked.values():
                marks.forget(first)
        of = {True: EVENTS, False: RAW}
        self.replays = {at: then for at, then in self.replays.items() if at[1] >= first or of[bool(at[0])] != stream}
        for sums in (self.source_sums, self.route_sums):
            for place in [place for place, row in sums.items() if not any(row)]:
                del sums[place]

    def forget_repeats(self, before: int) -> None:
        """Let go of the days before one, of which the journal may not be whole."""
        self.repeats = {place: count for place, count in self.repeats.items() if place[1] >= before}

    def _accepted(self, line: Entry) -> None:
        if line.outcome == entry.DUPLICATE:
            place = line.source, line.at // DAY
            self.repeats[place] = self.repeats.get(place, 0) + 1
        elif line.outcome == entry.ACCEPTED and self._there(RAW, line.raw, line, "accepted, but not stored"):
            self.know(line.raw, line.source, line.at)

    def _processed(self, line: Entry) -> None:
        state, seq = _OF.get(line.outcome), line.raw
        stored = self.stored[RAW]
        if state is None or seq < stored.first or (stored.holes and stored.misses(seq)):
            return
        old = self.raw[seq]
        if old & STATE in _FINAL:
            return
        self._raw(seq, old >> _BITS if old else self._number(line.source), state, old & STATE, line.at)
        if state in _NOTED or old & STATE in _NOTED:
            self._note("", seq, state, line)
        if state == ROUTED:
            self._there(EVENTS, line.seq, line, "recorded as routed, but not stored")
            for feed, types in self.takes.items():
                if line.type not in types:
                    self.looked_at(feed)[line.seq] = COPY

    def _matched(self, line: Entry) -> None:
        feed, seq = line.detail, line.seq
        if not self._is_kept(seq):
            return
        self.looked_at(feed)[seq] = OPEN
        for names, state in ((line.routes, OPEN), (line.behind, BEHIND)):
            for route in names.split(",") if names else ():
                marks = self._marks(route)
                old = marks[seq]
                if old in (0, GUESSED) or (old == BEHIND and state == OPEN):
                    self._put(marks, route, seq, old, state, line.at)
        for route in self.carries.get(feed, ()) if self._guesses else ():
            if self.state(route, seq) == GUESSED:
                self.set(route, seq, 0, line.at)

    def _word(self, line: Entry) -> None:
        state, seq, route = _OF.get(line.outcome), line.seq, line.route
        if state is None or not self._is_kept(seq):
            return
        marks = self._marks(route)
        old = marks[seq]
        if old not in _FINAL or (old == DISCARDED and state == DELIVERED):  # what arrived was not given up
            self._put(marks, route, seq, old, state, line.at)
            if state in _NOTED or old in _NOTED:
                self._note(route, seq, state, line)

    def _unsent(self, line: Entry) -> None:
        """Take the word of a replay of a dead letter back."""
        state = self.state(line.route, line.seq) if line.route else self.raw[line.raw] & STATE
        if state == AGAIN and line.ref:
            (self._word if line.route else self._processed)(line._replace(outcome=entry.DEAD_LETTERED))

    def _note(self, route: str, seq: int, state: int, line: Entry) -> None:
        if state in _LETTERED and not self.stored[DLQ].has(line.ref):
            lost = Lost(route or line.source, line.id, line.at, "the dead letter is gone")
            self.letters[route, seq] = line.ref, lost
        else:
            self.letters.pop((route, seq), None)
        if state == AGAIN:
            self.replays[route, seq] = max(line.at, self.replays.get((route, seq), 0))
        else:
            self.replays.pop((route, seq), None)

    def _there(self, stream: str, seq: int, line: Entry, why: str) -> bool:
        """Tell whether a message may be there; note one that is not, and one that may have come since the last look."""
        stored = self.stored[stream]
        if stored.first <= seq <= stored.last and not stored.holes:
            return True
        if stored.has(seq):
            return True
        if line.at > self.kept[stream]:
            self.doubtful[stream, seq] = Lost(line.source, line.id, line.at, why)
        return seq > stored.last

    def _is_kept(self, seq: int) -> bool:
        stored = self.stored[EVENTS]
        return seq >= stored.first and not (stored.holes and stored.misses(seq))

    def looked_at(self, feed: str) -> Marks:
        """Return what a feed has told of."""
        marks = self.looked.get(feed)
        if marks is None:
            marks = self.looked[feed] = Marks()
        return marks

    def _number(self, source: str) -> int:
        number = self._numbers.get(source)
        if number is None:
            number = self._numbers[source] = len(self.sources)
            self.sources.append(source)
        return number

    def _raw(self, seq: int, number: int, state: int, old: int, at: int) -> None:
        self._count(self.source_sums, self.sources[number], RAW, seq, at, old, state)
        self.raw[seq] = number << _BITS | state if state else 0

    def _count(self, sums: Sums, name: str, stream: str, seq: int, at: int, old: int, new: int) -> None:
        place = name, self._days[stream].of(seq, at // DAY)
        row = sums.get(place)
        if row is None:
            row = sums[place] = [0] * STATES
        row[old] -= 1
        row[new] += 1
