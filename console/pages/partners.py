"""`/partners`: every partner, how well fits what it sends, and why."""

from typing import Any
from urllib.parse import quote

from console.pages.parts import sheet
from console.pages.parts.basics import Mood, choice, tag
from console.pages.parts.sheet import Cell, Column, Row, Sheet
from console.pages.visit import Visit

EVERY = 10.0  # seconds; the sums of days are asked for
GOOD, FAIR = 90, 70  # points
SPANS = {"1": "today", "7": "7 days"}
COLUMNS = (
    Column("Partner"), Column("Score", "number"), Column("Before", "number"), Column("Lost most by", "long"),
    Column("Sent", "number"), Column("Refused", "number"), Column("Repeats", "number"), Column("Unusable", "number"),
    Column("Late", "number"), Column("Drift", "number"), Column("Silent sources"),
)  # fmt: skip


async def partners(visit: Visit) -> None:
    """Build the page."""
    days = span_of(visit)
    with tag("form", classes="filters", method="get", action="/partners", aria_label="Which days"):
        choose_span(days)
    tag("p", "A score is 100 less what is lost, each point for a reason. Before are as many days before that.", "quiet")
    nothing = "No partners. An architect describes their sources in gateway/*.yaml."
    table = Sheet("Partners", COLUMNS, nothing, file="partners")

    async def refresh() -> None:
        found = (await visit.api.get("partners", days=days))["items"]
        table.fill(_row(one) for one in found)

    await visit.live(refresh, EVERY)


def span_of(visit: Visit) -> str:
    """Return of how many days a page is, as the address says it."""
    days = visit.query.get("days", "7")
    return days if days in SPANS else "7"


def choose_span(days: str) -> None:
    """Let the person choose of how many days a page is."""
    choice("Over", "days", days, SPANS.items())
    with tag("div", classes="filters-acts"):
        tag("button", "Show", "button main", type="submit")


def mood_of(score: float | None) -> Mood:
    """Return how a score is to be seen."""
    return "" if score is None else "good" if score >= GOOD else "warn" if score >= FAIR else "bad"


def _row(one: dict[str, Any]) -> Row:
    lost = one["lost"][0]["reason"] if one["lost"] else "nothing came" if one["score"] is None else ""
    return Row(
        one["partner"],
        [
            sheet.text(one["partner"], f"/partners/{quote(one['partner'], safe='')}"), _score(one["score"]),
            sheet.count(one["before"]["score"]), sheet.text(lost), sheet.count(one["sent"]),
            sheet.count(one["refused"]), sheet.count(one["duplicates"]), sheet.count(one["unusable"]),
            sheet.count(one["late"]), sheet.count(one["drift"]), sheet.text(", ".join(one["silent"])),
        ],
    )  # fmt: skip


def _score(score: float | None) -> Cell:
    return sheet.count(None) if score is None else {"text": f"{score:g}", "mood": mood_of(score), "sort": score}
