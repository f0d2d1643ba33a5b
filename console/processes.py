"""`/ops/v1/processes` and `/ops/v1/conformance`: how fast and how straight events go; called by `console.api`."""

import asyncio
import time
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Query, Response
from pydantic import BaseModel, Field

from console import processfigures
from console.access import Gate, Role
from console.answers import json_answer
from console.desk import Desk
from console.events import milliseconds
from crossdock.kernel.units import duration
from journal import conformance
from journal.conformance import DayCount, Deviation, Pair, Seen
from journal.figures import DAY, HOUR, MINUTE, MS
from journal.spec import MISSING_THEN, Rule

Word = Annotated[str, Field(max_length=400)]
By = Literal["route", "type", "partner", "store", "device", "channel", "carrier"]
Hop = Literal[
    "process", "match", "deliver", "total", "accepted", "duplicate", "id_conflict", "refused", "quarantined", "retried",
    "replayed", "dead_lettered", "discarded",
]  # fmt: skip
Step = Literal["", "minute", "hour", "day"]
_STEPS = {"minute": MINUTE, "hour": HOUR, "day": DAY}
_JOURNEY = "/ops/v1/events/"
_MOST_POINTS = 3_000
_LONGEST = 400 * DAY  # minutes; days are told of at once


class Span(BaseModel, extra="forbid"):
    """From when to when, as the address says it; the last day if it does not."""

    since: Annotated[Word, Field(alias="from")] = ""
    to: Word = ""

    def times(self) -> tuple[int, int]:
        """Return both as Unix milliseconds; 422 when they are none, or too far from each other."""
        until = milliseconds("to", self.to) if self.to else int(time.time() * 1000)
        since = milliseconds("from", self.since) if self.since else until - DAY * MS
        if not 0 <= since < until <= since + _LONGEST * MS:
            raise HTTPException(422, "`from` must lie before `to`, by 400 days at most")
        return since, until


class Shown(Span):
    """What figures are asked for."""

    by: By = "type"
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class Line(Span):
    """Which figure is asked for over time."""

    hop: Hop = "total"
    name: Word = ""
    by: By | Literal[""] = ""
    value: Word = ""
    step: Step = ""


class Wanted(Span):
    """Which deviations are asked for; of all times if it does not say."""

    rule: Word = ""
    state: Literal["", "open", "late", "wrong_order"] = ""
    after: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=conformance.MOST)] = 100


def add_processes(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths."""

    @app.get("/ops/v1/processes", dependencies=[gate(Role.VIEWER)])
    async def processes(shown: Annotated[Shown, Query()]) -> Response:
        since, until = shown.times()
        asked = (since, until, shown.by, shown.limit, int(time.time() * 1000))
        made = await asyncio.to_thread(processfigures.table, desk.processes, *asked)
        return json_answer({"from": since, "to": until, "by": shown.by} | made)

    @app.get("/ops/v1/processes/series", dependencies=[gate(Role.VIEWER)])
    async def series(line: Annotated[Line, Query()]) -> Response:
        since, until = line.times()
        span = _STEPS[line.step or _step(until - since, line.by not in ("", "route"))]
        if (until - since) // MS // span > _MOST_POINTS:
            raise HTTPException(422, f"more than {_MOST_POINTS} points; ask for a longer `step` or a shorter time")
        if span == MINUTE and line.by not in ("", "route"):
            raise HTTPException(422, "minutes are kept of all events together; ask for `step=hour`")
        name = line.value if line.by == "route" else line.name
        one = processfigures.Line(line.hop, name, "" if line.by == "route" else line.by, line.value)
        asked = (desk.processes, one, since, until, span, int(time.time() * 1000))
        return json_answer(await asyncio.to_thread(processfigures.series, *asked))

    @app.get("/ops/v1/conformance", dependencies=[gate(Role.VIEWER)])
    async def deviations(wanted: Annotated[Wanted, Query()]) -> Response:
        rules = [rule for rule in desk.project.rules if wanted.rule in ("", rule.name)]
        if wanted.rule and not rules:
            raise HTTPException(404, f"no rule {wanted.rule}; known: {', '.join(r.name for r in desk.project.rules)}")
        return json_answer(await asyncio.to_thread(_conformance, desk, rules, wanted))


def _step(length: int, by: bool) -> str:
    """Return the step that fits a time (milliseconds)."""
    if length <= HOUR * 6 * MS and not by:
        return "minute"
    return "hour" if length <= DAY * 14 * MS else "day"


def _conformance(desk: Desk, rules: list[Rule], wanted: Wanted) -> dict[str, Any]:
    since = milliseconds("from", wanted.since) if wanted.since else 0
    until = milliseconds("to", wanted.to) if wanted.to else 0
    asked = conformance.Wanted(rules, int(time.time() * 1000), wanted.state, since, until)
    counts = desk.conformance.counts(asked)
    found = desk.conformance.deviations(asked, wanted.limit + 1, wanted.after)
    by_name = {rule.name: rule for rule in rules}
    return {
        "rules": [_rule(rule, counts) for rule in rules],
        "by_day": [_day(one) for one in counts],
        "items": [_deviation(by_name[one.pair.rule], one) for one in found[: wanted.limit]],
        "next": wanted.after + wanted.limit if len(found) > wanted.limit else None,
        "complete": not desk.conformance.behind(),
    }


def _rule(rule: Rule, counts: list[DayCount]) -> dict[str, Any]:
    mine = [one for one in counts if one.rule == rule.name]
    told = {
        "rule": rule.name,
        "description": rule.description,
        "first": conformance.text(rule.first),
        "then": conformance.text(rule.then),
        "breaks": rule.breaks,
        "within": duration(rule.within),
    }
    return told | {state: sum(one.n for one in mine if one.state == state) for state in conformance.STATES}


def _day(one: DayCount) -> dict[str, Any]:
    """Return a count; the day is the Unix milliseconds that it begins with."""
    day = one.day * DAY * MS
    return {
        "day": day,
        "rule": one.rule,
        "partner": one.partner,
        "store": one.store,
        "state": one.state,
        "count": one.n,
    }


def _deviation(rule: Rule, one: Deviation) -> dict[str, Any]:
    pair: Pair = one.pair
    there = pair.first if rule.breaks == MISSING_THEN else pair.then
    return {
        "rule": rule.name,
        "state": one.state,
        "key": pair.key,
        "since": one.since,
        "closed": one.closed or None,
        "partner": there.partner,
        "store": there.store,
        "first": _seen(pair.first),
        "then": _seen(pair.then),
        "links": {"journey": _JOURNEY + quote(pair.key, safe="")},
    }


def _seen(seen: Seen) -> dict[str, Any] | None:
    return seen._asdict() if seen.raw else None
