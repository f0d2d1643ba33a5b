"""How every `JournalStore` mends: replays that were not sent, texts a database does not take, entries tried out."""

import pytest

from crossdock.adapters.sql import SqlJournal
from crossdock.pipeline.resend import unsent
from journal import entry, keys
from journal.entry import pack, unpack
from journal.search import Search
from journal.store import DISCARDED, OPEN, RESOLVED
from tests.ports.test_journalstore_port import ACCEPTED, DEAD, ROUTED


def test_a_replay_that_was_not_sent_leaves_its_dead_letter_open(store: SqlJournal) -> None:
    replay = DEAD._replace(at=4, stage=entry.REPLAY, outcome=entry.REPLAYED)
    store.project([DEAD, replay], 1)
    assert store.counts()["open"] == 0
    # when
    store.project([unsent(replay)], 2)
    # then
    letter = store.letter("dl-1")
    assert letter is not None
    assert (letter.state, letter.failures, store.counts()["open"]) == (OPEN, 1, 1)


@pytest.mark.parametrize(("outcome", "state"), [(entry.DELIVERED, RESOLVED), (entry.DISCARDED, DISCARDED)])
def test_a_replay_that_was_not_sent_undoes_no_end(store: SqlJournal, outcome: str, state: str) -> None:
    replay = DEAD._replace(at=4, stage=entry.REPLAY, outcome=entry.REPLAYED)
    store.project([DEAD, DEAD._replace(outcome=outcome), unsent(replay)], 1)
    assert [letter.state for letter in store.letters()] == [state]


def test_texts_with_a_nul_are_stored_and_found_by_it_and_by_what_is_shown_in_its_place(store: SqlJournal) -> None:
    # given what a partner put a NUL into, as the journal's messages carry it
    about = keys.write([("po", "45\0001"), ("store", "00\00042")])
    sent = ROUTED._replace(id="s\0001", origin="/t\0001", key="k\0001", keys=about, type="a\000b")
    dead = DEAD._replace(id="s\0001", key="k\0001", detail="no \0 here", reason="r\000", dead_letter="dl\0001")
    store.project(unpack(pack([sent, dead, ACCEPTED._replace(id="other", raw=2)])), 1)
    # then
    for text in ("s\0001", "s\ufffd1", "k\0001", "45\0001", "00\ufffd42"):
        assert [line.raw for line in store.find(text)] == [1, 1]
    assert [line.id for line in store.journey("stores", "s\0001", "/t\0001")] == ["s\ufffd1", "s\ufffd1"]
    assert [letter.detail for letter in store.letters()] == ["no \ufffd here"]
    assert {cell.value for cell in store.processes.cells(0, 1 << 40, "store")} == {"00\ufffd42"}


def test_entries_are_tried_out_without_a_trace(store: SqlJournal) -> None:
    store.project([ACCEPTED], 1)
    store.try_out([ROUTED, DEAD, *[ACCEPTED._replace(id=f"n-{raw}", raw=raw) for raw in range(2, 9)]])
    assert (store.position(), store.recent(9), store.letters(), store.counts()["open"]) == (1, [ACCEPTED], [], 0)
    assert store.find("n-3") == []


@pytest.mark.parametrize("key", ["", "r-1"])
def test_an_event_stands_at_its_process_step_though_the_gateway_noted_it_later(store: SqlJournal, key: str) -> None:
    store.project([ROUTED, ACCEPTED._replace(at=ROUTED.at + 40, key="r-1")], 1)
    found = store.search(Search(key=key)).items
    assert [(one.raw, one.outcome) for one in found] == [(1, entry.ROUTED)]
