"""The sums of the ledger: the same in whatever order, and however often, the journal tells what happened."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel.stream import DLQ, EVENTS, RAW
from journal import entry
from journal.book import AGAIN, DAY, DEAD, OPEN, Book
from journal.entry import Entry
from journal.ledger import Ledger, ledger_of
from journal.marks import Stored

FEED = "feed-0-of-1"
ROUTES = ("erp", "oms")


@dataclass
class History:
    """What the streams hold after some events."""

    raw: int = 0
    events: int = 0
    letters: int = 0
    entries: list[Entry] = field(default_factory=list)

    def book(self) -> Book:
        book = Book()
        counts = {RAW: self.raw, EVENTS: self.events, DLQ: self.letters}
        book.stored = {stream: Stored(1, last) for stream, last in counts.items()}
        book.tell(self.entries)
        return book

    def process(self, outcome: str, source: str, deliveries: dict[str, str]) -> None:
        self.raw += 1
        line = Entry(self.raw, entry.GATEWAY, entry.ACCEPTED, source=source, id=f"id{self.raw}", raw=self.raw)
        self.entries.append(line)
        if outcome == "waiting":
            return
        line = line._replace(stage=entry.PROCESS, outcome=outcome)
        if outcome == entry.DEAD_LETTERED:
            line = line._replace(ref=self._letter())
        elif outcome == entry.ROUTED:
            line = line._replace(seq=self._event(deliveries))
        self.entries.append(line)

    def _letter(self) -> int:
        self.letters += 1
        return self.letters

    def _event(self, deliveries: dict[str, str]) -> int:
        self.events += 1
        seen = Entry(self.raw, entry.DELIVER, entry.MATCHED, seq=self.events, detail=FEED, routes=",".join(deliveries))
        self.entries.append(seen)
        for route, outcome in deliveries.items():
            if outcome != "waiting":
                ref = self._letter() if outcome == entry.DEAD_LETTERED else 0
                line = Entry(self.raw, entry.DELIVER, outcome, seq=self.events, route=route, ref=ref)
                self.entries += [line._replace(outcome=entry.RETRIED, ref=0), line]
        return self.events


OUTCOMES = st.sampled_from([entry.ROUTED, entry.ROUTED, entry.DUPLICATE, entry.DEAD_LETTERED, "waiting"])
DELIVERED = st.sampled_from([entry.DELIVERED, entry.SKIPPED, entry.DEAD_LETTERED, entry.DISCARDED, "waiting"])
EVENT = st.tuples(OUTCOMES, st.sampled_from(["tills", "acme"]), st.dictionaries(st.sampled_from(ROUTES), DELIVERED))


@st.composite
def histories(draw: st.DrawFn) -> History:
    history = History()
    for outcome, source, deliveries in draw(st.lists(EVENT, max_size=12)):
        history.process(outcome, source, deliveries)
    return history


def ledger(book: Book) -> Ledger:
    return ledger_of(book, [], 0, [], 0)


def sums(book: Book) -> list[object]:
    found = ledger(book)
    return [found.sources, found.routes, found.by_day]


@given(histories(), st.randoms())
def test_the_sums_are_the_same_in_whatever_order_it_was_recorded(history: History, random: object) -> None:
    expected = sums(history.book())
    random.shuffle(history.entries)  # type: ignore[attr-defined]
    assert sums(history.book()) == expected


@given(histories())
def test_entries_that_were_recorded_twice_change_nothing(history: History) -> None:
    expected = sums(history.book())
    history.entries += history.entries
    assert sums(history.book()) == expected


@given(histories())
def test_the_sums_count_each_event_once_and_every_route_that_matched(history: History) -> None:
    found = ledger(history.book())
    assert sum(row["accepted"] for row in found.sources) == history.raw
    matched = sum(row["matched"] for row in found.routes)
    words = {(one.route, one.seq): one.outcome for one in history.entries if one.route}
    looks = [(route, one.seq) for one in history.entries if one.routes for route in one.routes.split(",")]
    assert matched == sum(words.get(place) != entry.SKIPPED for place in looks)


@given(histories(), st.integers(0, 12))
def test_what_is_past_its_retention_is_taken_out_of_the_sums(history: History, gone: int) -> None:
    book, rest = history.book(), History(history.raw, history.events, history.letters)
    first = min(gone, history.raw) + 1
    rest.entries = [one for one in history.entries if one.stage == entry.DELIVER or one.raw >= first]
    book.trim(RAW, first)
    assert ledger(book).sources == ledger(rest.book()).sources


def route_after(*outcomes: str) -> dict[str, int]:
    history = History()
    history.process(entry.ROUTED, "tills", {"erp": "waiting"})
    history.letters = 8
    for number, outcome in enumerate(outcomes):
        stage = entry.REPLAY if outcome in (entry.REPLAYED, entry.WAITING) else entry.DELIVER
        ref = 7 if outcome in (entry.DEAD_LETTERED, entry.WAITING) else 0
        history.entries.append(Entry(number, stage, outcome, id="id1", raw=1, seq=1, route="erp", ref=ref))
    (row,) = ledger(history.book()).routes
    return row


@pytest.mark.parametrize(
    ("outcomes", "column"),
    [
        ((), "in_progress"),
        ((entry.RETRIED,), "in_progress"),
        ((entry.DEAD_LETTERED,), "dead_lettered"),
        ((entry.DEAD_LETTERED, entry.REPLAYED), "in_progress"),
        ((entry.DEAD_LETTERED, entry.REPLAYED, entry.RETRIED), "in_progress"),
        ((entry.DEAD_LETTERED, entry.REPLAYED, entry.DELIVERED), "delivered"),
        ((entry.DEAD_LETTERED, entry.REPLAYED, entry.DEAD_LETTERED), "dead_lettered"),
        ((entry.DEAD_LETTERED, entry.REPLAYED, entry.WAITING), "dead_lettered"),
        ((entry.DEAD_LETTERED, entry.REPLAYED, entry.DELIVERED, entry.WAITING), "delivered"),
        ((entry.WAITING,), "in_progress"),
        ((entry.DELIVERED, entry.DEAD_LETTERED), "delivered"),
        ((entry.DEAD_LETTERED, entry.DISCARDED), "discarded"),
        ((entry.DEAD_LETTERED, entry.DISCARDED, entry.REPLAYED, entry.DELIVERED), "delivered"),
        ((entry.DEAD_LETTERED, entry.REPLAYED, entry.DELIVERED, entry.DISCARDED), "delivered"),
    ],
)
def test_the_last_word_on_a_delivery_counts_and_success_stands(outcomes: tuple[str, ...], column: str) -> None:
    row = route_after(*outcomes)
    assert (row["matched"], row[column]) == (1, 1)


def test_a_repeat_that_the_broker_dropped_is_accepted_and_a_duplicate() -> None:
    book = Book()
    book.tell([Entry(1, entry.GATEWAY, entry.DUPLICATE, source="tills", raw=1)])
    assert ledger(book).sources == [
        {"source": "tills", "accepted": 1, "routed": 0, "duplicate": 1, "quarantined": 0, "dead_lettered": 0,
         "in_progress": 0}
    ]  # fmt: skip


def test_the_sums_stand_by_the_day_that_an_event_came_in() -> None:
    book = Book()
    book.stored = {stream: Stored(1, 3) for stream in book.stored}
    lines = [Entry(at * DAY, entry.GATEWAY, entry.ACCEPTED, source="tills", raw=raw) for raw, at in ((1, 1), (2, 2))]
    late = Entry(5 * DAY, entry.PROCESS, entry.ROUTED, source="tills", raw=1, seq=1)
    book.tell([*lines, late])
    assert [(day["day"], day["sources"][0]["routed"]) for day in ledger(book).by_day] == [
        ("1970-01-02", 1), ("1970-01-03", 0),
    ]  # fmt: skip


def test_what_was_accepted_or_routed_and_is_not_stored_is_doubtful_while_it_should_be_kept() -> None:
    book = Book()
    book.stored = {RAW: Stored(3, 9, [(5, 6)]), EVENTS: Stored(1, 1), DLQ: Stored(1, 1)}
    book.kept[RAW] = 1
    book.tell([Entry(raw, entry.GATEWAY, entry.ACCEPTED, source="tills", raw=raw) for raw in (1, 2, 3, 5, 6, 7)])
    assert [seq for _, seq in book.doubtful] == [2, 5, 6]
    assert ledger(book).sources[0]["accepted"] == 2


def test_a_dead_letter_that_is_not_stored_is_held_against_its_event_until_that_has_another_word() -> None:
    book = Book()
    book.stored = {RAW: Stored(1, 1), EVENTS: Stored(1, 1), DLQ: Stored(1, 5, [(2, 2)])}
    dead = Entry(1, entry.PROCESS, entry.DEAD_LETTERED, source="tills", id="s-1", raw=1, ref=2)
    book.tell([dead])
    assert book.letters["", 1][0] == 2 and book.raw[1] & 15 == DEAD
    book.tell([dead._replace(stage=entry.REPLAY, outcome=entry.REPLAYED)])
    assert not book.letters and book.raw[1] & 15 == AGAIN
    # and a replay of it that was not sent leaves it as it was
    book.tell([dead._replace(stage=entry.REPLAY, outcome=entry.WAITING)])
    assert book.letters["", 1][0] == 2 and book.raw[1] & 15 == DEAD


def test_an_event_of_which_only_the_stream_knows_is_on_its_way() -> None:
    book = Book()
    book.stored[RAW] = Stored(1, 1)
    book.know(1, "tills", 0)
    assert book.raw[1] & 15 == OPEN and ledger(book).sources[0]["in_progress"] == 1


def test_the_shape_is_the_one_scripts_rely_on() -> None:
    shape = Ledger([], [], []).as_dict()
    assert list(shape)[:4] == ["balanced", "sources", "routes", "unexplained"]
    assert set(list(shape)[4:]) == {"missing", "by_day", "gap", "gaps", "unread", "as_of"}
    assert list(route_after()) == ["route", "matched", "delivered", "dead_lettered", "discarded", "in_progress"]


def test_what_was_replayed_is_kept_in_mind_until_it_has_an_outcome_or_is_past_its_retention() -> None:
    book = Book()
    book.stored = {RAW: Stored(1, 3), EVENTS: Stored(1, 3), DLQ: Stored(1, 9)}
    of_raw = [Entry(seq, entry.REPLAY, entry.REPLAYED, source="tills", raw=seq) for seq in (1, 2)]
    of_route = [Entry(seq, entry.REPLAY, entry.REPLAYED, source="tills", seq=seq, route="erp") for seq in (1, 2, 3)]
    book.tell([*of_raw, *of_route, of_raw[1]._replace(at=1)])
    assert book.replays == {("", 1): 1, ("", 2): 2, ("erp", 1): 1, ("erp", 2): 2, ("erp", 3): 3}
    book.tell([of_route[2]._replace(stage=entry.DELIVER, outcome=entry.DELIVERED)])
    book.trim(EVENTS, 2)
    assert book.replays == {("", 1): 1, ("", 2): 2, ("erp", 2): 2}
    book.tell([of_raw[0]._replace(stage=entry.PROCESS, outcome=entry.ROUTED, seq=3)])
    book.trim(RAW, 3)
    assert book.replays == {("erp", 2): 2}
