"""`/plans/new`: past events to be sent again, counted before a plan is made; the address holds the selection."""

from typing import Any
from urllib.parse import quote

from nicegui import ui

from console.access import Role
from console.pages.api import Refusal
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import button, choice, empty, fieldset, link, plural, tag, words
from console.pages.visit import Visit

ASKED = ("key", "partner", "source", "route", "type", "outcome", "reason", "from", "to")
_OUTCOMES = ("delivered", "dead_lettered", "quarantined", "discarded", "skipped", "replayed")
_TARGETS = (("failed", "those where it failed"), ("all", "all that want it now, whether they have it or not"))
_STAGES = (("canonical", "as the process step made it then"), ("raw", "the bytes that came in, made anew"))
_ROUTE = "to."  # how the name of a box begins by which a route is chosen


async def make_plan(visit: Visit, selection: dict[str, Any], note: str = "") -> None:
    """Count a selection, ask why, make a plan of it, and go to its page; nothing is sent by that."""
    counted = await visit.act(visit.api.send("POST", "plans", {**selection, "dry_run": True}))
    if counted is None:
        return
    if not counted["total"]:
        visit.say("There is nothing to send: none of it is open, or all is past its retention.")
        return
    lines = [
        f"{_counted(counted, selection)} will be in the plan. Nothing is sent yet: the next page tries it dry and asks "
        "again.",
        *([note] if note else []),
    ]
    fields = [Field("why", "Why"), Field("rate", "At most a second", "500", kind="number", required=True)]
    if (given := await ask("Make a replay plan", lines, fields, act="Make the plan")) is None:
        return
    rate = int(given["rate"]) if given["rate"].isdigit() else 0
    made = await visit.act(visit.api.send("POST", "plans", {**selection, "why": given["why"], "rate": rate}))
    if made is not None:
        ui.navigate.to(f"/plans/{quote(made['id'])}")


def _counted(counted: dict[str, Any], selection: dict[str, Any]) -> str:
    return plural(counted["total"], "event" if selection.get("to") == "all" else "dead letter")


async def planning(visit: Visit) -> None:
    """Build the page."""
    if not visit.may(Role.OPERATOR):
        empty("Replays are for operators. Ask an admin for that role.")
        return
    asked = {name: visit.query.get(name, "").strip() for name in ASKED}
    seen, schemas = await visit.api.get("overview"), await visit.api.get("schemas")
    tag("p", "Choose past events. Counting them makes no plan and sends nothing.", "quiet")
    _form(visit, asked, seen, [one["type"] for one in schemas["items"]])
    if any(asked.values()):
        await _count(visit, asked)


def _form(visit: Visit, asked: dict[str, str], seen: dict[str, Any], types: list[str]) -> None:
    def names(of: str, name: str) -> list[tuple[str, str]]:
        return [("", "any"), *((one, one) for one in dict.fromkeys(line[name] for line in seen[of]))]

    query = visit.query
    with tag("form", classes="filters", method="get", action="/plans/new", aria_label="Which events"):
        fieldset("From (UTC)", "from", asked["from"], type="datetime-local")
        fieldset("To (UTC)", "to", asked["to"], type="datetime-local")
        fieldset("Id or key", "key", asked["key"], type="search", placeholder="id, PO, SSCC, order, receipt …")
        choice("Partner", "partner", asked["partner"], names("sources", "partner"))
        choice("Source", "source", asked["source"], names("sources", "source"))
        choice("Type", "type", asked["type"], [("", "any"), *((one, one) for one in types)])
        choice("Route", "route", asked["route"], names("routes", "route"))
        choice("Outcome", "outcome", asked["outcome"], [("", "any"), *((one, words(one)) for one in _OUTCOMES)])
        fieldset("Reason contains", "reason", asked["reason"])
        with tag("div", classes="filters-line"):
            choice("To which routes", "targets", query.get("targets", ""), _TARGETS)
            choice("From where on", "stage", query.get("stage", ""), _STAGES)
        with tag("fieldset", classes="options"):
            tag("legend", "Only these of the routes (none chosen: all of them)")
            for route in [one["route"] for one in seen["routes"]]:
                _box(route, chosen=_ROUTE + route in query)
        with tag("div", classes="filters-acts"):
            tag("button", "Count", "button main", type="submit")
            link("Clear", "/plans/new", "button plain")


def _box(route: str, *, chosen: bool) -> None:
    with tag("label"):
        made = tag("input", type="checkbox", name=_ROUTE + route, value="1")
        if chosen:
            made.props["checked"] = True
        tag("span", route)


def _selection(visit: Visit, asked: dict[str, str]) -> dict[str, Any]:
    return {
        "events": {name: value for name, value in asked.items() if value},
        "to": visit.query.get("targets", "failed"),
        "from_stage": visit.query.get("stage", "canonical"),
        "routes": [name.removeprefix(_ROUTE) for name in visit.query if name.startswith(_ROUTE)],
    }


async def _count(visit: Visit, asked: dict[str, str]) -> None:
    selection = _selection(visit, asked)
    try:
        counted = await visit.api.send("POST", "plans", {**selection, "dry_run": True})
    except Refusal as refusal:
        with tag("div", classes="banner bad", role="alert"):
            tag("span", str(refusal))
        return
    total = counted["total"]
    with tag("div", classes="banner good" if total else "banner", role="status"):
        if total:
            tag("strong", f"{_counted(counted, selection)} would be sent again.")
        else:
            tag("strong", "Nothing fits.")
            tag("span", "To send events again that were delivered, choose all routes that want them.")
        if gone := counted["past_retention"]:
            tag("span", f"{gone:,} more cannot be sent: past their retention.")
    if total:
        with tag("div", classes="acts-row"):
            button("Make the plan …", lambda: make_plan(visit, selection), "main")
