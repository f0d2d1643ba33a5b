"""`/ops/v1/alerts`: what stands, who knows of it, and whether the channels work; called by `console.api`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alerts import book as books
from alerts.book import FIRING, PENDING, Book, Hush, Standing
from alerts.engine import Engine
from alerts.spec import Alert, Alerts, Channel
from console.access import Gate, Role, person
from console.answers import json_answer
from console.audit import note
from console.desk import Desk
from crossdock.kernel import units

Span = Annotated[str, Field(pattern=units.DURATION, max_length=12)]


class Known(BaseModel):
    """What a person says who knows of an alert; with `span` nothing at all is told for that long."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    note: str = Field("", max_length=1000)
    span: Span | None = Field(None, alias="for")


class Tried(BaseModel):
    """Which channel is tried."""

    model_config = ConfigDict(extra="forbid")
    channel: str = Field(max_length=100)


def add_alerts(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/alerts", dependencies=[gate(Role.VIEWER)])
    async def alerts(state: Annotated[str, Query(max_length=20)] = "") -> Response:
        return json_answer(await show_alerts(desk.alerts, desk.project.alerts, state))

    @app.post("/ops/v1/alerts/test", dependencies=[gate(Role.OPERATOR)])
    async def test(tried: Tried, request: Request) -> Response:
        channel = desk.project.alerts.channels.get(tried.channel)
        if channel is None:
            names = ", ".join(sorted(desk.project.alerts.channels))
            raise HTTPException(404, f"no channel {tried.channel!r}; there are {names}")
        await note(desk.audit, request, "alert.test", channel.name)
        came = await desk.alerts.test(channel, person(request))
        return json_answer({"channel": channel.name, **asdict(came)})

    @app.post("/ops/v1/alerts/{alert_id}/acknowledge", dependencies=[gate(Role.OPERATOR)])
    async def acknowledge(alert_id: str, known: Known, request: Request) -> Response:
        alert, subject = await _place(desk.alerts, alert_id)
        now = desk.alerts.now()
        until = 0 if known.span is None else now + int(units.seconds(known.span) * 1000)
        await note(
            desk.audit,
            request,
            "alert.acknowledge",
            alert_id,
            alert=alert,
            subject=subject,
            note=known.note,
            until=until,
        )
        await desk.alerts.hush(alert, subject, Hush(person(request), now, known.note, until))
        shown = await show_alerts(desk.alerts, desk.project.alerts)
        items = [*shown["firing"], *shown["pending"], *shown["recent"]]
        return json_answer(next((one for one in items if one["id"] == alert_id), {"id": alert_id}))


async def show_alerts(engine: Engine, alerts: Alerts, state: str = "") -> dict[str, Any]:
    """Return what stands and what ended lately, the alerts and the channels."""
    found, told = await engine.books(), await engine.told()
    standing = [_standing(name, one, book) for name, book in found.items() for one in book.standings.values()]
    standing.sort(key=lambda one: (one["since"], one["id"]))
    recent = [_standing(name, one, book) for name, book in found.items() for one in book.recent]
    shown = {
        "firing": [one for one in standing if one["state"] == FIRING],
        "pending": [one for one in standing if one["state"] == PENDING],
        "recent": sorted(recent, key=lambda one: -one["ended"])[:100],
    }
    if state:
        return {state: shown.get(state, [])}
    rules = [_rule(rule, found.get(name, Book())) for name, rule in alerts.rules.items()]
    channels = [_channel(channel, found, told.get(name)) for name, channel in alerts.channels.items()]
    return {**shown, "rules": rules, "channels": channels}


async def _place(engine: Engine, alert_id: str) -> tuple[str, str]:
    """Return the alert and the subject of an id."""
    for name, book in (await engine.books()).items():
        for subject in (*book.standings, *(one.subject for one in book.recent)):
            if books.standing_id(name, subject) == alert_id:
                return name, subject
    raise HTTPException(404, f"no alert {alert_id} stands or stood lately")


def _standing(alert: str, one: Standing, book: Book) -> dict[str, Any]:
    by = book.hushed.get(one.subject) if one.state != books.RESOLVED else None
    sort, _, name = one.subject.partition(" ")
    return {
        "id": books.standing_id(alert, one.subject),
        "alert": alert,
        "severity": book.severity,
        **asdict(one),
        "subject": {"sort": sort, "name": name},
        "do": book.do,
        "acknowledged": asdict(by) if by else None,
    }


def _rule(rule: Alert, book: Book) -> dict[str, Any]:
    return {
        "alert": rule.name,
        "description": rule.description,
        "when": rule.spot.value()["when"],
        "for": rule.lasts,
        "severity": rule.severity,
        "to": rule.to,
        "repeat": rule.repeat,
        "at": str(rule.spot),
        "fault": book.fault,
        "firing": sum(one.state == FIRING for one in book.standings.values()),
        "left_out": book.left_out,
        "lost": book.lost,
    }


def _channel(channel: Channel, found: Mapping[str, Book], last: Any) -> dict[str, Any]:
    waiting = [due for book in found.values() for due in book.due if due.channel == channel.name]
    return {
        "channel": channel.name,
        "kind": channel.kind,
        "missing": channel.missing,
        "waiting": len(waiting),
        "next_try": min((due.at for due in waiting), default=0),
        "last": asdict(last) if last else None,
    }
