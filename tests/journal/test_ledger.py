"""The ledger: a consistent history balances, and whatever is taken from it is named."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from journal import entry
from journal.entry import Entry
from journal.ledger import Ledger, RawEvent, RoutedEvent, balance

ROUTES = ("erp", "oms")


@dataclass
class History:
    """What the streams hold after some events."""

    raw: list[RawEvent] = field(default_factory=list)
    events: list[RoutedEvent] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    letters: set[int] = field(default_factory=set)

    def balance(self) -> Ledger:
        return balance(self.raw, self.events, self.entries, frozenset(self.letters))

    def process(self, outcome: str, source: str, deliveries: dict[str, str]) -> None:
        seq = len(self.raw) + 1
        waiting = outcome == "waiting"
        self.raw.append(RawEvent(seq, source, f"id{seq}", waiting))
        if waiting:
            return
        line = Entry(seq, entry.PROCESS, outcome, source=source, id=f"id{seq}", raw=seq)
        if outcome == entry.DEAD_LETTERED:
            line = line._replace(ref=self._letter())
        elif outcome == entry.ROUTED:
            line = line._replace(seq=self._event(f"id{seq}", deliveries))
        self.entries.append(line)

    def _letter(self) -> int:
        self.letters.add(len(self.letters) + 1)
        return len(self.letters)

    def _event(self, id_: str, deliveries: dict[str, str]) -> int:
        seq = len(self.events) + 1
        waiting = frozenset(route for route, outcome in deliveries.items() if outcome == "waiting")
        self.events.append(RoutedEvent(seq, id_, tuple(deliveries), waiting))
        for route, outcome in deliveries.items():
            if outcome != "waiting":
                ref = self._letter() if outcome == entry.DEAD_LETTERED else 0
                line = Entry(seq, entry.DELIVER, outcome, id=id_, seq=seq, route=route, ref=ref)
                self.entries += [line._replace(outcome=entry.RETRIED, ref=0), line]
        return seq


OUTCOMES = st.sampled_from([entry.ROUTED, entry.ROUTED, entry.DUPLICATE, entry.DEAD_LETTERED, "waiting"])
DELIVERED = st.sampled_from([entry.DELIVERED, entry.SKIPPED, entry.DEAD_LETTERED, entry.DISCARDED, "waiting"])
EVENTS = st.tuples(OUTCOMES, st.sampled_from(["tills", "acme"]), st.dictionaries(st.sampled_from(ROUTES), DELIVERED))


@st.composite
def histories(draw: st.DrawFn) -> History:
    history = History()
    for outcome, source, deliveries in draw(st.lists(EVENTS, max_size=12)):
        history.process(outcome, source, deliveries)
    return history


def even(ledger: Ledger) -> bool:
    parts = ("routed", "duplicate", "quarantined", "dead_lettered", "in_progress")
    sources = all(row["accepted"] == sum(row[part] for part in parts) for row in ledger.sources)
    return sources and all(
        row["matched"] == sum(row[part] for part in ("delivered", "dead_lettered", "discarded", "in_progress"))
        for row in ledger.routes
    )


@given(histories(), st.randoms())
def test_a_consistent_history_balances_in_whatever_order_it_was_recorded(history: History, random: object) -> None:
    expected = history.balance()
    random.shuffle(history.entries)  # type: ignore[attr-defined]
    ledger = history.balance()
    assert ledger.balanced and even(ledger)
    assert ledger == expected
    assert sum(row["accepted"] for row in ledger.sources) == len(history.raw)


@given(histories(), st.data())
def test_an_outcome_that_is_missing_is_named(history: History, data: st.DataObject) -> None:
    final = [line for line in history.entries if line.outcome != entry.RETRIED]
    assume(final)
    lost = data.draw(st.sampled_from(final))
    history.entries = [line for line in history.entries if line != lost]
    ledger = history.balance()
    assert not ledger.balanced and even(ledger)
    assert [item["event_id"] for item in ledger.unexplained] == [lost.id]
    assert [item["at"] for item in ledger.unexplained] == [lost.route or lost.source]


@given(histories(), st.data())
def test_a_dead_letter_that_is_missing_is_named(history: History, data: st.DataObject) -> None:
    assume(history.letters)
    lost = data.draw(st.sampled_from(sorted(history.letters)))
    history.letters.remove(lost)
    (item,) = history.balance().unexplained
    assert (item["stream"], item["seq"]) == ("DLQ", lost)


@given(histories(), st.data())
def test_a_canonical_event_that_is_missing_is_named(history: History, data: st.DataObject) -> None:
    assume(history.events)
    lost = data.draw(st.sampled_from(history.events))
    history.events.remove(lost)
    (item,) = history.balance().unexplained
    assert (item["stream"], item["seq"], item["event_id"]) == ("EVENTS", lost.seq, lost.id)


@given(histories())
def test_entries_that_were_recorded_twice_change_nothing(history: History) -> None:
    expected = history.balance()
    history.entries += history.entries
    assert history.balance() == expected


def delivered(*outcomes: str) -> Ledger:
    history = History()
    history.process(entry.ROUTED, "tills", {"erp": "waiting"})
    history.events = [replace(history.events[0], waiting=frozenset())]
    history.letters = {7, 8}
    for number, outcome in enumerate(outcomes):
        stage = entry.REPLAY if outcome == entry.REPLAYED else entry.DELIVER
        ref = 7 if outcome == entry.DEAD_LETTERED else 0
        history.entries.append(Entry(number, stage, outcome, id="id1", raw=1, seq=1, route="erp", ref=ref))
    return history.balance()


@pytest.mark.parametrize(
    ("outcomes", "column"),
    [
        ((entry.DEAD_LETTERED,), "dead_lettered"),
        ((entry.DEAD_LETTERED, entry.REPLAYED), "in_progress"),
        ((entry.DEAD_LETTERED, entry.REPLAYED, entry.RETRIED), "in_progress"),
        ((entry.DEAD_LETTERED, entry.REPLAYED, entry.DELIVERED), "delivered"),
        ((entry.DEAD_LETTERED, entry.REPLAYED, entry.DEAD_LETTERED), "dead_lettered"),
        ((entry.DELIVERED, entry.DEAD_LETTERED), "delivered"),
        ((entry.DEAD_LETTERED, entry.DISCARDED), "discarded"),
        ((entry.DEAD_LETTERED, entry.DISCARDED, entry.REPLAYED, entry.DELIVERED), "delivered"),
        ((entry.DEAD_LETTERED, entry.REPLAYED, entry.DELIVERED, entry.DISCARDED), "delivered"),
    ],
)
def test_the_last_word_on_a_delivery_counts_and_success_stands(outcomes: tuple[str, ...], column: str) -> None:
    ledger = delivered(*outcomes)
    assert ledger.balanced and even(ledger)
    assert ledger.routes[0][column] == 1


def test_only_retries_are_no_outcome() -> None:
    assert not delivered(entry.RETRIED).balanced


def test_a_repeat_that_the_broker_dropped_is_accepted_and_a_duplicate() -> None:
    ledger = balance([], [], [Entry(1, entry.GATEWAY, entry.DUPLICATE, source="tills", raw=1)], frozenset())
    assert ledger.sources == [
        {"source": "tills", "accepted": 1, "routed": 0, "duplicate": 1, "quarantined": 0, "dead_lettered": 0,
         "in_progress": 0}
    ]  # fmt: skip


def test_the_shape_is_the_one_scripts_rely_on() -> None:
    shape = delivered(entry.DELIVERED).as_dict()
    assert list(shape) == ["balanced", "sources", "routes", "unexplained"]
    assert list(shape["routes"][0]) == ["route", "matched", "delivered", "dead_lettered", "discarded", "in_progress"]
    (item,) = delivered().as_dict()["unexplained"]
    assert item == {"stream": "EVENTS", "seq": 1, "event_id": "id1", "at": "erp", "why": "no outcome was recorded"}


def test_what_was_accepted_and_is_not_stored_is_named_while_it_should_be_kept() -> None:
    lines = [Entry(at, entry.GATEWAY, entry.ACCEPTED, source="tills", id=f"id{at}", raw=at) for at in (1, 2, 3)]
    ledger = balance([RawEvent(3, "tills", "id3", True)], [], lines, frozenset(), kept_since=1)
    assert [(item["seq"], item["why"]) for item in ledger.unexplained] == [(2, "accepted, but not stored")]
