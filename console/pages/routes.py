"""`/routes`: every route, its state and what waits for it; paused and resumed with a reason."""

from typing import Any

from console.access import Role
from console.pages.parts import sheet
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import section, tag
from console.pages.parts.flowmap import FlowMap, keys, state_of
from console.pages.parts.only import only
from console.pages.parts.rates import Rates
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

COLUMNS = (
    Column("Route"), Column("Connector"), Column("State", "state"), Column("Reads"), Column("Lag", "number"),
    Column("A second", "number"), Column("Delivered", "number"), Column("Retried", "number"),
    Column("Dead letters", "number"), Column("Held", "number"), Column("Keys held up", "number"),
)  # fmt: skip


async def routes(visit: Visit) -> None:
    """Build the page."""
    one_of = only(visit, "route")
    rates, said = Rates(), tag("p", "", "quiet")

    async def act(name: str, route: str) -> None:
        await _turn(visit, name, route)
        await refresh()

    nothing = f"No route {one_of}." if one_of else "No routes. An architect describes them in routes/*.yaml."
    table = Sheet("Routes", COLUMNS, nothing, file="routes", act=act)
    with section("Flow"):
        flow = FlowMap()

    async def refresh() -> None:
        seen = await visit.api.get("overview")
        speeds = rates.of(keys(seen))
        shown = [one for one in seen["routes"] if one_of in ("", one["route"])]
        table.fill(_row(one, speeds, visit.may(Role.OPERATOR)) for one in shown)
        flow.fill(seen, speeds)
        said.text = f"Content revision {seen['revision']}"

    await visit.live(refresh)


async def _turn(visit: Visit, act: str, route: str) -> None:
    if act == "Resume":
        await visit.act(visit.api.send("POST", f"routes/{route}/resume"), f"{route} goes on where it stopped.")
        return
    lines = [f"{route} keeps its place; events for it wait and nothing is lost. Other routes go on."]
    given = await ask(f"Pause {route}", lines, [Field("reason", "Reason", required=True)], act="Pause")
    if given is not None:
        await visit.act(visit.api.send("POST", f"routes/{route}/pause", given), f"{route} is paused.")


def _row(one: dict[str, Any], rates: dict[str, float], may: bool) -> Row:
    said, looks = state_of(one["breaker"])
    reads = {True: "on its own", False: "follows the feed"}.get(one["behind"], "")
    rate = rates.get(f"route {one['route']}")
    acts = (("Resume",) if one["breaker"] == "paused" else ("Pause",)) if may else ()
    return Row(
        one["route"],
        [
            sheet.text(one["route"], f"/events?route={one['route']}"), sheet.text(one["connector"], "/connectors"),
            sheet.state(said, looks), sheet.text(reads), sheet.count(one["lag"]),
            sheet.count(None if rate is None else round(rate, 1)), sheet.count(one["delivered"]),
            sheet.count(one["retried"]), sheet.count(one["dead_lettered"]), sheet.count(one.get("held")),
            sheet.count(one.get("parked_keys")),
        ],
        acts, one["route"],
    )  # fmt: skip
