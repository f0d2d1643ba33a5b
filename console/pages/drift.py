"""`/drift`: what sources send beyond their schemas, or unlike before."""

import json
from typing import Any
from urllib.parse import quote

from console.pages.parts import sheet
from console.pages.parts.basics import choice, fieldset, plural, section, tag, words
from console.pages.parts.events import journey
from console.pages.parts.sheet import Cell, Column, Row, Sheet
from console.pages.visit import Visit

EVERY = 10.0  # seconds; sources are looked at every two
STATES = ("open", "acknowledged", "resolved", "ignored", "settled")
KINDS = {
    "unknown_field": "unknown field", "new_value": "new value", "null": "null", "type": "other kind of value",
    "missing": "stopped coming", "rule": "rule broken",
}  # fmt: skip
LONGEST = 80  # characters of values
FINDINGS = (
    Column("Finding", "long"), Column("State", "state"), Column("What came", "long"), Column("Verdict", "state"),
    Column("Share", "number"), Column("Events", "number"), Column("Source"), Column("Schema"),
    Column("Last seen", "time"), Column("First seen", "time"), Column("Owner"), Column("Sample", "code"),
)  # fmt: skip
WATCHED = (
    Column("Source"), Column("Partner"), Column("Came", "number"), Column("Looked at", "number"),
    Column("Share", "number"), Column("Versions", "long"),
)  # fmt: skip


async def drift(visit: Visit) -> None:
    """Build the page."""
    wanted = {name: visit.query.get(name, "") for name in ("partner", "source", "type")}
    state, kind = visit.query.get("state", "open"), visit.query.get("kind", "")
    with tag("form", classes="filters", method="get", action="/drift", aria_label="Which findings"):
        choice("State", "state", state, [("", "any"), *((one, one) for one in STATES)])
        choice("Kind", "kind", kind, [("", "any"), *KINDS.items()])
        for name, value in wanted.items():
            fieldset(name.capitalize(), name, value)
        with tag("div", classes="filters-acts"):
            tag("button", "Show", "button main", type="submit")
    said = tag("p", "", "quiet")
    nothing = "Nothing drifted. What sources send is as their schemas and their past say."
    table = Sheet("Drift", FINDINGS, nothing if state in ("", "open") else f"No finding is {state}.", file="drift")
    with section("Left out from the beginning"):
        tag("p", "An open schema never named these fields, perhaps on purpose: they cost no points.", "quiet")
        early = Sheet("Left out from the beginning", FINDINGS, "There are none.", file="drift-early")
    with section("How much is looked at"):
        watched = Sheet("Sources looked at", WATCHED, "No source has sent anything yet.", file="drift-sources")
    query = {**wanted, "state": state if state in STATES else "", "kind": kind if kind in KINDS else ""}

    async def refresh() -> None:
        found = await visit.api.get("drift", **query)
        news = [one for one in found["items"] if not one["early"]]
        table.fill(map(finding_row, news))
        early.fill(finding_row(one) for one in found["items"] if one["early"])
        watched.fill(_watched(one) for one in found["watched"] if one["seen"])
        said.text = f"{plural(len(news), 'finding')}, counted in the events that were looked at." if news else ""

    await visit.live(refresh, EVERY)


def name_of(one: dict[str, Any]) -> str:
    """Return what a finding is called: what drifted, and where (`*` stands for every item of a list)."""
    return f"{KINDS[one['kind']]} {one['pointer'] or '(the whole)'}"


def values_of(one: dict[str, Any]) -> str:
    """Return what came, as JSON where it is values."""
    if one["kind"] == "rule":
        return f"breaks the rule {one['rule']}"
    return ", ".join(_shown(one, value) for value in (one["values"] or one["usual"]))


def usual_of(one: dict[str, Any]) -> str:
    """Return what came before."""
    return ", ".join(_shown(one, value) for value in one["usual"])


def finding_row(one: dict[str, Any]) -> Row:
    """Return the row of a finding as the API shows it."""
    came = values_of(one)
    return Row(
        one["id"],
        [
            sheet.text(name_of(one), f"/drift/{quote(one['id'], safe='')}"), _state(one),
            sheet.text(came if len(came) <= LONGEST else f"{came[:LONGEST]}…"),
            sheet.state(
                "refused" if one["refused"] else "schema refuses" if one["breaks"] else "schema allows",
                "bad" if one["breaks"] else "",
            ),
            _share(one), sheet.count(one["count"]),
            sheet.text(one["source"], f"/partners/{quote(one['partner'], safe='')}"),
            sheet.text(f"{one['type']}@{one['version']}", schema_of(one)),
            sheet.when(one["last_seen"]), sheet.when(one["first_seen"]), sheet.text(one["owner"]),
            sheet.text(one["letter"], f"/dead-letters/{quote(one['letter'])}") if one["letter"]
            else sheet.text(one["sample"], journey(one["sample"]) if one["sample"] else ""),
        ],
    )  # fmt: skip


def schema_of(one: dict[str, Any]) -> str:
    """Return the address of the schema that a finding is about."""
    return f"/schemas/{quote(one['type'], safe='')}?version={quote(one['version'], safe='')}"


def _shown(one: dict[str, Any], value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if one["kind"] == "new_value" else words(str(value))


def _state(one: dict[str, Any]) -> Cell:
    if one["state"] == "settled":
        return sheet.state("settled", "good")
    return sheet.state("regressed" if one["regressed"] else "overdue" if one["overdue"] else one["state"])


def _share(one: dict[str, Any]) -> Cell:
    if one["refused"]:  # its share is one of what was refused
        return {"text": f"{one['count']:,} refused", "sort": -1}
    return {"text": f"{one['share']:.1%}", "sort": one["share"]}


def _watched(one: dict[str, Any]) -> Row:
    share = one["looked_at"] / one["seen"]
    versions = (f"{each['type']}@{each['version']}: {each['looked_at']:,}" for each in one["versions"])
    return Row(
        one["source"],
        [
            sheet.text(one["source"]), sheet.text(one["partner"], f"/partners/{quote(one['partner'], safe='')}"),
            sheet.count(one["seen"]), sheet.count(one["looked_at"]), {"text": f"{share:.1%}", "sort": share},
            sheet.text(", ".join(versions)),
        ],
    )  # fmt: skip
