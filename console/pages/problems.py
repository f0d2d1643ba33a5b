"""`/problems`: dead letters of one cause, those with most open ones first."""

from typing import Any
from urllib.parse import quote

from console.pages.parts import sheet
from console.pages.parts.basics import choice, link, plural, tag, words
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

STATES = ("open", "acknowledged", "resolved", "ignored")
COLUMNS = (
    Column("Problem"), Column("State", "state"), Column("Open", "number"), Column("Last hour", "number"),
    Column("Partners"), Column("Owner"), Column("Due", "time"), Column("First seen", "time"),
    Column("Last seen", "time"),
)  # fmt: skip


def name_of(problem: dict[str, Any]) -> str:
    """Return what a problem is called: its reason and where it is."""
    place = f" at {problem['place']}" if problem["place"] else ""
    return f"{words(problem['reason'])}{place} · {problem['route'] or problem['source']}"


async def problems(visit: Visit) -> None:
    """Build the page."""
    state, about = visit.query.get("state", ""), {name: visit.query.get(name, "") for name in ("route", "source")}
    with tag("form", classes="filters", method="get", action="/problems", aria_label="Which problems"):
        choice("State", "state", state, [("", "any"), *((one, one) for one in STATES)])
        with tag("div", classes="filters-acts"):
            tag("button", "Show", "button main", type="submit")
            link("All dead letters", "/dead-letters", "button plain")
    for sort, name in about.items():
        if name:
            with tag("p", classes="acts-row"):
                tag("span", f"Only {sort} {name}", "badge")
                link("All problems", "/problems")
    said = tag("p", "", "quiet")
    nothing = f"No problem is {state}." if state else "No dead letters. Nothing waits for you."
    table = Sheet("Problems", COLUMNS, nothing, file="problems")

    async def refresh() -> None:
        found = (await visit.api.get("problems", state=state if state in STATES else "", **about))["items"]
        table.fill(_row(one) for one in found)
        opened = sum(one["open"] for one in found)
        said.text = f"{plural(opened, 'open dead letter')} in {plural(len(found), 'problem')}." if found else ""

    await visit.live(refresh)


def _row(one: dict[str, Any]) -> Row:
    state = "regressed" if one["regressed"] else "overdue" if one["overdue"] else one["state"]
    return Row(
        one["id"],
        [
            sheet.text(name_of(one), f"/problems/{quote(one['id'])}"), sheet.state(state), sheet.count(one["open"]),
            sheet.count(one["last_hour"]), sheet.text(", ".join(one["partners"])), sheet.text(one["owner"]),
            sheet.when(one["due"]), sheet.when(one["first_seen"]), sheet.when(one["last_seen"]),
        ],
    )  # fmt: skip
