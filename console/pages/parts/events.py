"""Steps and events as rows of a table."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from console.pages.parts import sheet
from console.pages.parts.sheet import Column, Row

LIST = "yes"  # of `list` in the address of a search: its results are listed, also when there is one
STEPS = (
    Column("At", "time"), Column("Stage"), Column("Source or route"), Column("Outcome", "state"), Column("Type"),
    Column("Event", "code"),
)  # fmt: skip


def journey(key: str) -> str:
    """Return the address of an event's journey."""
    return f"/events/{quote(key, safe='')}"


def step_rows(lines: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows of steps of the journal."""
    return [
        Row(
            f"{line['at']} {line.get('raw', '')} {line['stage']} {line['outcome']} {line.get('route', '')} {place}",
            [
                sheet.when(line["at"]),
                sheet.text(line["stage"]),
                sheet.text(line.get("route") or line.get("source", "")),
                sheet.state(line["outcome"]),
                sheet.text(line.get("type", "")),
                sheet.text(line.get("id", ""), journey(line["id"]) if line.get("id") else ""),
            ],
        )
        for place, line in enumerate(lines)
    ]
