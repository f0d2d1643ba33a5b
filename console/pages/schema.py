"""`/schemas/{type}`: one event type: its versions, how they differ, who uses it, and what its fields mean."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nicegui import ui

from console.pages.api import Refusal
from console.pages.parts import sheet
from console.pages.parts.basics import badge, choice, empty, facts, number, section, tag
from console.pages.parts.content import document
from console.pages.parts.diff import show_diff
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.schemas import promise_of
from console.pages.visit import Visit

VERSIONS = (
    Column("Version"), Column("State", "state"), Column("Instead", "long"), Column("Sent by", "long"),
    Column("Last seen", "time"), Column("Compared with the one before"),
)  # fmt: skip
CHANGES = (
    Column("Place", "code"), Column("Change", "long"), Column("Verdict", "state"), Column("Why", "long"),
    Column("Witness", "code"),
)  # fmt: skip
USES = (Column("Used by"), Column("Name"), Column("How"))
FIELDS = (Column("Place", "code"), Column("Key"), Column("Personal", "state"))


async def schema(visit: Visit) -> None:
    """Build the page."""
    type_ = visit.path["type"]
    ui.page_title(f"{type_[:80]} · Crossdock")
    path = f"schemas/{quote(type_, safe='')}"
    seen = await visit.api.get(path, version=visit.query.get("version", ""))
    tag("p", seen["type"], "lead mono")
    facts(
        [
            ("Title", seen["title"]), ("Description", seen["description"]), ("Owner", seen["owner"]),
            ("New versions keep", promise_of(seen)),
            ("Made in the last day", number(seen["made"]) if seen["made"] else ""),
        ]
    )  # fmt: skip
    _versions(seen)
    _uses(seen)
    known = [one["version"] for one in seen["versions"]]
    if len(known) > 1:
        with section("Differences"):
            await _differences(visit, path, seen, known)
    with section(f"Version {seen['version']}"):
        _fields(seen)
        document(seen["schema"], f"Schema {seen['version']}")


def _versions(seen: Mapping[str, Any]) -> None:
    here, known = f"/schemas/{quote(seen['type'], safe='')}", [one["version"] for one in seen["versions"]]
    rows = []
    for before, one in zip(["", *known], seen["versions"], strict=False):
        senders = [each for each in seen["seen"] if each["version"] == one["version"]]
        compared = f"{here}?from={before}&to={one['version']}#differences" if before else ""
        state = sheet.state("deprecated", "warn") if one["deprecated"] else sheet.state("in force", "good")
        rows.append(
            Row(
                one["version"],
                [
                    sheet.text(one["version"], f"{here}?version={one['version']}"),
                    state,
                    sheet.text(one["deprecated"]),
                    sheet.text(", ".join(each["source"] for each in senders)),
                    sheet.when(max((each["last_seen"] for each in senders), default=0)),
                    sheet.text(f"{before} to {one['version']}", compared) if before else sheet.text(""),
                ],
            )
        )
    with section("Versions"):
        Sheet("Versions", VERSIONS, "").fill(reversed(rows))


def _uses(seen: Mapping[str, Any]) -> None:
    rows = [
        (
            "Source",
            one["source"],
            one["pin"] and f"pinned to {one['pin']}",
            f"/partners/{quote(one['partner'], safe='')}",
        )
        for one in seen["sources"]
    ]
    rows += [("Transform", one["transform"], f"{one['from']} to {one['to']}", "") for one in seen["transforms"]]
    rows += [("Cast", name, "", "") for name in seen["casts"]]
    for one in seen["routes"]:
        major = "" if one["major"] is None else f", as version {one['major']}"
        rows.append(("Route", one["route"], f"to {one['connector']}{major}", "/routes"))
    with section("Used by"):
        table = Sheet("Used by", USES, "Nobody uses it: no source, transform or route names it.")
        table.fill(
            Row(f"{kind} {name}", [sheet.text(kind), sheet.text(name, href), sheet.text(how)])
            for kind, name, how, href in rows
        )


async def _differences(visit: Visit, path: str, seen: Mapping[str, Any], known: list[str]) -> None:
    old, new = visit.query.get("from", known[-2]), visit.query.get("to", known[-1])
    action = f"/schemas/{quote(seen['type'], safe='')}"
    with tag("form", classes="filters", method="get", action=action, id="differences", aria_label="Which versions"):
        choice("From", "from", old, [(one, one) for one in known])
        choice("To", "to", new, [(one, one) for one in known])
        with tag("div", classes="filters-acts"):
            tag("button", "Compare", "button main", type="submit")
    try:
        found = await visit.api.get(f"{path}/diff", **{"from": old, "to": new})
        before, after = [(await visit.api.get(path, version=one))["schema"] for one in (old, new)]
    except Refusal as refusal:
        empty(str(refusal))
        return
    _verdict(found)
    Sheet("Changes", CHANGES, "Nothing changes what fits.", file="changes").fill(
        _change(place, one) for place, one in enumerate(found["changes"])
    )
    await show_diff(before, after, f"{old} to {new}")


def _verdict(found: Mapping[str, Any]) -> None:
    with tag("div", classes="acts-row"):
        for way, who, what in (("backward", found["to"], found["from"]), ("forward", found["from"], found["to"])):
            holds = found[way]
            badge(f"{way} compatible" if holds else f"not {way} compatible", "good" if holds else "warn")
            tag("span", f"{who} reads {'all' if holds else 'not all'} that is written for {what}.")
    if found["broken"]:
        tag("p", f"This breaks what the type promises: {promise_of(dict(found))}.", "note warn")


def _change(place: int, one: Mapping[str, Any]) -> Row:
    breaks = " and ".join(one["breaks"])
    word = f"breaks {breaks}" + ("" if one["proven"] else ", not proven")
    said = sheet.state(word, "warn") if breaks else sheet.state("breaks nothing", "")
    return Row(
        str(place),
        [
            sheet.text(one["pointer"] or "(the whole)"), sheet.text(one["change"]), said, sheet.text(one["why"]),
            sheet.text(one["witness"]),
        ],
    )  # fmt: skip


def _fields(seen: Mapping[str, Any]) -> None:
    kinds = {one["pointer"]: one["kind"] for one in seen["keys"]}
    personal = sheet.state("personal", "warn")
    table = Sheet("Annotated fields", FIELDS, "No field is annotated as a key or as personal.")
    table.fill(
        Row(
            pointer,
            [
                sheet.text(pointer or "(the whole)"), sheet.text(kinds.get(pointer, "")),
                personal if pointer in seen["personal"] else sheet.text(""),
            ],
        )
        for pointer in dict.fromkeys((*kinds, *seen["personal"]))
    )  # fmt: skip
