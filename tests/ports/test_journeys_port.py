"""What every `Journeys` promises a partner's look-ups, asked of SQLite in memory, SQLite in a file and PostgreSQL."""

import pytest
from sqlalchemy import event

from crossdock.adapters.sql import SqlJournal
from journal import entry
from tests.ports.plans import explained
from tests.ports.test_journalstore_port import ACCEPTED, DEAD, ROUTED


def test_a_partner_finds_only_its_own(store: SqlJournal) -> None:
    foreign = ACCEPTED._replace(partner="acme", source="acme", raw=2)
    store.project([ACCEPTED, foreign], 1)
    assert store.journey("acme", "s-1") == [foreign._replace(attempts=1)]
    assert store.accepted("acme", (0, -1), 9, 9) == [foreign]
    assert store.journey("nobody", "s-1") == store.accepted("nobody", (0, -1), 9, 9) == []
    assert len(store.find("s-1")) == 2


def test_steps_of_one_place_are_told_once_with_their_number(store: SqlJournal) -> None:
    tried = [DEAD._replace(at=at, outcome=entry.RETRIED, dead_letter="", attempts=0) for at in (4, 6, 5)]
    fed = [ROUTED._replace(stage=entry.DELIVER, outcome=entry.MATCHED, routes=name) for name in ("a", "b")]
    store.project([ACCEPTED, ROUTED, *fed, *tried, DEAD._replace(at=9)], 1)
    assert [(step.outcome, step.at, step.attempts) for step in store.steps([1, 77])] == [
        (entry.ACCEPTED, 1, 1), (entry.ROUTED, 2, 1), (entry.MATCHED, 2, 1), (entry.MATCHED, 2, 1),
        (entry.RETRIED, 5, 3), (entry.DEAD_LETTERED, 9, 1),
    ]  # fmt: skip
    assert store.steps([1]) == store.journey("stores", "s-1")


def test_a_journey_is_that_of_one_origin_when_asked_for_it(store: SqlJournal) -> None:
    store.project([ACCEPTED._replace(origin="/a"), ACCEPTED._replace(origin="/b", raw=2)], 1)
    assert [step.raw for step in store.journey("stores", "s-1", "/b")] == [2]
    assert [step.raw for step in store.journey("stores", "s-1")] == [1, 2]


def test_events_are_listed_once_by_time_and_place_whichever_entry_is_left_of_them(store: SqlJournal) -> None:
    late = ACCEPTED._replace(at=5, raw=7)
    unnoted = ROUTED._replace(at=5, raw=6)
    store.project([ROUTED, unnoted, unnoted._replace(at=8, outcome=entry.DEAD_LETTERED), ACCEPTED, late, DEAD], 1)

    def listed(after: tuple[int, int], until: int = 99, limit: int = 9) -> list[tuple[int, int]]:
        return [(line.at, line.raw) for line in store.accepted("stores", after, until, limit)]

    assert listed((0, -1)) == [(1, 1), (5, 6), (5, 7)]
    assert listed((5, 6)) == [(5, 7)]
    assert listed((0, -1), until=5) == [(1, 1)]
    assert listed((0, -1), limit=2) == [(1, 1), (5, 6)]


def test_a_page_of_a_list_is_found_through_indexes(store: SqlJournal) -> None:
    with store._engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            pytest.skip("PostgreSQL scans a table while it is small")
        plan: list[str] = []
        event.listen(store._engine, "before_cursor_execute", lambda *seen: plan.extend(explained(connection, *seen)))
        store.accepted("stores", (0, -1), 9, 9)
        store.steps([1, 2])
    assert any("by_listed (partner=? AND at>? AND at<?)" in line for line in plan)
    assert not [line for line in plan if "SCAN entries_" in line]


def test_an_event_can_be_sent_again_by_what_was_made_of_it_or_given_up(store: SqlJournal) -> None:
    # given
    accepted = ACCEPTED._replace(type="pos.sale")
    routed = accepted._replace(stage=entry.PROCESS, outcome=entry.ROUTED, type="inventory.sold", seq=5)
    dead = routed._replace(stage=entry.DELIVER, outcome=entry.DEAD_LETTERED, route="stock", dead_letter="dl-1")
    delivered = dead._replace(outcome=entry.DELIVERED, dead_letter="", route="wms")
    # when
    store.project([accepted, routed, dead, delivered, accepted._replace(raw=2)], 1)
    # then
    assert sorted(store.origins([1, 3])) == [
        (1, "accepted", 0, "", "pos.sale"),
        (1, "dead_lettered", 5, "dl-1", "inventory.sold"),
        (1, "routed", 5, "", "inventory.sold"),
    ]
