"""`/schemas`: every event type, its versions, who sends it, who wants it, and when it came last."""

from typing import Any
from urllib.parse import quote

from console.pages.parts import sheet
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

EVERY = 10.0  # seconds
COLUMNS = (
    Column("Type", "code"), Column("Title"), Column("Versions"), Column("Owner"), Column("Promises"),
    Column("Sources", "number"), Column("Routes", "number"), Column("Made in the last day", "number"),
    Column("Last seen", "time"),
)  # fmt: skip


async def schemas(visit: Visit) -> None:
    """Build the page."""
    nothing = "No schemas. An architect writes them as schemas/TYPE/MAJOR.MINOR.json."
    table = Sheet("Schemas", COLUMNS, nothing, file="schemas")

    async def refresh() -> None:
        table.fill(_row(one) for one in (await visit.api.get("schemas"))["items"])

    await visit.live(refresh, EVERY)


def promise_of(one: dict[str, Any]) -> str:
    """Return what new versions of a type must keep."""
    said = one["compatibility"].replace("_", " ")
    return said if one["content_model"] == "strict" else f"{said}, {one['content_model']}"


def _row(one: dict[str, Any]) -> Row:
    versions = ", ".join(each["version"] + (" (deprecated)" if each["deprecated"] else "") for each in one["versions"])
    return Row(
        one["type"],
        [
            sheet.text(one["type"], f"/schemas/{quote(one['type'], safe='')}"), sheet.text(one["title"]),
            sheet.text(versions), sheet.text(one["owner"]), sheet.text(promise_of(one)),
            sheet.count(len(one["sources"])), sheet.count(len(one["routes"])), sheet.count(one["made"] or None),
            sheet.when(one["last_seen"]),
        ],
    )  # fmt: skip
