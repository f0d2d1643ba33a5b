"""`/ledger`: the sums that must come out even, and every event that does not."""

from typing import Any

from console.pages.parts import sheet
from console.pages.parts.basics import section, tag, words
from console.pages.parts.events import journey
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

SOURCES = ("accepted", "routed", "duplicate", "quarantined", "dead_lettered", "in_progress")
ROUTES = ("matched", "delivered", "dead_lettered", "discarded", "in_progress")
LOST = (Column("Stream"), Column("Sequence", "number"), Column("Event", "code"), Column("At"), Column("Why"))


async def ledger(visit: Visit) -> None:
    """Build the page."""
    said = tag("div", classes="banner", role="status")
    with section("Sources"):
        sources = _table("Sources", "source", SOURCES)
    with section("Routes"):
        routes = _table("Routes", "route", ROUTES)
    with section("What does not add up"):
        lost = Sheet("What does not add up", LOST, "Nothing. Every event is accounted for.", file="unexplained")

    async def refresh() -> None:
        told = await visit.api.get("ledger")
        balanced, gaps = told["balanced"], len(told["unexplained"])
        said.classes(replace=f"banner {'good' if balanced else 'bad'}")
        said.clear()
        with said:
            tag("strong", "The ledger is even." if balanced else f"The ledger is not even: {gaps:,} unexplained.")
            tag("span", "For every source and route, what came in is what went out, waits or was given up.")
        sources.fill(_row(one, "source", SOURCES) for one in told["sources"])
        routes.fill(_row(one, "route", ROUTES) for one in told["routes"])
        lost.fill(_lost(one, place) for place, one in enumerate(told["unexplained"][:500]))

    await visit.live(refresh, 10.0)


def _table(caption: str, name: str, sums: tuple[str, ...]) -> Sheet:
    columns = [Column(name.capitalize()), *(Column(words(one).capitalize(), "number") for one in sums)]
    return Sheet(caption, columns, "Nothing was accepted yet.", file=f"ledger-{name}s")


def _row(one: dict[str, Any], name: str, sums: tuple[str, ...]) -> Row:
    return Row(one[name], [sheet.text(one[name]), *(sheet.count(one.get(each, 0)) for each in sums)])


def _lost(one: dict[str, Any], place: int) -> Row:
    event = one.get("event_id", "")
    return Row(
        str(place),
        [
            sheet.text(one["stream"]), sheet.count(one["seq"]), sheet.text(event, journey(event) if event else ""),
            sheet.text(one.get("at", "")), sheet.text(one["why"]),
        ],
    )  # fmt: skip
