"""What every `Processes` promises, asked of SQLite in memory, SQLite in a file and PostgreSQL."""

import random
import time
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import select

from console import processfigures
from crossdock.adapters.sql import SqlJournal
from crossdock.adapters.sqltables import figures_table
from journal import digest, entry, figures, keys, spread
from journal.entry import Entry
from journal.figures import DAY, HOUR, MINUTE, MS, OTHER, Cell
from journal.spread import ERROR

T0 = 1_790_000_000_000 // (DAY * MS) * DAY * MS  # a midnight
WEEK = 7 * DAY * MS
SOLD = "inventory.sold"


def event(raw: int, at: int, store: str = "0042", device: str = "hh-1", ms: int = 5, sent: int = 20) -> list[Entry]:
    """Return what is recorded of an event that goes to one route; `ms` and `sent` are how long both steps took."""
    about = keys.write([("receipt", f"r-{raw}"), ("store", store), ("device", device), ("store", "second")])
    first = Entry(at, entry.GATEWAY, entry.ACCEPTED, "stores", "tills", f"s-{raw}", "/t", "pos.sale", raw)
    made = first._replace(
        at=at + ms, stage=entry.PROCESS, outcome=entry.ROUTED, type=SOLD, seq=raw, key=f"r-{raw}", ms=ms, keys=about
    )
    seen = Entry(
        at + ms + 2, entry.DELIVER, entry.MATCHED, source="tills", id=f"s-{raw}", raw=raw, seq=raw, routes="stock", ms=2
    )
    done = made._replace(
        at=at + ms + sent, stage=entry.DELIVER, outcome=entry.DELIVERED, route="stock", keys="", ms=sent
    )
    return [first, made, seen, done._replace(keys="")]


def project(store: SqlJournal, lots: Sequence[Sequence[Entry]]) -> None:
    for lot in lots:
        store.project(lot, store.position() + 1)


def _cells(store: SqlJournal, hop: str, dimension: str = "", **times: int) -> dict[str, Cell]:
    since, until = times.get("since", T0 - WEEK), times.get("until", T0 + WEEK)
    found = store.processes.cells(since, until, dimension, (hop,), times.get("span", 0))
    assert len({cell.value or cell.name for cell in found}) == len(found), "one cell for each, when asked so"
    return {cell.value or cell.name: cell for cell in found}


def _rows(store: SqlJournal) -> list[tuple[object, ...]]:
    """Return all figures, whatever the order of buckets in them."""
    with store._engine.connect() as connection:
        rows = connection.execute(select(figures_table)).all()
    return sorted((*row[:-1], sorted(spread.read(row[-1]).items())) for row in rows)


def test_each_hop_has_its_durations_under_the_name_of_its_source_or_route(store: SqlJournal) -> None:
    project(store, [event(1, T0, ms=5, sent=8), event(2, T0 + 1, ms=7, sent=9)])
    cells = store.processes.cells(T0, T0 + HOUR * MS, hops=figures.DURATIONS)
    assert sorted((one.hop, one.name, one.spread.n, one.spread.percentile(1)) for one in cells) == [
        ("deliver", "stock", 2, 9), ("match", "stock", 2, 2), ("process", "tills", 2, 7), ("total", "stock", 2, 16),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dimension", "value"), [("partner", "stores"), ("type", SOLD), ("store", "0042"), ("device", "hh-1")]
)
def test_a_delivery_counts_for_all_that_its_event_is_about(store: SqlJournal, dimension: str, value: str) -> None:
    project(store, [event(1, T0)])
    assert {name: cell.spread.n for name, cell in _cells(store, "total", dimension).items()} == {value: 1}


def test_what_is_recorded_out_of_order_is_counted_when_the_rest_comes(store: SqlJournal) -> None:
    # given
    first, made, seen, done = event(1, T0)
    # when
    project(store, [[done, seen]])
    assert _cells(store, "total", "store") == {}
    project(store, [[made, first]])
    # then
    assert _cells(store, "total", "store")["0042"].spread.percentile(1) == pytest.approx(25, rel=ERROR)


