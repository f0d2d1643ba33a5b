"""`/problems/{problem}`: one cause, who does what about it, and its dead letters sent again."""

from typing import Any
from urllib.parse import quote

from nicegui import ui

from console.access import Role
from console.pages.letters import LETTERS, letter_row
from console.pages.parts.basics import Moment, badge, button, facts, link, plural, section, tag
from console.pages.parts.marks import Marking, tell_notes
from console.pages.parts.sheet import Sheet
from console.pages.planning import make_plan
from console.pages.problems import name_of
from console.pages.visit import Visit

SHOWN = 100  # dead letters of the table


class _Problem:
    """The parts of one opened page."""

    def __init__(self, visit: Visit, problem: str) -> None:
        self._visit, self._path, self._id = visit, f"problems/{quote(problem, safe='')}", problem
        self._marking = Marking(visit, self._path, "problem", self.refresh)
        self._seen: dict[str, Any] = {}
        self._name = tag("p", "", "lead")
        self._facts, self._acts = tag("div"), tag("div", classes="acts-row")
        with section("Notes"):
            self._notes = tag("div")
        with section("Dead letters"):
            self._table = Sheet("Dead letters of this problem", LETTERS, "None of them is left.", file="dead-letters")

    async def refresh(self) -> None:
        seen = await self._visit.api.get(self._path)
        found = await self._visit.api.get("dead-letters", problem=self._id, limit=SHOWN)
        more = f"of {seen['total']:,}" if seen["total"] > len(found["items"]) else ""
        self._table.fill((letter_row(one) for one in found["items"]), more)
        if seen == self._seen:
            return
        self._seen, self._name.text = seen, name_of(seen)
        self._tell(seen)

    def _tell(self, seen: dict[str, Any]) -> None:
        for place in (self._facts, self._acts, self._notes):
            place.clear()
        with self._facts:
            _facts(seen)
        with self._acts:
            if self._visit.may(Role.OPERATOR):
                self._buttons(seen)
        with self._notes:
            tell_notes(seen)

    def _buttons(self, seen: dict[str, Any]) -> None:
        if seen["open"]:
            button(f"Replay {plural(seen['open'], 'dead letter')} …", self._plan, "main")
        self._marking.buttons(seen)

    async def _plan(self) -> None:
        await make_plan(self._visit, {"problem": self._id})


def _facts(seen: dict[str, Any]) -> None:
    facts(
        [
            ("State", lambda: badge("regressed" if seen["regressed"] else seen["state"])),
            ("Overdue", "yes" if seen["overdue"] else ""), ("Stage", seen["stage"]),
            ("Route", seen["route"]), ("Source", seen["source"]), ("Reason", seen["reason"]), ("Place", seen["place"]),
            ("Owner", seen["owner"] or "nobody"), ("Due", (lambda: Moment(seen["due"])) if seen["due"] else ""),
            ("Open", f"{seen['open']:,}"), ("Resolved", f"{seen['resolved']:,}"),
            ("Discarded", f"{seen['discarded']:,}"),
            ("In the last hour", f"{seen['last_hour']:,}"), ("First seen", lambda: Moment(seen["first_seen"])),
            ("Last seen", lambda: Moment(seen["last_seen"])), ("Partners", ", ".join(seen["partners"])),
            ("Sample", lambda: link(seen["sample"], f"/dead-letters/{quote(seen['sample'])}")),
        ]
    )  # fmt: skip


async def problem(visit: Visit) -> None:
    """Build the page."""
    ui.page_title(f"Problem {visit.path['problem']} · Crossdock")
    await visit.api.get(f"problems/{quote(visit.path['problem'], safe='')}")  # says in words that there is none
    await visit.live(_Problem(visit, visit.path["problem"]).refresh)
