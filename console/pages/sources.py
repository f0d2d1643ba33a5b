"""`/sources`: every entry point, what it takes, what came today, and which are silent."""

from typing import Any
from urllib.parse import quote

from console.pages.parts import sheet
from console.pages.parts.basics import Mood, duration, plural, tag, words
from console.pages.parts.only import only
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

EVERY = 5.0  # seconds; the sums of a day are asked for
MOST_TYPES = 3  # that are named
UNUSABLE = ("id_conflicts", "refused_later", "quarantined")
COLUMNS = (
    Column("Source"), Column("Partner"), Column("State", "state"), Column("Last event", "time"), Column("Usual gap"),
    Column("Accepted today", "number"), Column("Repeats", "number"), Column("Unusable", "number"),
    Column("Keys", "number"), Column("Takes"), Column("Proves itself by"), Column("Limits"),
)  # fmt: skip


async def sources(visit: Visit) -> None:
    """Build the page."""
    one_of, said = only(visit, "source"), tag("p", "", "quiet")
    nothing = f"No source {one_of}." if one_of else "No sources. An architect describes them in gateway/*.yaml."
    table = Sheet("Sources", COLUMNS, nothing, file="sources")

    async def refresh() -> None:
        items = (await visit.api.get("sources"))["items"]
        found = [one for one in items if one_of in ("", one["source"])]
        table.fill(source_row(one) for one in sorted(found, key=lambda one: not one["silent"]))
        silent = sum(one["silent"] for one in found)
        said.text = f"{plural(silent, 'source')} silent for longer than usual." if silent else ""

    await visit.live(refresh, EVERY)


def source_row(one: dict[str, Any]) -> Row:
    """Return the row of a source as the API shows it."""
    today, types = one["today"], [kind["type"] for kind in one["types"]]
    more = f" and {len(types) - MOST_TYPES} more" if len(types) > MOST_TYPES else ""
    state, looks = state_of(one)
    return Row(
        one["source"],
        [
            sheet.text(one["source"], f"/events?source={quote(one['source'], safe='')}"),
            sheet.text(one["partner"], f"/partners/{quote(one['partner'], safe='')}"), sheet.state(state, looks),
            sheet.when(one["last_event"]), _gap(one["expected"]), sheet.count(today["accepted"]),
            sheet.count(today["duplicates"]), sheet.count(sum(today[name] for name in UNUSABLE)),
            sheet.count(len(one["keys"])), sheet.text(", ".join(types[:MOST_TYPES]) + more),
            sheet.text(words(one["verify"])), sheet.text(limits(one)),
        ],
    )  # fmt: skip


def state_of(one: dict[str, Any]) -> tuple[str, Mood]:
    """Return in a word how a source is, and how that looks."""
    if one["closed"] and "poll" not in one:
        return "closed: no secret", "warn"
    if (one.get("poll") or {}).get("away"):
        return "away", "bad"
    if one["silent"]:
        return "silent", "bad"
    if not one["last_event"]:
        return "nothing yet", ""
    return "deprecated" if one["deprecated"] else "as usual", "warn" if one["deprecated"] else "good"


def limits(one: dict[str, Any]) -> str:
    """Return what a source may send in how much time."""
    said, known = [], one["limits"]
    said += [f"{known['rate']:g}/s"] if known["rate"] else []
    said += [f"{known['quota']:,} a day"] if known["quota"] else []
    return ", ".join(said)


def _gap(seconds: float) -> sheet.Cell:
    """Return for how long nothing may come before a source counts as silent."""
    return {"text": f"up to {duration(seconds * 1000)}", "sort": seconds} if seconds else {"text": "", "sort": 0}
