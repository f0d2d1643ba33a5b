"""`/dead-letters`: what Crossdock gave up on, one by one."""

from typing import Any
from urllib.parse import quote

from console.pages.parts import sheet
from console.pages.parts.basics import choice, link, tag, words
from console.pages.parts.events import journey
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

STATES = ("open", "replaying", "resolved", "discarded")
SHOWN = 200
LETTERS = (
    Column("Last seen", "time"), Column("State", "state"), Column("Dead letter", "code"), Column("Event", "code"),
    Column("Route or source"), Column("Reason"), Column("Detail", "long"), Column("Attempts", "number"),
)  # fmt: skip


def letter_row(one: dict[str, Any]) -> Row:
    """Return the row of a dead letter as the API lists it."""
    return Row(
        one["id"],
        [
            sheet.when(one["last_seen"]), sheet.state(one["state"]),
            sheet.text(one["id"], f"/dead-letters/{quote(one['id'], safe='')}"),
            sheet.text(one["event_id"], journey(one["event_id"]) if one["event_id"] else ""),
            sheet.text(one["route"] or one["source"]), sheet.text(words(one["reason"])), sheet.text(one["detail"]),
            sheet.count(one["attempts"]),
        ],
    )  # fmt: skip


async def letters(visit: Visit) -> None:
    """Build the page."""
    state = visit.query.get("state", "open")
    with tag("form", classes="filters", method="get", action="/dead-letters", aria_label="Which dead letters"):
        choice("State", "state", state, [("", "any"), *((one, one) for one in STATES)])
        with tag("div", classes="filters-acts"):
            tag("button", "Show", "button main", type="submit")
            link("By problem", "/problems", "button plain")
    nothing = "No dead letters. Nothing waits for you." if state in ("", "open") else f"No dead letter is {state}."
    table = Sheet("Dead letters", LETTERS, nothing, file="dead-letters")

    async def refresh() -> None:
        found = (await visit.api.get("dead-letters", state=state if state in STATES else "", limit=SHOWN))["items"]
        table.fill((letter_row(one) for one in found), "oldest ones" if len(found) == SHOWN else "")

    await visit.live(refresh)
