"""`/plans`: replays that were planned, the newest first."""

from typing import Any
from urllib.parse import quote

from console.access import Role
from console.pages.parts import sheet
from console.pages.parts.basics import link, tag
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

PLANS = (
    Column("Made", "time"), Column("Plan", "code"), Column("State", "state"), Column("Of"),
    Column("Looked at", "number"), Column("In all", "number"), Column("Sent", "number"), Column("By"),
    Column("Why", "long"),
)  # fmt: skip


async def plans(visit: Visit) -> None:
    """Build the page."""
    if visit.may(Role.OPERATOR):
        with tag("div", classes="acts-row"):
            link("Plan a replay of past events", "/plans/new", "button main")
            link("Problems", "/problems", "button plain")
    nothing = "No plans yet. Make one of past events here, or of the dead letters of a problem on its page."
    table = Sheet("Replay plans", PLANS, nothing, file="plans")

    async def refresh() -> None:
        table.fill(_row(one) for one in (await visit.api.get("plans"))["items"])

    await visit.live(refresh)


def _row(one: dict[str, Any]) -> Row:
    return Row(
        one["id"],
        [
            sheet.when(one["at"]), sheet.text(one["id"], f"/plans/{quote(one['id'])}"), sheet.state(one["state"]),
            sheet.text("events" if one["of"] == "events" else "dead letters"),
            sheet.count(one["done"]), sheet.count(one["total"]), sheet.count(one["sent"]), sheet.text(one["who"]),
            sheet.text(one["reason"]),
        ],
    )  # fmt: skip
