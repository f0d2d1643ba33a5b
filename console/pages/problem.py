"""`/problems/{problem}`: one cause, who does what about it, and its dead letters sent again."""

from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from nicegui import ui

from console.access import Role
from console.pages.letters import LETTERS, letter_row
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import Moment, badge, button, empty, facts, link, plural, section, tag
from console.pages.parts.sheet import Sheet
from console.pages.plan import make_plan
from console.pages.problems import name_of
from console.pages.visit import Visit

SHOWN = 100  # dead letters of the table
CHANGES = {"Acknowledge": "acknowledged", "Resolve": "resolved", "Ignore": "ignored", "Open again": "open"}


class _Problem:
    """The parts of one opened page."""

    def __init__(self, visit: Visit, problem: str) -> None:
        self._visit, self._path, self._id = visit, f"problems/{quote(problem, safe='')}", problem
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
            if not seen["notes"]:
                empty("Nobody wrote anything yet.")
            for note in seen["notes"]:
                with tag("article", classes="note"):
                    with tag("p", classes="quiet"):
                        tag("span", f"{note['who']} · ")
                        Moment(note["at"])
                    tag("p", note["text"])

    def _buttons(self, seen: dict[str, Any]) -> None:
        if seen["open"]:
            button(f"Replay {plural(seen['open'], 'dead letter')} …", self._plan, "main")
        for text, state in CHANGES.items():
            if state != seen["state"]:
                button(text, partial(self._change, {"state": state}, f"The problem is {state}."))
        button("Owner and due time …", self._assign)
        button("Add a note …", self._note)

    async def _plan(self) -> None:
        await make_plan(self._visit, {"problem": self._id}, self._seen["open"])

    async def _change(self, said: dict[str, Any], done: str) -> None:
        if await self._visit.act(self._visit.api.send("PATCH", self._path, said), done) is not None:
            await self.refresh()

    async def _assign(self) -> None:
        due = self._seen["due"]
        shown = datetime.fromtimestamp(due / 1000, UTC).strftime("%Y-%m-%dT%H:%M") if due else ""
        fields = [
            Field("owner", "Owner", self._seen["owner"], most=100),
            Field("due", "Due (UTC)", shown, kind="datetime-local"),
        ]
        if (given := await ask("Owner and due time", (), fields, act="Save")) is None:
            return
        at = int(datetime.fromisoformat(given["due"]).replace(tzinfo=UTC).timestamp() * 1000) if given["due"] else 0
        await self._change({"owner": given["owner"], "due": at}, "Saved.")

    async def _note(self) -> None:
        field = Field("note", "Note", required=True, wide=True, most=2000)
        if (given := await ask("Add a note", (), [field], act="Add")) is not None:
            await self._change({"note": given["note"]}, "Added.")


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
