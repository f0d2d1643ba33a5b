"""Figures of events over time: how many, how fast, and how the durations are spread, beside the week before."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from console.pages.parts.basics import tag
from console.pages.parts.chart import Chart
from console.pages.parts.heat import Heat
from console.pages.visit import Visit
from console.processfigures import EARLY

WEEK = 7 * 86_400_000
PERCENTILES = ("p50", "p95", "p99")
_MINUTES_FIT, _HOURS_FIT = 6 * 3_600_000, 14 * 86_400_000  # longest times that are drawn in these steps
_STEPS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}

Points = Mapping[int, Mapping[str, Any]]


class ProcessCharts:
    """The charts of one opened page, of all events or of those with a value."""

    def __init__(self, visit: Visit, by: str, value: str) -> None:
        self._visit, self._about = visit, {"by": by, "value": value} if by else {}
        with tag("div", classes="halves"):
            self._speed = Chart("Events a second", "/s", visit.dark)
            self._takes = Chart("From accepted to delivered", "ms", visit.dark, log=True)
        self._heat = Heat("How long deliveries took", "delivery", visit.dark)

    async def refresh(self, since: int, until: int) -> None:
        """Draw a time (Unix milliseconds)."""
        step = _step(until - since, self._about)
        begin = since // _STEPS[step] * _STEPS[step]
        places = range(begin, min(until, int(time.time() * 1000) - EARLY), _STEPS[step])
        answer, now = await self._points("total", step, since, until)
        _, then = await self._points("total", step, since - WEEK, until - WEEK)
        lines = {"delivered": line_of(now, places, "per_second", 0)}
        if not self._about:
            _, accepted = await self._points("accepted", step, since, until)
            lines["accepted"] = line_of(accepted, places, "per_second", 0)
        before = {at + WEEK: point for at, point in then.items()}
        faint = {"delivered": line_of(before, places, "per_second", 0)} if then else {}
        self._speed.fill(lines, begin, until, faint)
        faint = {"p95": line_of(before, places, "p95")} if then else {}
        self._takes.fill({name: line_of(now, places, name) for name in PERCENTILES}, begin, until, faint)
        nothing = [0] * (len(answer["edges"]) + 1)
        self._heat.fill([(at, now[at]["heat"] if at in now else nothing) for at in places], answer["edges"])

    async def _points(self, hop: str, step: str, since: int, until: int) -> tuple[Mapping[str, Any], Points]:
        asked = {"hop": hop, "step": step, "from": _iso(since), "to": _iso(until), **self._about}
        answer = await self._visit.api.get("processes/series", **asked)
        return answer, {point["at"]: point for point in answer["points"]}


def _step(length: int, about: Mapping[str, str]) -> str:
    """Return the step of a time; minutes are kept of all events together, and for two days."""
    if length <= _MINUTES_FIT and about.get("by", "route") == "route":
        return "minute"
    return "hour" if length <= _HOURS_FIT else "day"


def line_of(
    points: Points, places: Sequence[int], name: str, nothing: float | None = None
) -> list[tuple[int, float | None]]:
    """Return a figure at each place; `nothing` where there is no point."""
    return [(at, points[at][name] if at in points else nothing) for at in places]


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
