"""`/ops/v1/processes` and `/ops/v1/conformance`: figures and deviations as scripts and the console get them."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from journal.figures import DAY, MS
from journal.spec import MISSING_FIRST, Rule
from tests.console import opsmade
from tests.console.opsmade import Office, office
from tests.ports.test_conformance_port import ANNOUNCED, NOWHERE, RECEIVED
from tests.ports.test_conformance_port import event as happened
from tests.ports.test_processes_port import event as delivered
from tests.smallproject import project

NOW = int(time.time() * 1000)
RULE = Rule("receipt-without-asn", "Nobody announced it", (ANNOUNCED,), (RECEIVED,), MISSING_FIRST, 0.0, NOWHERE)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(opsmade, "project", lambda root: replace(project(root), rules=(RULE,)))
    made = office(tmp_path)
    made.journal.processes.pairs.use([RULE])
    return made


def _get(made: Office, path: str) -> tuple[int, Any]:
    answer = asyncio.run(made.call("GET", f"/ops/v1/{path}"))
    return answer.status, answer.json()


def _project(made: Office, *lines: Any) -> None:
    made.journal.project(lines, made.journal.position() + 1)


def test_figures_are_told_by_what_events_are_about(desk: Office) -> None:
    _project(desk, *delivered(11, NOW - 60_000, ms=5, sent=15), *delivered(12, NOW - 60_000, store="0043"))
    status, found = _get(desk, "processes?by=store")
    assert (status, found["by"], found["error"], found["left_out"]) == (200, "store", 0.02, 0)
    assert [(one["value"], one["count"], one["events"], one["p50"]) for one in found["items"]] == [
        ("0042", 1, 1, 20), ("0043", 1, 1, pytest.approx(25, rel=0.02)),
    ]  # fmt: skip
    assert found["items"][0]["before"]["count"] == 0
    assert found["items"][0]["change"] == {"count": None, "events": None, "p50": None, "p95": None, "p99": None}


def test_of_many_values_those_of_most_events_are_told_and_the_rest_is_counted(desk: Office) -> None:
    _project(desk, *(line for raw in range(20, 30) for line in delivered(raw, NOW - 60_000, device=f"hh-{raw // 3}")))
    _, found = _get(desk, "processes?by=device&limit=2")
    assert ([one["count"] for one in found["items"]], found["left_out"]) == ([3, 3], 2)


@pytest.mark.parametrize("step", ["minute", "hour", "day"])
def test_a_figure_over_time_is_told_in_steps(desk: Office, step: str) -> None:
    _project(desk, *delivered(11, NOW - 60_000), *delivered(12, NOW - 60_000))
    _, found = _get(desk, f"processes/series?hop=total&name=stock&step={step}")
    (point,) = [one for one in found["points"] if one["count"]]
    assert (point["count"], sum(point["heat"]), len(point["heat"])) == (2, 2, len(found["edges"]) + 1)
    assert point["at"] % (found["step"] * 1000) == 0


def test_what_only_is_counted_has_no_durations(desk: Office) -> None:
    _project(desk, *delivered(11, NOW - 60_000))
    _, found = _get(desk, "processes/series?hop=accepted&by=partner&value=stores&step=hour")
    assert [set(one) for one in found["points"]] == [{"at", "count", "per_second"}]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("processes?by=planet", 422),
        ("processes?from=yesterday", 422),
        ("processes?from=2026-11-02&to=2026-11-01", 422),
        ("processes?from=1970-01-01&to=2026-11-01", 422),
        ("processes/series?hop=sleep", 422),
        ("processes/series?by=store&value=1&step=minute", 422),
        ("processes/series?step=minute&from=2026-01-01&to=2026-02-01", 422),
        ("conformance?rule=none", 404),
        ("conformance?state=lost", 422),
        ("conformance?limit=0", 422),
    ],
)
def test_what_cannot_be_asked_is_said(desk: Office, path: str, status: int) -> None:
    found, body = _get(desk, path)
    assert (found, bool(body["detail"])) == (status, True)


def test_deviations_are_told_with_their_sums_and_the_way_to_the_journey(desk: Office) -> None:
    day = NOW // (DAY * MS) * DAY * MS
    _project(desk, *(happened(raw, NOW - 5_000 + raw, RECEIVED, f"A/{raw}") for raw in (1, 2, 3)))
    _, found = _get(desk, "conformance?limit=2")
    (rule,) = found["rules"]
    assert (rule["rule"], rule["open"], rule["late"], rule["wrong_order"]) == ("receipt-without-asn", 3, 0, 0)
    assert (rule["first"], rule["within"]) == ("shipment.announced by asn", "0s")
    assert [one["key"] for one in found["items"]] == ["A/3", "A/2"]
    assert found["items"][0]["links"] == {"journey": "/ops/v1/events/A%2F3"}
    assert (found["items"][0]["closed"], found["items"][0]["first"]) == (None, None)
    assert sum(one["count"] for one in found["by_day"] if one["day"] <= day) == 3
    _, rest = _get(desk, f"conformance?limit=2&after={found['next']}")
    assert ([one["key"] for one in rest["items"]], rest["next"], rest["complete"]) == (["A/1"], None, True)


def test_deviations_of_another_time_or_state_are_left_out(desk: Office) -> None:
    _project(desk, happened(1, NOW - 5_000, RECEIVED))
    assert [
        len(_get(desk, f"conformance?{query}")[1]["items"]) for query in ("state=late", "to=2020-01-01", "state=open")
    ] == [0, 0, 1]
