"""What a list of dead letters for people promises, asked of SQLite in memory, SQLite in a file and PostgreSQL."""

import pytest
from sqlalchemy import event

from crossdock.adapters.sql import SqlJournal
from journal import entry
from journal.search import Letters
from tests.ports.plans import explained
from tests.ports.test_journalstore_port import DEAD

SEEN = {"dl-1": 10, "dl-2": 20, "dl-3": 20, "dl-4": 30, "dl-5": 40, "dl-6": 50}
REPLAYED, GIVEN_UP = ("dl-4", "dl-6"), ("dl-2",)


@pytest.fixture
def filled(store: SqlJournal) -> SqlJournal:
    """A journal of six dead letters, of which two were delivered since and one was given up."""
    lines = [DEAD._replace(at=at, dead_letter=name, id=f"s-{name}") for name, at in SEEN.items()]
    lines[4] = lines[4]._replace(route="other", partner="acme", detail="HTTP 409: 100% Sold Out")
    lines += [lines[int(name[3:]) - 1]._replace(at=60, outcome=entry.DELIVERED) for name in REPLAYED]
    lines += [lines[int(name[3:]) - 1]._replace(at=70, outcome=entry.DISCARDED) for name in GIVEN_UP]
    store.project(lines, 1)
    return store


def listed(store: SqlJournal, **wanted: object) -> list[str]:
    return [one.id for one in store.newest(Letters(**wanted)).items]  # type: ignore[arg-type]


def test_open_ones_come_first_and_of_these_and_of_the_others_the_newest(filled: SqlJournal) -> None:
    assert listed(filled) == ["dl-5", "dl-3", "dl-1", "dl-6", "dl-4", "dl-2"]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"state": "open"}, ["dl-5", "dl-3", "dl-1"]),
        ({"state": "resolved"}, ["dl-6", "dl-4"]),
        ({"state": "replaying"}, []),
        ({"route": "other"}, ["dl-5"]),
        ({"reason": "refused", "state": "discarded"}, ["dl-2"]),
        ({"partner": "acme"}, ["dl-5"]),
        ({"partner": "acme", "state": "resolved"}, []),
        ({"text": "sold OUT"}, ["dl-5"]),
        ({"text": "100% s"}, ["dl-5"]),
        ({"text": "1%s"}, []),
        ({"text": "S-DL-1"}, ["dl-1"]),
        ({"text": "dl-6"}, ["dl-6"]),
    ],
)
def test_letters_are_listed_of_which_all_is_true_that_is_asked_for(
    filled: SqlJournal, wanted: dict[str, str], ids: list[str]
) -> None:
    assert listed(filled, **wanted) == ids


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_pages_hold_each_letter_once_also_when_others_fail_meanwhile(filled: SqlJournal, limit: int) -> None:
    # given
    seen: list[str] = []
    after = ""
    # when
    for number in range(10):
        page = filled.newest(Letters(limit=limit, after=after))
        seen += [one.id for one in page.items]
        filled.project([DEAD._replace(at=100 + number, dead_letter=f"dl-new-{number}")], 2 + number)
        if not (after := page.next):
            break
    # then
    assert seen == ["dl-5", "dl-3", "dl-1", "dl-6", "dl-4", "dl-2"]


def test_a_letter_that_is_sent_through_while_pages_are_read_is_not_left_out(filled: SqlJournal) -> None:
    # given
    first = filled.newest(Letters(limit=2))
    # when
    filled.project([DEAD._replace(at=80, dead_letter="dl-1", outcome=entry.DELIVERED)], 2)
    # then
    rest = filled.newest(Letters(after=first.next))
    assert [one.id for one in rest.items] == ["dl-6", "dl-4", "dl-2", "dl-1"]


def test_a_page_is_found_by_an_index_and_nothing_is_sorted(filled: SqlJournal) -> None:
    with filled._engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            pytest.skip("PostgreSQL scans a table while it is small")
        plan: list[str] = []
        event.listen(filled._engine, "before_cursor_execute", lambda *seen: plan.extend(explained(connection, *seen)))
        # when
        filled.newest(Letters(after="0.50.dl-6"))
    # then
    assert plan and all("letters_by_state" in line for line in plan if line.startswith("SEARCH"))
    assert not any(line.startswith("SCAN") for line in plan)
