"""`/connectors`: every connector, how its lanes and polls do."""

from typing import Any

from console.pages.parts import sheet
from console.pages.parts.basics import section
from console.pages.parts.flowmap import state_of, worst
from console.pages.parts.only import only
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

COLUMNS = (
    Column("Connector"), Column("Kind"), Column("State", "state"), Column("Routes"),
    Column("Attempts at once", "number"),
    Column("Held", "number"), Column("Description"),
)  # fmt: skip
POLLS = (
    Column("Source"), Column("Connector"), Column("State", "state"), Column("Last answer", "time"),
    Column("Items", "number"),
    Column("Quarantined", "number"), Column("Why away"),
)  # fmt: skip


async def connectors(visit: Visit) -> None:
    """Build the page."""
    one_of = only(visit, "connector")
    nothing = (
        f"No connector {one_of}." if one_of else "No connectors. An architect describes them in connectors/*.yaml."
    )
    table = Sheet("Connectors", COLUMNS, nothing, file="connectors")
    with section("Polls"):
        polls = Sheet("Polls", POLLS, "No source is polled.", file="polls")

    async def refresh() -> None:
        items = (await visit.api.get("connectors"))["items"]
        found = [one for one in items if one_of in ("", one["connector"])]
        table.fill(_row(one) for one in found)
        polls.fill(_poll(one["connector"], poll) for one in found for poll in one["polls"])

    await visit.live(refresh)


def _row(one: dict[str, Any]) -> Row:
    lanes = one["routes"]
    said, looks = state_of(worst(lane["breaker"] for lane in lanes)) if lanes else ("polled", "")
    at_once = [lane["in_flight"] for lane in lanes if "in_flight" in lane]
    return Row(
        one["connector"],
        [
            sheet.text(one["connector"]), sheet.text(one["kind"]), sheet.state(said, looks),
            sheet.text(", ".join(lane["route"] for lane in lanes)), sheet.count(max(at_once) if at_once else None),
            sheet.count(sum(lane.get("held", 0) for lane in lanes)), sheet.text(one["description"] or ""),
        ],
    )  # fmt: skip


def _poll(connector: str, poll: dict[str, Any]) -> Row:
    away = poll.get("away", "")
    return Row(
        poll["source"],
        [
            sheet.text(poll["source"]), sheet.text(connector),
            sheet.state("away" if away else "answering" if poll.get("last_success") else "unknown"),
            sheet.when(poll.get("last_success")), sheet.count(poll.get("items", 0)),
            sheet.count(poll.get("quarantined", 0)), sheet.text(away),
        ],
    )  # fmt: skip
