"""What alerts are judged by is what the operations side shows: each kind of condition by its own figures."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from alerts.spec import Condition
from console.facts import Facts
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Lag
from crossdock.pipeline.rhythm import Silence
from journal.figures import MS, Cell
from journal.spread import Spread, of
from tests import smallproject

NOW = 1_790_000_030.0  # half a minute into one
MINUTE = int(NOW) * 1000 // MS * MS
TWO = {
    "routes/more.yaml": "routes:\n  - {route: more, from: [inventory.sold], to: erp}\n",
    "gateway/web.yaml": smallproject.source("web", "shop", "match: /web"),
}


class Known:
    """Figures that were counted."""

    def __init__(self, *cells: tuple[int, str, str, Spread]) -> None:
        self._cells = [Cell(start, hop, name, "", spread) for start, hop, name, spread in cells]
        self.asked: list[tuple[int, int, int]] = []

    def cells(self, since: int, until: int, dimension: str = "", hops: Sequence[str] = (), span: int = 0) -> list[Cell]:
        self.asked.append((since, until, span))
        return [cell for cell in self._cells if cell.hop in hops and since <= cell.start <= until]


def facts(root: Path, **known: Any) -> Facts:
    project = smallproject.project(root, TWO)

    async def lags() -> Mapping[str, Lag]:
        return {"stock": Lag("route-stock", 7), "process": Lag("process", 2)}

    async def ages() -> Mapping[str, float]:
        return {"stock": 61.5, "more": 0.0}

    async def drift() -> Iterable[str]:
        return ["tills", "tills", "gone"]

    given: dict[str, Any] = {
        "project": lambda: project, "lags": lags, "ages": ages, "drift": drift, "states": dict, "processes": Known(),
        "gaps": list, "silences": lambda _: [], "clock": lambda: NOW,
    }  # fmt: skip
    return Facts(**given | known)


def figures(made: Facts, kind: str, **more: Any) -> dict[str, float | None]:
    return dict(asyncio.run(made.figures(Condition(kind, **more))))


def test_lag_and_age_are_those_of_the_process_step_and_of_each_route(tmp_path: Path) -> None:
    made = facts(tmp_path)
    assert figures(made, "lag") == {"step process": 2, "route stock": 7, "route more": None}
    assert figures(made, "lag", sort="step", names=("process",)) == {"step process": 2}
    assert figures(made, "lag", sort="route", names=("stock",)) == {"route stock": 7}
    assert figures(made, "oldest_age") == {"step process": None, "route stock": 61.5, "route more": 0.0}


def test_routes_that_share_a_feed_are_one_unless_they_are_named(tmp_path: Path) -> None:
    async def lags() -> Mapping[str, Lag]:
        return {"stock": Lag("feed-0-of-1", 7), "more": Lag("feed-0-of-1", 7), "process": Lag("process", 2)}

    made = facts(tmp_path, lags=lags)
    assert figures(made, "lag") == {"step process": 2, "step deliver": 7}
    assert figures(made, "oldest_age") == {"step process": None, "step deliver": 61.5}
    assert figures(made, "lag", sort="route", names=("more", "stock")) == {"route more": 7, "route stock": 7}


def test_dead_letters_are_counted_by_the_minute_over_the_time_asked_for(tmp_path: Path) -> None:
    known = Known(
        (MINUTE, "dead_lettered", "stock", of([0] * 20)),
        (MINUTE - 4 * MS, "dead_lettered", "stock", of([0] * 30)),
        (MINUTE - 5 * MS, "dead_lettered", "stock", of([0] * 1000)),  # too long ago
        (MINUTE, "refused", "tills", of([0] * 5)),
        (MINUTE, "quarantined", "tills", of([0] * 10)),
        (MINUTE, "retried", "stock", of([0] * 1000)),
    )
    found = figures(facts(tmp_path, processes=known), "dead_letter_rate", over=300.0)
    assert found == {"route stock": 10, "route more": 0, "source tills": 3, "source web": 0}
    assert figures(facts(tmp_path), "dead_letter_rate", over=60.0, sort="source", names=("web",)) == {"source web": 0}


def test_long_times_are_read_by_the_hour(tmp_path: Path) -> None:
    known = Known()
    figures(facts(tmp_path, processes=known), "dead_letter_rate", over=7 * 86400.0)
    assert {span for _, _, span in known.asked} == {60}


@pytest.mark.parametrize(("percentile", "seconds"), [("p50", 1.0), ("p95", 9.0)])
def test_a_hop_is_as_slow_as_its_percentile(tmp_path: Path, percentile: str, seconds: float) -> None:
    spread = of([1000] * 90 + [9000] * 10)
    made = facts(tmp_path, processes=Known((MINUTE, "deliver", "stock", spread)))
    found = figures(made, "hop_sla", hop="deliver", over=900.0, percentile=percentile)
    assert found == {"route stock": pytest.approx(seconds, rel=0.02), "route more": 0.0}
    assert figures(made, "hop_sla", hop="process", over=900.0) == {"source tills": 0, "source web": 0}


def test_a_breaker_is_open_while_it_tries_and_unknown_while_no_worker_tells(tmp_path: Path) -> None:
    made = facts(tmp_path, states=lambda: {"stock": {"breaker": "half_open"}})
    assert figures(made, "breaker_open") == {"route stock": 1, "route more": None}
    assert figures(made, "breaker_open", sort="connector", names=("wms",)) == {}
    closed = facts(tmp_path, states=lambda: {"stock": {"breaker": "closed"}, "more": {"breaker": "paused"}})
    assert figures(closed, "breaker_open", sort="connector", names=("erp",)) == {"route stock": 0, "route more": 0}


def test_a_source_is_silent_for_longer_than_usual_or_than_said(tmp_path: Path) -> None:
    told = [Silence("tills", 1, 7200.0, 600.0, True), Silence("web", 1, 7200.0, 0.0, False)]
    made = facts(tmp_path, silences=lambda _: told)
    assert figures(made, "silent_source") == {"source tills": 7200, "source web": 0}
    assert figures(made, "silent_source", over=3600.0) == {"source tills": 7200, "source web": 7200}
    assert figures(made, "silent_source", over=9000.0) == {"source tills": 0, "source web": 0}


def test_a_source_that_never_sent_anything_is_not_silent(tmp_path: Path) -> None:
    made = facts(tmp_path, silences=lambda _: [Silence("tills", 0, 1e9, 0.0, False)])
    assert figures(made, "silent_source", over=60.0) == {"source tills": None, "source web": None}


def test_gaps_are_summed_over_their_days_and_unknown_before_the_first_reading(tmp_path: Path) -> None:
    gaps = [{"source": "", "route": "stock", "events": 2}, {"source": "", "route": "stock", "events": 1}]
    found = figures(facts(tmp_path, gaps=lambda: [*gaps, {"source": "web", "route": "", "events": 4}]), "ledger_gap")
    assert found == {"route stock": 3, "route more": 0, "source tills": 0, "source web": 4}
    with pytest.raises(Unavailable, match="ledger"):
        figures(facts(tmp_path, gaps=lambda: None), "ledger_gap")


def test_drift_is_how_many_findings_of_a_source_are_open(tmp_path: Path) -> None:
    assert figures(facts(tmp_path), "drift") == {"source tills": 2, "source web": 0}