def test_what_waits_for_the_rest_is_counted_after_a_restart_too(store: SqlJournal) -> None:
    # given
    first, made, seen, done = event(1, T0)
    project(store, [[done, seen]])
    store.processes.catch_up()
    # when
    store.processes.forget_all()
    project(store, [[made, first]])
    # then
    assert _cells(store, "total", "store")["0042"].spread.n == 1
    assert _cells(store, "deliver", "")["stock"].spread.n == 1


def test_a_delivery_whose_process_step_is_never_recorded_is_counted_for_what_it_says_itself(store: SqlJournal) -> None:
    project(store, [[event(1, T0)[3]], event(2, T0 + digest.WAIT + 30)])
    assert _cells(store, "deliver", "type")[SOLD].spread.n == 2
    assert _cells(store, "total", "type")[SOLD].spread.n == 1


def test_a_delivery_days_later_is_counted_when_it_happened_for_what_its_event_was_about(store: SqlJournal) -> None:
    # given
    *before, done = event(1, T0)
    project(store, [before])
    store.processes.catch_up()
    store.processes.forget_all()
    # when
    project(store, [[done._replace(at=T0 + 2 * DAY * MS + 5, ms=9)]])
    # then
    assert _cells(store, "total", "store", since=T0 + DAY * MS)["0042"].spread.percentile(1) == 14


def test_rework_is_counted_by_kind(store: SqlJournal) -> None:
    # given
    accepted, made, _, done = event(1, T0)
    repeat = accepted._replace(outcome=entry.DUPLICATE, ref=1)
    later = made._replace(outcome=entry.DUPLICATE, raw=2, ref=1, keys="")
    conflict = made._replace(outcome=entry.DEAD_LETTERED, reason="id_conflict", raw=3, keys="")
    refused = made._replace(outcome=entry.DEAD_LETTERED, reason="schema_violation", raw=4, keys="")
    tried = done._replace(outcome=entry.RETRIED)
    lost = done._replace(outcome=entry.DEAD_LETTERED, dead_letter="dl-1")
    again = Entry(T0 + 9, entry.REPLAY, entry.REPLAYED, "stores", "tills", raw=1, seq=1, route="stock")
    given_up = again._replace(outcome=entry.DISCARDED)
    told_back = done._replace(route="callback-tills")
    # when
    project(store, [[accepted, made, repeat, later, conflict, refused, tried, tried, lost, again, given_up, told_back]])
    # then
    (item,) = processfigures.table(store.processes, T0, T0 + HOUR * MS, "store", 9)["items"]
    assert item["rework"] == {
        "duplicate": 2, "id_conflict": 0, "refused": 0, "quarantined": 0, "retried": 2, "replayed": 1,
        "dead_lettered": 1, "discarded": 1,
    }  # fmt: skip
    (whole,) = processfigures.table(store.processes, T0, T0 + HOUR * MS, "partner", 9)["items"]
    assert (whole["rework"]["id_conflict"], whole["rework"]["refused"], whole["count"]) == (1, 1, 0)


def test_values_that_never_end_become_others_and_no_store_of_another_partner_suffers(store: SqlJournal) -> None:
    # given
    flood = [line for raw in range(1, 400) for line in event(raw, T0, device=f'evil-{raw}\\"{raw}')]
    honest = [line._replace(source="doors", partner="dc") for line in event(500, T0, device="hh-7")]
    # when
    project(store, [flood[:1000]])
    store.processes.catch_up()
    store.processes.forget_all()
    project(store, [flood[1000:], honest])
    # then
    cells = _cells(store, "total", "device", until=T0 + HOUR * MS)
    assert len(cells) == figures.MOST_VALUES + 2
    assert (cells[OTHER].spread.n, cells["hh-7"].spread.n) == (399 - figures.MOST_VALUES, 1)
    assert 'evil-1\\"1' in cells


def _storm(seed: int, events: int) -> list[Entry]:
    """Return the entries of many events over three days, out of order as several processes write them."""
    dice = random.Random(seed)
    lines: list[tuple[float, Entry]] = []
    for raw in range(1, events):
        at = T0 + 3 * DAY * MS * raw // events
        about = (f"{dice.randrange(5):04}", f"hh-{dice.randrange(9)}", dice.randrange(50), dice.randrange(4000))
        found = event(raw, at, *about)
        if dice.random() < 0.1:
            found.append(found[1]._replace(outcome=entry.DUPLICATE, raw=events + raw, ref=raw, keys=""))
        if dice.random() < 0.1:
            found.append(found[3]._replace(outcome=entry.RETRIED))
        lines += [(line.at + dice.random() * 5000, line) for line in found]
    return [line for _, line in sorted(lines, key=lambda one: one[0])]


