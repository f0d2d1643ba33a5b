"""`/ops/v1/partners`: how well what partners send fits; called by `console.api`."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import FastAPI, HTTPException, Query, Response

from console.access import Gate, Role
from console.answers import json_answer
from console.desk import Desk
from console.drift import show_drift, show_pressing
from console.sources import show_sources
from crossdock.kernel.content import did_you_mean
from crossdock.pipeline.recorder import now_ms
from crossdock.pipeline.rhythm import DAY, Arrivals, Silence, percentile
from crossdock.pipeline.tally import UNVERIFIED
from crossdock.source import SourceSpec
from dlq.problems import OPEN
from journal import entry, figures
from journal.figures import Cell
from journal.scorecard import change, losses, score

MOST_DAYS = 7  # longer than that lateness and refusals are not known of the days before
_COUNTED = {
    figures.ACCEPTED: "accepted", entry.DUPLICATE: "duplicates", figures.ID_CONFLICT: "id_conflicts",
    figures.REFUSED: "refused_later", entry.QUARANTINED: "quarantined", entry.DEAD_LETTERED: "dead_letters",
}  # fmt: skip
Days = Annotated[int, Query(ge=1, le=MOST_DAYS)]


class _Span(NamedTuple):
    """Whole days of UTC, from one to another since 1970."""

    first: int
    last: int

    def before(self) -> "_Span":
        length = self.last - self.first + 1
        return _Span(self.first - length, self.first - 1)


def add_partners(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/partners", dependencies=[gate(Role.VIEWER)])
    async def partners(days: Days = MOST_DAYS) -> Response:
        return json_answer({"items": await show_partners(desk, days)})

    @app.get("/ops/v1/partners/{partner}", dependencies=[gate(Role.VIEWER)])
    async def partner(partner: str, days: Days = MOST_DAYS) -> Response:
        found = next((one for one in await show_partners(desk, days) if one["partner"] == partner), None)
        if found is None:
            known = sorted({spec.partner for spec in desk.project.sources.values()})
            raise HTTPException(404, f"no partner {partner[:80]}; {did_you_mean(partner, known)}".rstrip("; "))
        sources = [one for one in await show_sources(desk) if one["partner"] == partner]
        drift = [one for one in await show_drift(desk) if one["partner"] == partner and one["state"] == OPEN]
        return json_answer(found | {"sources": sources, "drift": drift})


async def show_partners(desk: Desk, days: int) -> list[dict[str, Any]]:
    """Return the scorecard of each partner over the last days, today among them, those with the lowest score first.

    A partner of whom nothing came has none.
    """
    now = now_ms()
    span = _Span(now // DAY - days + 1, now // DAY)
    present, past = await _cells(desk, span), await _cells(desk, span.before())
    drifting = Counter(one["partner"] for one in await show_pressing(desk))
    partners = sorted({spec.partner for spec in desk.project.sources.values()})
    cards = [
        _card(desk, partner, (span, present), (span.before(), past), drifting[partner], now) for partner in partners
    ]
    return sorted(cards, key=lambda card: (card["score"] is None, card["score"], card["partner"]))


Cells = Mapping[tuple[str, str], int]  # by partner and hop


async def _cells(desk: Desk, span: _Span) -> Cells:
    since, until = span.first * DAY, (span.last + 1) * DAY
    found = await asyncio.to_thread(desk.processes.cells, since, until, figures.PARTNER, tuple(_COUNTED))
    return Counter({key: sum(cell.spread.n for cell in group) for key, group in _grouped(found).items()})


def _grouped(cells: Iterable[Cell]) -> dict[tuple[str, str], list[Cell]]:
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.value, cell.hop), []).append(cell)
    return groups


def _card(
    desk: Desk, partner: str, present: tuple[_Span, Cells], past: tuple[_Span, Cells], drift: int, now: int
) -> dict[str, Any]:
    counts, before = _counts(desk, partner, *present), _counts(desk, partner, *past)
    silent = [one for one in _silences(desk, partner, now) if one.silent]
    lost = losses(counts | {"drift": drift, "silent": len(silent)})
    return {
        "partner": partner,
        "score": score(lost) if counts["sent"] or lost else None,
        "lost": [one._asdict() for one in lost],
        **counts,
        "refused_by_code": desk.drifts.known.tally.codes(partner, *present[0]),
        "lag": _lag(_arrivals(desk, partner, present[0])),
        "drift": drift,
        "silent": [one.source for one in silent],
        "before": before | {"score": score(losses(before)) if before["sent"] else None},
        "change": change(counts, before),
    }


def _counts(desk: Desk, partner: str, span: _Span, cells: Cells) -> dict[str, int]:
    """Return what is counted of a partner; `timed` events were looked at and say their own time."""
    counts = {name: cells.get((partner, hop), 0) for hop, name in _COUNTED.items()}
    codes = desk.drifts.known.tally.codes(partner, *span)
    unverified = sum(number for code, number in codes.items() if code.startswith(UNVERIFIED))
    arrivals = _arrivals(desk, partner, span)
    refused = sum(codes.values()) - unverified
    return counts | {
        "sent": counts["accepted"] + counts["duplicates"] + refused,
        "refused": refused,
        "unverified": unverified,
        "unusable": counts["quarantined"] + counts["refused_later"],
        "looked_at": sum(one.looked for one in arrivals),
        "timed": sum(one.looked - one.untimed for one in arrivals),
        "late": sum(one.late for one in arrivals),
        "unordered": sum(one.unordered for one in arrivals),
    }


def _arrivals(desk: Desk, partner: str, span: _Span) -> list[Arrivals]:
    rhythms = [desk.drifts.known.rhythm(spec.name) for spec in _of(desk, partner)]
    return [one for known in rhythms for day, one in known.days.items() if span.first <= day <= span.last]


def _lag(arrivals: list[Arrivals]) -> dict[str, float | None]:
    """Return how late events come, in seconds, each as the bound of the class that it falls into."""
    lags = [sum(numbers) for numbers in zip(*(one.lags for one in (Arrivals(), *arrivals)), strict=True)]
    return {"p50": percentile(lags, 0.5), "p95": percentile(lags, 0.95)}


def _silences(desk: Desk, partner: str, now: int) -> list[Silence]:
    names = {spec.name for spec in _of(desk, partner)}
    return [one for one in desk.drifts.silences(now) if one.source in names]


def _of(desk: Desk, partner: str) -> list[SourceSpec]:
    return [spec for spec in desk.project.sources.values() if spec.partner == partner]
