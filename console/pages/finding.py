"""`/drift/{finding}`: one finding, who does what about it, and a schema that would allow it."""

from typing import Any
from urllib.parse import quote

from nicegui import ui

from console.access import Role
from console.pages.api import Refusal
from console.pages.drift import name_of, schema_of, usual_of, values_of
from console.pages.parts import sheet
from console.pages.parts.basics import Moment, badge, button, empty, facts, link, section, tag
from console.pages.parts.diff import show_diff
from console.pages.parts.events import journey
from console.pages.parts.marks import CHANGES, Marking, tell_notes
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

EVERY = 5.0
CHANGED = (Column("Place", "code"), Column("Change", "long"))
WORDS = {
    "unknown_field": "A field came that the schema does not name. Its values are not kept.",
    "new_value": "A value came that is not in the list of the schema, or not among the few that came before.",
    "null": "Null came where the schema refuses it, or where it never came before.",
    "type": "Another kind of value came than the schema allows, or than came before.",
    "missing": "A field that came so often does not come any more.",
    "rule": "A rule of the schema is broken.",
}


class _Finding:
    """The parts of one opened page."""

    def __init__(self, visit: Visit, finding: str) -> None:
        self._visit, self._path = visit, f"drift/{quote(finding, safe='')}"
        self._marking = Marking(visit, self._path, "finding", self.refresh)
        self._seen: dict[str, Any] = {}
        self._name, self._says = tag("p", "", "lead"), tag("p", "", "quiet")
        self._facts, self._acts = tag("div"), tag("div", classes="acts-row")
        with section("Notes"):
            self._notes = tag("div")

    async def refresh(self) -> None:
        seen = await self._visit.api.get(self._path)
        if seen == self._seen:
            return
        self._seen, self._name.text, self._says.text = seen, name_of(seen), WORDS[seen["kind"]]
        for place in (self._facts, self._acts, self._notes):
            place.clear()
        with self._facts:
            _facts(seen)
        with self._acts:
            if self._visit.may(Role.OPERATOR):
                self._marking.buttons(seen, {} if seen["state"] == "settled" else CHANGES)
        with self._notes:
            tell_notes(seen)


def _facts(seen: dict[str, Any]) -> None:
    partner, sample, letter = seen["partner"], seen["sample"], seen["letter"]
    schema = "refuses such events" if seen["breaks"] else "lets them through"
    said = "settled" if seen["state"] == "settled" else "regressed" if seen["regressed"] else seen["state"]
    facts(
        [
            ("State", lambda: badge(said, "good" if said == "settled" else None)),
            ("Overdue", "yes" if seen["overdue"] else ""),
            ("Partner", lambda: link(partner, f"/partners/{quote(partner, safe='')}")), ("Source", seen["source"]),
            ("Schema", lambda: link(f"{seen['type']}@{seen['version']}", schema_of(seen))),
            ("Place", seen["pointer"] or "(the whole)"), ("What came", values_of(seen)),
            ("Usual", usual_of(seen) if seen["values"] else ""),
            ("Events", _often(seen)),
            ("The schema", schema),
            ("Refused", "all of them, so it costs no points as drift" if seen["refused"] else ""),
            ("Since when", "from the beginning, perhaps left out on purpose" if seen["early"] else ""),
            ("First seen", lambda: Moment(seen["first_seen"])), ("Last seen", lambda: Moment(seen["last_seen"])),
            ("Sample", (lambda: link(sample, journey(sample))) if sample else ""),
            ("Dead letter", (lambda: link(letter, f"/dead-letters/{quote(letter)}")) if letter else ""),
            ("Owner", seen["owner"] or "nobody"), ("Due", (lambda: Moment(seen["due"])) if seen["due"] else ""),
        ]
    )  # fmt: skip


def _often(seen: dict[str, Any]) -> str:
    if seen["refused"]:
        return f"{seen['count']:,} refused"
    return f"{seen['count']:,} of {seen['of']:,} looked at ({seen['share']:.1%})"


class _Proposal:
    """A schema that would allow the finding, alone or with others of its type."""

    def __init__(self, visit: Visit, finding: str) -> None:
        self._visit, self._id = visit, finding
        with section("A schema that allows it"):
            self._place = tag("div", classes="stack")

    async def show(self, others: list[str], together: bool) -> None:
        """Show it, and offer the other way."""
        self._place.clear()
        with self._place:
            try:
                made = await self._visit.api.get(
                    f"drift/{quote(self._id, safe='')}/proposal", also=others if together else None
                )
            except Refusal as refusal:
                empty(str(refusal))
            else:
                await self._tell(made, [self._id, *(others if together else ())])
            if others:
                text = "This finding alone" if together else f"With {len(others)} other findings of this type"
                with tag("div", classes="acts-row"):
                    button(text, lambda: self.show(others, not together))

    async def _tell(self, made: dict[str, Any], ids: list[str]) -> None:
        path = f"schemas/{quote(made['type'], safe='')}"
        base = (await self._visit.api.get(path, version=made["base"]))["schema"]
        tag("p", f"{made['file']} would be compatible with all that {made['type']} promises.")
        table = Sheet("Changes", CHANGED, "Nothing changes.")
        table.fill(Row(str(place), _changed(one)) for place, one in enumerate(made["changes"]))
        await show_diff(base, made["schema"], f"{made['base']} to {made['version']}")
        tag("p", "Write it into your project, look at it, and say what the field means:")
        command = f"crossdock drift propose {' '.join(ids)} --to ."
        tag("pre", command, "code-block", tabindex=0, role="region", aria_label="Command")


def _changed(one: dict[str, Any]) -> list[sheet.Cell]:
    return [sheet.text(one["pointer"]), sheet.text(one["change"])]


def _proposable(one: dict[str, Any]) -> bool:
    """Tell whether another version could allow it; `early` fields are left out on purpose, perhaps."""
    widened = one["kind"] == "unknown_field" or (one["breaks"] and one["kind"] not in ("missing", "rule"))
    return bool(widened and one["state"] == "open" and not one["early"])


async def finding(visit: Visit) -> None:
    """Build the page."""
    name = visit.path["finding"]
    ui.page_title(f"Drift {name} · Crossdock")
    seen = await visit.api.get(f"drift/{quote(name, safe='')}")  # says in words that there is none
    await visit.live(_Finding(visit, name).refresh, EVERY)
    if seen["state"] == "settled":
        return
    found = (await visit.api.get("drift", type=seen["type"], source=seen["source"]))["items"]
    same = [one for one in found if one["version"].split(".")[0] == seen["version"].split(".")[0] and _proposable(one)]
    await _Proposal(visit, name).show([one["id"] for one in same if one["id"] != name], False)