def _lots(lines: Sequence[Entry], size: int) -> Iterator[Sequence[Entry]]:
    return (lines[start : start + size] for start in range(0, len(lines), size))


def test_figures_are_the_same_however_the_journal_was_cut_and_after_it_is_built_again(store: SqlJournal) -> None:
    # given
    lines = _storm(1, 600)
    for number, lot in enumerate(_lots(lines, 37)):
        store.project(lot, (number + 1) * 37)
        if number % 9 == 0:
            store.processes.catch_up()
        if number % 20 == 0:
            store.processes.forget_all()  # as when the process is killed
    store.processes.catch_up()
    before = _rows(store)
    # when
    other = SqlJournal("sqlite://")
    project(other, list(_lots(lines, 400)))
    other.processes.catch_up()
    # then
    assert before == _rows(other)
    other.close()


def test_a_restart_amid_many_events_costs_less_than_to_project_them(store: SqlJournal) -> None:
    # given
    begun = time.monotonic()
    project(
        store, [[line for raw in range(at, at + 500) for line in event(raw, T0 + raw)] for at in range(1, 8_000, 500)]
    )
    store.processes.catch_up()
    projected = time.monotonic() - begun
    store.processes.forget_all()
    begun = time.monotonic()
    store.processes.catch_up()
    assert time.monotonic() - begun < projected


def test_days_that_were_summed_up_say_what_their_hours_say(store: SqlJournal) -> None:
    # given
    lines = _storm(2, 400)
    late = [line for line in lines if line.at < T0 + HOUR * MS]
    project(store, [[line for line in lines if line not in late], late])
    # when
    span = (T0, T0 + 3 * DAY * MS)
    by_day = figures.grouped(store.processes.cells(*span, "store"), lambda cell: (cell.hop, cell.value))
    by_hour = figures.grouped(store.processes.cells(*span, "store", span=HOUR), lambda cell: (cell.hop, cell.value))
    # then
    assert {key: dict(one.buckets) for key, one in by_day.items()} == {k: dict(v.buckets) for k, v in by_hour.items()}
    assert len(store.processes.cells(*span, "store")) < len(store.processes.cells(*span, "store", span=HOUR))


def test_two_processes_that_project_into_one_database_count_once(store: SqlJournal) -> None:
    if store._engine.url.database in (None, "", ":memory:"):
        pytest.skip("a database in memory has one process")
    other = SqlJournal(store._engine.url.render_as_string(hide_password=False))
    for number, lot in enumerate(_lots(_storm(3, 60), 20), 1):
        for one in (store, other) if number % 2 else (other, store):
            one.project(lot, number)
            one.processes.catch_up()
    total = sum(cell.spread.n for cell in other.processes.cells(T0 - HOUR * MS, T0 + WEEK, "", ("process",)))
    assert total == 59
    other.close()


def test_figures_go_with_the_days_of_the_journal(store: SqlJournal) -> None:
    project(store, [event(1, T0), event(2, T0 + DAY * MS)])
    store.processes.catch_up()
    store.forget(T0 + DAY * MS)
    assert [cell.start for cell in store.processes.cells(T0, T0 + WEEK, "", ("total",))] == [T0 + DAY * MS]
    assert processfigures.table(store.processes, T0, T0 + DAY * MS, "type", 9)["items"] == []


def test_minutes_tell_of_a_hop_over_the_last_minutes(store: SqlJournal) -> None:
    project(store, [event(1, T0, sent=20), event(2, T0 + MS, sent=400), event(3, T0 + 5 * MS, sent=10)])
    last = figures.spread_of(store.processes, "deliver", "stock", T0 + MS, T0 + 3 * MS)
    assert last.n == 1
    assert last.percentile(0.95) == pytest.approx(400, rel=ERROR)
    assert len(store.processes.cells(T0, T0 + HOUR * MS, "", ("deliver",), MINUTE)) == 3
