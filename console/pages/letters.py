"""`/dead-letters`: what Crossdock gave up on, one by one."""

from typing import Any
from urllib.parse import quote, urlencode

from nicegui.element import Element

from console.pages.parts import sheet
from console.pages.parts.basics import choice, fieldset, link, tag, words
from console.pages.parts.events import journey
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

STATES = ("open", "replaying", "resolved", "discarded")
ASKED = ("state", "route", "reason", "partner", "text", "after")
SHOWN = 200
LETTERS = (
    Column("First seen", "time"), Column("State", "state"), Column("Dead letter", "code"), Column("Route or source"),
    Column("Reason"), Column("Detail", "long"), Column("Event", "code"), Column("Attempts", "number"),
    Column("Last seen", "time"),
)  # fmt: skip
_NAMES = (("sources", "partner"), ("routes", "route"))  # of the overview


def letter_row(one: dict[str, Any]) -> Row:
    """Return the row of a dead letter as the API lists it."""
    return Row(
        one["id"],
        [
            sheet.when(one["first_seen"]), sheet.state(one["state"]),
            sheet.text(one["id"], f"/dead-letters/{quote(one['id'], safe='')}"),
            sheet.text(one["route"] or one["source"]), sheet.text(words(one["reason"])), sheet.text(one["detail"]),
            sheet.text(one["event_id"], journey(one["event_id"]) if one["event_id"] else ""),
            sheet.count(one["attempts"]), sheet.when(one["last_seen"]),
        ],
    )  # fmt: skip


async def letters(visit: Visit) -> None:
    """Build the page."""
    asked = {name: visit.query.get(name, "").strip() for name in ASKED}
    asked["state"] = visit.query.get("state", "open")
    seen = await visit.api.get("overview")
    _form(asked, seen)
    table = Sheet("Dead letters", LETTERS, _nothing(asked), file="dead-letters")
    turning = tag("p", classes="pages")
    shown: list[str] = []

    async def refresh() -> None:
        found = await visit.api.get("dead-letters", **asked, limit=SHOWN)
        table.fill(map(letter_row, found["items"]), "on this page" if found["next"] or asked["after"] else "")
        if shown != [found["next"]]:
            shown[:] = [found["next"]]
            _turn(turning, asked, found["next"])

    await visit.live(refresh)


def _form(asked: dict[str, str], seen: dict[str, Any]) -> None:
    partners, routes = ({one[name]: one[name] for one in seen[of]} for of, name in _NAMES)
    with tag("form", classes="filters", method="get", action="/dead-letters", aria_label="Which dead letters"):
        choice("State", "state", asked["state"], [("", "any"), *((one, one) for one in STATES)])
        choice("Route", "route", asked["route"], [("", "any"), *routes.items()])
        choice("Partner", "partner", asked["partner"], [("", "any"), *partners.items()])
        fieldset("Reason", "reason", asked["reason"], placeholder="refused, schema_violation …")
        fieldset("Contains", "text", asked["text"], type="search", placeholder="a part of the detail or an id")
        with tag("div", classes="filters-acts"):
            tag("button", "Show", "button main", type="submit")
            link("Clear", "/dead-letters", "button plain")
            link("By problem", "/problems", "button plain")


def _turn(place: Element, asked: dict[str, str], after: str) -> None:
    place.clear()
    with place:
        if asked["after"]:
            link("First page", _address({**asked, "after": ""}))
        if after:
            link("Next page", _address({**asked, "after": after}))


def _nothing(asked: dict[str, str]) -> str:
    if any(value for name, value in asked.items() if name != "state"):
        return "No dead letter fits."
    state = asked["state"]
    return "No dead letters. Nothing waits for you." if state in ("", "open") else f"No dead letter is {state}."


def _address(asked: dict[str, str]) -> str:
    return f"/dead-letters?{urlencode({name: value for name, value in asked.items() if value or name == 'state'})}"
