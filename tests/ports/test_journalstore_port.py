"""What every `JournalStore` promises, asked of SQLite in memory, SQLite in a file and PostgreSQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event

from crossdock.adapters.sql import SqlJournal
from journal import entry
from journal.cause import problem_id
from journal.entry import Entry
from journal.store import DISCARDED, OPEN, REPLAYING, RESOLVED
from tests.ports.plans import explained

ACCEPTED = Entry(1, entry.GATEWAY, entry.ACCEPTED, "stores", "tills", "s-1", raw=1)
ROUTED = Entry(2, entry.PROCESS, entry.ROUTED, "stores", "tills", "s-1", raw=1, seq=5, key="0042/7")
DEAD = Entry(
    3, entry.DELIVER, entry.DEAD_LETTERED, "stores", "tills", "s-1", raw=1, seq=5, route="stock", key="0042/7",
    reason="refused", detail="HTTP 400", ref=9, dead_letter="dl-1", attempts=1,
)  # fmt: skip


def test_a_new_store_knows_nothing(store: SqlJournal) -> None:
    assert (store.position(), store.find("s-1"), store.recent(5), store.letters()) == (0, [], [], [])
    assert store.counts() == {"outcomes": [], "letters": [], "open": 0}
    assert store.letter("dl-1") is None


def test_every_field_of_an_entry_comes_back(store: SqlJournal) -> None:
    full = Entry(
        2**41, "s", "o", "p", "so", "i", "or", "t", 1, 2, "r", "k€", "re", "de", 3, "dl", 4, "rev", 5, "r,r2", "r3"
    )
    store.project([full], 1)
    assert store.find("i") == [full]


def test_an_event_of_which_only_deliveries_are_left_is_kept_but_not_found(store: SqlJournal) -> None:
    # when
    store.project([DEAD], 1)
    # then
    assert store.find("s-1") == store.find("0042/7") == []
    assert store.recent(5) == [DEAD]


def test_events_are_found_by_id_and_by_business_key_with_all_their_hops(store: SqlJournal) -> None:
    other = Entry(4, entry.GATEWAY, entry.ACCEPTED, "stores", "tills", "s-2", raw=2)
    store.project([ROUTED, ACCEPTED, other], 1)
    assert store.find("s-1") == store.find("0042/7") == [ACCEPTED, ROUTED]
    assert store.find("s-2") == [other]
    assert store.find("") == []


def test_what_is_looked_for_is_found_through_indexes(store: SqlJournal) -> None:
    with store._engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            pytest.skip("PostgreSQL scans a table while it is small")
        plan: list[str] = []
        event.listen(store._engine, "before_cursor_execute", lambda *seen: plan.extend(explained(connection, *seen)))
        store.find("s-1")
    assert {line.split()[-1] for line in plan if "USING" in line} >= {"(value=?)", "(raw=?)", "(ref=?)"}
    assert not [line for line in plan if "SCAN entries_" in line or "SCAN keys_" in line]


def test_deliveries_are_found_with_their_event_and_by_nothing_else(store: SqlJournal) -> None:
    store.project([ACCEPTED, ROUTED, DEAD], 1)
    assert store.find("s-1") == store.find("0042/7") == [ACCEPTED, ROUTED, DEAD]
    store.project([DEAD._replace(id="s-9", raw=9)], 2)
    assert store.find("s-9") == []


def test_a_repeat_is_found_with_the_event_it_repeats(store: SqlJournal) -> None:
    repeat = Entry(4, entry.PROCESS, entry.DUPLICATE, "stores", "tills", "s-1", raw=3, ref=1)
    store.project([ACCEPTED, ROUTED, repeat], 1)
    assert store.find("0042/7") == [ACCEPTED, ROUTED, repeat]


def test_what_is_looked_for_is_bounded(store: SqlJournal) -> None:
    store.project([ACCEPTED._replace(at=number, raw=number) for number in range(1, 30)], 1)
    assert [line.at for line in store.find("s-1", limit=3)] == [27, 28, 29]
    assert [line.at for line in store.recent(2)] == [29, 28]


def test_a_message_that_comes_again_changes_nothing(store: SqlJournal) -> None:
    store.project([ACCEPTED], 7)
    store.project([ACCEPTED, DEAD], 7)
    store.project([ACCEPTED], 3)
    assert (store.position(), store.recent(9)) == (7, [ACCEPTED])
    store.project([], 8)
    assert store.position() == 8


def test_outcomes_are_counted_by_stage_and_name(store: SqlJournal) -> None:
    store.project([ACCEPTED, ROUTED, DEAD], 1)
    store.project([ACCEPTED, DEAD._replace(dead_letter="dl-2")], 2)
    assert sorted(store.counts()["outcomes"]) == [
        ("deliver", "stock", "dead_lettered", 2),
        ("gateway", "tills", "accepted", 2),
        ("process", "tills", "routed", 1),
    ]
    assert (store.counts()["open"], store.counts()["letters"]) == (2, [("deliver", "stock", 2)])


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([], OPEN),
        ([entry.REPLAYED], REPLAYING),
        ([entry.REPLAYED, entry.DELIVERED], RESOLVED),
        ([entry.REPLAYED, entry.RETRIED], REPLAYING),
        ([entry.REPLAYED, entry.DEAD_LETTERED], OPEN),
        ([entry.REPLAYED, entry.SKIPPED], RESOLVED),
        ([entry.DISCARDED], DISCARDED),
        ([entry.REPLAYED, entry.DELIVERED, entry.DISCARDED], RESOLVED),
        ([entry.REPLAYED, entry.QUARANTINED], OPEN),
        ([entry.REPLAYED, entry.WAITING], REPLAYING),
    ],
)
def test_a_dead_letter_goes_through_its_states(store: SqlJournal, outcomes: list[str], state: str) -> None:
    store.project([DEAD], 1)
    for number, outcome in enumerate(outcomes, 2):
        store.project([DEAD._replace(at=DEAD.at + number, outcome=outcome, ref=20 + number)], number)
    letter = store.letter("dl-1")
    assert letter is not None
    assert (letter.state, letter.first_seen, letter.event_id, letter.partner) == (state, 3, "s-1", "stores")
    again = outcomes[-1:] in ([entry.DEAD_LETTERED], [entry.QUARANTINED])
    assert letter.failures == 1 + again
    assert letter.ref == (23 if again else 9)


def test_dead_letters_are_chosen_by_state_route_and_reason(store: SqlJournal) -> None:
    lines = [
        DEAD,
        DEAD._replace(at=4, dead_letter="dl-2", route="other"),
        DEAD._replace(at=5, dead_letter="dl-3", reason="retries_ended"),
        DEAD._replace(at=6, dead_letter="dl-3", outcome=entry.REPLAYED),
    ]
    store.project(lines, 1)

    def ids(**wanted: str) -> list[str]:
        return [letter.id for letter in store.letters(**wanted)]  # type: ignore[arg-type]

    assert ids() == ["dl-1", "dl-2", "dl-3"]
    assert ids(state=OPEN) == ["dl-1", "dl-2"]
    assert ids(route="other") == ["dl-2"]
    assert ids(reason="retries_ended", state=OPEN) == []
    assert [letter.id for letter in store.letters(limit=1)] == ["dl-1"]
    by_cause = store.causes(recent=0)
    assert sum(count.number for count in by_cause) == len(store.letters())
    for count in by_cause:
        alike = [letter for letter in store.letters(problem=problem_id(count.cause)) if letter.state == count.state]
        assert count.number == count.recent == len([letter for letter in alike if letter.partner == count.partner])
        assert count.sample in [letter.id for letter in alike]
    assert sum(count.recent for count in store.causes(recent=2**60)) == 0


def test_a_dead_letter_is_shown_in_the_shape_scripts_rely_on(store: SqlJournal) -> None:
    store.project([DEAD], 1)
    (letter,) = store.letters()
    shown = letter.as_dict()
    assert shown.pop("problem") == problem_id("deliver|stock|refused|HTTP 400")
    assert shown == {
        "id": "dl-1", "event_id": "s-1", "stage": "deliver", "source": "tills", "route": "stock", "reason": "refused",
        "detail": "HTTP 400", "state": "open", "first_seen": 3, "last_seen": 3, "attempts": 1,
    }  # fmt: skip


def test_texts_of_partners_are_data_and_nothing_else(store: SqlJournal) -> None:
    text = "'; DROP TABLE entries; -- %_"
    store.project([ACCEPTED._replace(id=text)], 1)
    assert [line.id for line in store.find(text)] == [text]
    assert store.find("%") == []


def test_a_file_is_read_again_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    first = SqlJournal(url)
    first.project([ACCEPTED], 4)
    first.close()
    second = SqlJournal(url)
    assert (second.position(), second.find("s-1")) == (4, [ACCEPTED])
    second.close()


def test_tables_of_an_earlier_version_are_made_anew(store: SqlJournal) -> None:
    store.project([ACCEPTED, DEAD], 4)
    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE position SET seq = 1 WHERE name = 'layout'")
    store.prepare()
    assert (store.position(), store.recent(9), store.letters(), store.counts()["outcomes"]) == (0, [], [], [])
    full = ACCEPTED._replace(behind="erp,oms")
    store.project([full], 1)
    assert store.find("s-1") == [full]


@pytest.mark.parametrize("table", ["entries (n INTEGER, at INTEGER)", "position (name TEXT PRIMARY KEY, seq BIGINT)"])
def test_tables_from_before_there_were_days_are_made_anew(tmp_path: Path, table: str) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as earlier:
        earlier.execute("CREATE TABLE letters (id TEXT)")
        earlier.execute("CREATE TABLE position (name TEXT PRIMARY KEY, seq BIGINT)")
        earlier.execute(f"CREATE TABLE IF NOT EXISTS {table}")
    store = SqlJournal(f"sqlite:///{path}")
    store.prepare()
    store.project([ACCEPTED], 1)
    assert store.find("s-1") == [ACCEPTED]
    store.close()


def test_tables_of_this_version_are_kept(store: SqlJournal) -> None:
    store.project([ACCEPTED], 4)
    store.prepare()
    assert (store.position(), store.recent(9)) == (4, [ACCEPTED])


def test_many_dead_letters_at_once_go_through_their_states(store: SqlJournal) -> None:
    dead = [DEAD._replace(dead_letter=f"dl-{number}") for number in range(1200)]
    store.project(dead, 1)
    store.project([line._replace(outcome=entry.DELIVERED) for line in dead[:1100]], 2)
    assert store.counts()["open"] == 100
    assert len(store.letters(state=RESOLVED, limit=2000)) == 1100


def test_a_delivery_that_names_a_dead_letter_nobody_stored_makes_none(store: SqlJournal) -> None:
    store.project([DEAD._replace(outcome=entry.DELIVERED)], 1)
    assert store.letters() == []


def test_a_second_replay_does_not_undo_the_end_of_the_first(store: SqlJournal) -> None:
    again = DEAD._replace(outcome=entry.REPLAYED, stage=entry.REPLAY)
    store.project([DEAD, again, DEAD._replace(outcome=entry.DELIVERED), again], 1)
    assert [letter.state for letter in store.letters()] == ["resolved"]


def test_the_events_that_a_route_delivered_count_once_each(store: SqlJournal) -> None:
    # given
    done = ROUTED._replace(stage=entry.DELIVER, outcome=entry.DELIVERED, route="stock")
    lines = [done, done._replace(at=9), done._replace(seq=6), done._replace(seq=7), done._replace(seq=6, route="wms")]
    # when
    store.project([*lines, DEAD._replace(seq=4)], 1)
    # then
    assert store.delivered("stock", 4, 6) == 2
    assert store.delivered("nowhere", 1, 9) == 0
