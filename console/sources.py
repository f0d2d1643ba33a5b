"""`/ops/v1/sources`: what each source may send, who sends, what came and when; called by `console.api`."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Response

from console.access import Gate, Role
from console.desk import Desk
from crossdock.kernel import jsontext
from crossdock.kernel.apikeys import KeyRecord
from crossdock.pipeline.recorder import now_ms
from crossdock.pipeline.rhythm import DAY, Silence
from crossdock.source import API_KEY, SourceSpec
from journal import entry, figures

_TODAY = {
    figures.ACCEPTED: "accepted", entry.DUPLICATE: "duplicates", figures.ID_CONFLICT: "id_conflicts",
    figures.REFUSED: "refused_later", entry.QUARANTINED: "quarantined",
}  # fmt: skip


def add_sources(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the path."""

    @app.get("/ops/v1/sources", dependencies=[gate(Role.VIEWER)])
    async def sources() -> Response:
        return Response(jsontext.dumps({"items": await show_sources(desk)}), media_type="application/json")


async def show_sources(desk: Desk) -> list[dict[str, Any]]:
    """Return each source: what it may send and how much, who may send, what came today, and whether it is silent."""
    now = now_ms()
    day = now // DAY
    found = await asyncio.to_thread(desk.processes.cells, day * DAY, (day + 1) * DAY, "", tuple(_TODAY))
    today = Counter[tuple[str, str]]()
    for cell in found:
        today[cell.name, cell.hop] += cell.spread.n
    silences = {one.source: one for one in desk.drifts.silences(now)}
    keys = [record for record in desk.keys.records() if not record.expired(now)]
    return [
        {**_about(spec, keys), **_came(today, silences[name]), **_poll(spec, desk.polls())}
        for name, spec in desk.project.sources.items()
    ]


def _about(spec: SourceSpec, keys: list[KeyRecord]) -> dict[str, Any]:
    """Return what the file of a source says; of secrets only whether they are there."""
    limits = spec.limits
    may = [one.id for one in keys if one.partner == spec.partner and (not one.sources or spec.name in one.sources)]
    return {
        "source": spec.name,
        "partner": spec.partner,
        "description": spec.spot.value().get("description", ""),
        "accept": spec.accept,
        "types": [{"type": type_, "pin": pin} for type_, pin in spec.types],
        "verify": spec.verify.scheme,
        "closed": spec.verify.closed,
        "keys": may if spec.verify.scheme == API_KEY else [],
        "on_invalid": spec.on_invalid,
        "limits": {
            "rate": limits.rate, "burst": limits.burst, "quota": limits.quota, "body": limits.body,
            "batch": limits.batch, "concurrent": limits.concurrent,
        },
        "deprecated": spec.retirement.deprecated,
        "sunset": spec.retirement.sunset,
    }  # fmt: skip


def _came(today: Mapping[tuple[str, str], int], silence: Silence) -> dict[str, Any]:
    return {
        "today": {name: today.get((silence.source, hop), 0) for hop, name in _TODAY.items()},
        "last_event": silence.last,
        "quiet": round(silence.quiet, 1),
        "expected": silence.expected,
        "silent": silence.silent,
    }


def _poll(spec: SourceSpec, polls: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"poll": {"connector": spec.poll.connector, **polls.get(spec.name, {})}} if spec.poll else {}
