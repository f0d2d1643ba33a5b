"""The first page of the console with a journal of some length: measured in a browser, short here."""

from contextlib import nullcontext
from typing import Any

import pytest

from bench import journal_console
from simulators import browser
from tests.faults.installation import servers_or_skip
from tests.postgres import postgres, programs
from tests.realservers import missing


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_first_page_is_timed_until_it_counts_what_the_journal_holds(database: str) -> None:
    servers_or_skip()
    if browser.binary() is None or (database == "postgresql" and programs() is None):
        missing("no browser or no PostgreSQL is installed")
    serving: Any = postgres() if database == "postgresql" else nullcontext("")
    with serving as url:
        figures = journal_console.measure(5_000, url)
    assert (figures["entries"], figures["letters"]) == (5_000, 500)
    assert 0 < figures["median_ms"] <= figures["worst_ms"]


@pytest.mark.parametrize(("median", "wrong"), [(1000.0, 0), (1000.1, 1)])
def test_a_page_of_more_than_a_second_is_a_fault(median: float, wrong: int) -> None:
    assert len(journal_console.faults({"median_ms": median})) == wrong
