"""`/events`: events looked for; the address says for what, so that a search can be sent to somebody."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from console.access import Role
from console.pages.api import Api
from console.pages.parts import sheet
from console.pages.parts.basics import choice, fieldset, link, tag, words
from console.pages.parts.events import LIST, journey
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

ASKED = ("key", "partner", "source", "route", "outcome", "reason", "from", "to", "after")
OUTCOMES = (
    "accepted", "routed", "delivered", "duplicate", "skipped", "retried", "waiting", "dead_lettered", "quarantined",
    "discarded", "replayed",
)  # fmt: skip
COLUMNS = (
    Column("At", "time"), Column("Event", "code"), Column("Outcome", "state"), Column("Type"), Column("Route"),
    Column("Reason", "long"), Column("Partner"), Column("Source"), Column("Keys", "code"),
)  # fmt: skip


async def events(visit: Visit) -> None:
    """Build the page."""
    asked = {name: visit.query.get(name, "").strip() for name in ASKED}
    found = await visit.api.get("events", **{k: v for k, v in asked.items() if v}, limit=100)
    replay = visit.may(Role.OPERATOR) and bool(found["items"] or found["next"])
    _form(asked, await visit.api.get("overview"), replay)
    some = any(asked.values())
    table = Sheet("Events", COLUMNS, _nothing(some, bool(found["next"])), file="events")
    table.fill((_row(line) for line in found["items"]), "on this page" if found["next"] else "")
    with tag("p", classes="pages"):
        if asked["after"]:
            link("Newest", _address({**asked, "after": ""}))
        if found["next"]:
            link("Older", _address({**asked, "after": found["next"]}))


async def leads(api: Api, query: Mapping[str, str]) -> str:
    """Return the journey of the one event that a search for an id or key and nothing else finds; else nothing."""
    asked = {name: value for name in ASKED if (value := query.get(name, "").strip())}
    if [*asked] != ["key"] or query.get("list", "") == LIST:
        return ""
    found = await api.get("events", **asked, limit=100)
    return journey(asked["key"]) if len(found["items"]) == 1 and not found["next"] else ""


def _form(asked: dict[str, str], seen: dict[str, Any], may_replay: bool) -> None:
    def names(of: str, name: str) -> list[tuple[str, str]]:
        return [("", "any"), *((one, one) for one in dict.fromkeys(line[name] for line in seen[of]))]

    with tag("form", classes="filters", method="get", action="/events", aria_label="Search"):
        fieldset("Id or key", "key", asked["key"], type="search", placeholder="id, PO, SSCC, order, receipt …")
        choice("Partner", "partner", asked["partner"], names("sources", "partner"))
        choice("Source", "source", asked["source"], names("sources", "source"))
        choice("Route", "route", asked["route"], names("routes", "route"))
        choice("Outcome", "outcome", asked["outcome"], [("", "any"), *((one, words(one)) for one in OUTCOMES)])
        fieldset("Reason contains", "reason", asked["reason"])
        fieldset("From (UTC)", "from", asked["from"], type="datetime-local")
        fieldset("To (UTC)", "to", asked["to"], type="datetime-local")
        with tag("div", classes="filters-acts"):
            tag("button", "Search", "button main", type="submit")
            link("Clear", "/events", "button plain")
            if may_replay and any(asked.values()):
                link("Plan a replay of these", f"/plans/new{_address({**asked, 'after': ''})[7:]}", "button plain")


def _nothing(asked: bool, more: bool) -> str:
    if more:
        return "Nothing fits on this page; older events may."
    return (
        "Nothing fits. The journal may be a second behind."
        if asked
        else "No events yet. What partners send is listed here."
    )


def _address(asked: dict[str, str]) -> str:
    return f"/events?{urlencode({name: value for name, value in asked.items() if value})}"


def _row(line: dict[str, Any]) -> Row:
    keys = ", ".join(dict.fromkeys([line.get("key", ""), *(one["value"] for one in line["keys"])])).strip(", ")
    return Row(
        f"{line.get('raw', '')} {line['at']} {line['outcome']}",
        [
            sheet.when(line["at"]), sheet.text(line.get("id", ""), journey(line["id"]) if line.get("id") else ""),
            sheet.state(line["outcome"]), sheet.text(line.get("type", "")), sheet.text(line.get("route", "")),
            sheet.text(line.get("reason", "") or line.get("detail", "")), sheet.text(line.get("partner", "")),
            sheet.text(line.get("source", "")), sheet.text(keys),
        ],
    )  # fmt: skip
