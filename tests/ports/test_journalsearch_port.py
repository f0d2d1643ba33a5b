"""What a search of the journal promises, asked of SQLite in memory, SQLite in a file and PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy import event

from crossdock.adapters.sql import SqlJournal
from crossdock.adapters.sqltables import DAY
from journal import entry, keys
from journal.entry import Entry
from journal.search import Search
from tests.ports.plans import explained
from tests.ports.test_journalstore_port import ACCEPTED, DEAD, ROUTED

ORDER = keys.write([("po", "4500001"), ("store", "0042")])


def event_of(raw: int, at: int, partner: str = "stores") -> list[Entry]:
    """Return the entries of one event of some time that goes to two routes, one of which refuses every third."""
    about: dict[str, Any] = {"raw": raw, "partner": partner, "id": f"s-{raw}"}
    named = ORDER if raw == 2 else keys.write([("store", "0042")])
    routed = ROUTED._replace(at=at + 1, key=f"0042/{raw}", keys=named, **about)
    sent = DEAD._replace(at=at + 2, key=routed.key, outcome=entry.DELIVERED, detail="HTTP 200", ref=0, **about)
    sent = sent._replace(reason="", dead_letter="")
    refused = sent._replace(route="orders", outcome=entry.DEAD_LETTERED, reason="refused", ref=raw)
    refused = refused._replace(detail=f"HTTP 400: no {raw}%")
    other = refused._replace(dead_letter=f"dl-{raw}") if raw % 3 == 0 else sent._replace(route="orders")
    return [ACCEPTED._replace(at=at, **about), routed, sent, other]


@pytest.fixture
def filled(store: SqlJournal) -> SqlJournal:
    """A journal of nine events, three on each of three days, in three lots; the ninth is of another partner."""
    for raw in range(1, 10):
        store.project(event_of(raw, (raw - 1) // 3 * DAY + raw * 10, "acme" if raw == 9 else "stores"), raw)
    return store


def found(store: SqlJournal, **wanted: object) -> list[int]:
    return [line.raw for line in store.search(Search(**wanted)).items]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "raws"),
    [
        ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ({"key": "s-4"}, [4]),
        ({"key": "0042/4"}, [4]),
        ({"key": "4500001"}, [2]),
        ({"key": "4500001", "kind": "po"}, [2]),
        ({"key": "4500001", "kind": "asn"}, []),
        ({"key": "0042"}, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ({"key": "0042", "partner": "acme"}, [9]),
        ({"key": "0042", "outcome": "dead_lettered", "partner": "stores"}, [6, 3]),
        ({"key": "0042", "since": DAY, "until": 2 * DAY}, [6, 5, 4]),
        ({"partner": "acme"}, [9]),
        ({"source": "tills", "limit": 2}, [9, 8]),
        ({"route": "orders", "limit": 3}, [9, 8, 7]),
        ({"route": "orders", "outcome": "dead_lettered"}, [9, 6, 3]),
        ({"route": "stock", "outcome": "dead_lettered"}, []),
        ({"outcome": "dead_lettered", "since": DAY}, [9, 6]),
        ({"outcome": "dead_lettered", "until": DAY}, [3]),
        ({"outcome": "delivered", "until": 32}, [2, 1]),
        ({"reason": "NO 6%"}, [6]),
        ({"reason": "refused"}, [9, 6, 3]),
        ({"reason": "http 400", "partner": "stores", "route": "orders"}, [6, 3]),
        ({"reason": "o_6"}, []),
        ({"since": 2 * DAY}, [9, 8, 7]),
        ({"key": "'; DROP TABLE letters; --"}, []),
    ],
)
def test_events_are_found_by_all_that_is_asked_for_newest_first(
    filled: SqlJournal, wanted: dict[str, object], raws: list[int]
) -> None:
    assert found(filled, **wanted) == raws


@pytest.mark.parametrize(
    "wanted", [{}, {"key": "0042"}, {"route": "stock"}, {"reason": "refused"}, {"partner": "stores"}]
)
def test_pages_follow_each_other_and_tell_each_event_once(filled: SqlJournal, wanted: dict[str, object]) -> None:
    # given
    whole, told, after = found(filled, **wanted), list[int](), ""
    # when
    for _ in range(20):
        page = filled.search(Search(**wanted, after=after, limit=2))  # type: ignore[arg-type]
        told += [line.raw for line in page.items]
        if not (after := page.next):
            break
    # then
    assert told == whole
    assert after == ""


def test_an_event_stands_at_the_newest_entry_that_fits(filled: SqlJournal) -> None:
    tried = DEAD._replace(
        at=9 * DAY, raw=1, id="s-1", outcome=entry.RETRIED, reason="", detail="HTTP 503", dead_letter=""
    )
    filled.project([tried, tried._replace(at=9 * DAY + 5)], 20)
    (line,) = filled.search(Search(outcome=entry.RETRIED)).items
    assert (line.raw, line.at, line.detail) == (1, 9 * DAY + 5, "HTTP 503")


def test_a_day_is_forgotten_whole_and_the_others_stay(filled: SqlJournal) -> None:
    # when
    filled.forget(2 * DAY - 1)
    # then
    assert found(filled) == [9, 8, 7, 6, 5, 4]
    assert [letter.id for letter in filled.letters()] == ["dl-6", "dl-9"]
    assert sum(n for *_, n in filled.counts()["outcomes"]) == 6 * 4
    assert filled.find("s-1") == []
    # and what comes late goes into a day of its own again
    filled.project([ACCEPTED._replace(at=5, id="late", raw=77)], 30)
    assert [line.raw for line in filled.find("late")] == [77]


def test_a_store_built_again_says_the_same(filled: SqlJournal) -> None:
    # given
    filled.forget(DAY)
    other = SqlJournal("sqlite://")
    # when
    lots = [event_of(raw, (raw - 1) // 3 * DAY + raw * 10, "acme" if raw == 9 else "stores") for raw in range(4, 10)]
    other.project([line for lot in lots for line in lot], 9)
    # then
    for wanted in (Search(), Search("0042"), Search(reason="refused"), Search(route="orders", limit=2), Search("s-5")):
        assert other.search(wanted).items == filled.search(wanted).items
    assert other.letters() == filled.letters()
    assert sorted(other.counts()["outcomes"]) == sorted(filled.counts()["outcomes"])
    assert other.recent(99) == filled.recent(99)
    other.close()


def test_what_is_looked_for_is_found_through_indexes(filled: SqlJournal) -> None:
    with filled._engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            pytest.skip("PostgreSQL scans a table while it is small")
        plan: list[str] = []
        event.listen(filled._engine, "before_cursor_execute", lambda *seen: plan.extend(explained(connection, *seen)))
        used = {}
        for name, wanted in {
            "key": Search(key="0042"), "time": Search(since=5), "partner": Search(partner="stores"),
            "route": Search(route="stock"), "rare": Search(outcome="dead_lettered", route="orders"),
            "reason": Search(reason="refused"),
        }.items():  # fmt: skip
            plan.clear()
            filled.search(wanted)
            used[name] = {line.split("_by_")[1].split()[0] for line in plan if "_by_" in line}
    assert used == {
        "key": {"raw"}, "time": {"at", "raw"}, "partner": {"listed", "raw"}, "route": {"route", "raw"},
        "rare": {"trouble", "raw"}, "reason": {"trouble", "raw"},
    }  # fmt: skip
