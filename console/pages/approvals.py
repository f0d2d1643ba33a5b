"""`/approvals`: acts that wait for a second person, who approves or refuses them with words."""

from typing import Any
from urllib.parse import quote

from console.access import Role, same_person
from console.pages.parts import sheet
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import Moment, badge, button, empty, facts, link, plural, section, tag, words
from console.pages.parts.content import document
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

EVERY = 5.0  # seconds
WAITING = ("asked", "approved")
SHOWN = 200  # of those that are decided
DECIDED = (
    Column("Decided", "time"), Column("State", "state"), Column("Act"), Column("Dead letters", "number"),
    Column("Asked by"), Column("Why", "long"), Column("Decided by"), Column("Said", "long"), Column("Outcome", "long"),
    Column("Approval", "code"),
)  # fmt: skip
_ACTS = {"edit": "Edit and replay", "discard": "Discard", "plan": "Run a replay plan"}
_WHAT = {"edit": "edits", "discard": "discards", "plan": "replay plans"}


class _Approvals:
    """The parts of one opened page."""

    def __init__(self, visit: Visit) -> None:
        self._visit, self._seen = visit, [dict[str, Any]()]
        self._said = tag("p", "", "quiet")
        with section("Waiting"):
            self._waiting = tag("div", classes="stack")
        with section("Decided"):
            self._decided = Sheet("Decided", DECIDED, "Nothing was decided in the last days.", file="approvals")

    async def refresh(self) -> None:
        """Fill both parts."""
        found = await self._visit.api.get("approvals")
        self._said.text = _asked_from(found["second_person"])
        waiting = [one for one in found["items"] if one["state"] in WAITING]
        decided = [one for one in found["items"] if one["state"] not in WAITING]
        self._decided.fill((_row(one) for one in decided[:SHOWN]), f"of {len(decided)}" if len(decided) > SHOWN else "")
        if waiting == self._seen:
            return
        self._seen = waiting
        self._waiting.clear()
        with self._waiting:
            if not waiting:
                empty("Nothing waits for a second person.")
            for one in waiting:
                self._card(one)

    def _card(self, one: dict[str, Any]) -> None:
        own = same_person(one["who"], self._visit.person)
        with tag("article", classes="note card"):
            with tag("div", classes="hop-head"):
                tag("h3", f"{_ACTS[one['act']]}: {plural(one['letters'], 'dead letter')}")
                badge("waits" if one["state"] == "asked" else "being done", "warn")
            facts(
                [
                    ("Asked by", "you" if own else one["who"]), ("Asked", lambda: Moment(one["at"])),
                    ("Why", one["why"] or "no reason given"), ("About", lambda: _about(one)),
                    ("Expires", lambda: Moment(one["expires"])), ("Approval", one["id"]),
                ]
            )  # fmt: skip
            if one["act"] == "edit":
                document(one["shown"]["patch"], "The patch")
            with tag("div", classes="acts-row"):
                self._buttons(one, own)

    def _buttons(self, one: dict[str, Any], own: bool) -> None:
        if not self._visit.may(Role.OPERATOR):
            tag("p", "An operator approves or refuses this.", "quiet")
            return
        if not own:
            button("Approve …", lambda: self._decide(one, "approve"), "main")
        button("Take it back …" if own else "Refuse …", lambda: self._decide(one, "refuse"))
        if own:
            tag("span", "You asked for it, so another person has to approve it.", "quiet")

    async def _decide(self, one: dict[str, Any], word: str) -> None:
        approving, what = word == "approve", f"{_ACTS[one['act']].lower()}, {plural(one['letters'], 'dead letter')}"
        lines = [f"It is done at once: {what}." if approving else f"It will not be done: {what}."]
        fields = [Field("why", "Your words", required=not approving, wide=True)]

        async def attempt(given: dict[str, str]) -> str:
            return await self._visit.tried(self._visit.api.send("POST", f"approvals/{one['id']}/{word}", given))

        title = "Approve" if approving else "Refuse"
        if await ask(title, lines, fields, act=title, danger=not approving, attempt=attempt) is not None:
            self._visit.say("Approved and done." if approving else "It will not be done.", "positive")
            await self.refresh()


def _about(one: dict[str, Any]) -> None:
    shown = one["shown"]
    if one["act"] == "plan":
        link(shown["plan"], f"/plans/{quote(shown['plan'], safe='')}")
        return
    ids = [shown["id"]] if one["act"] == "edit" else shown["ids"]
    for place, letter in enumerate(ids[:10]):
        tag("span", ", " if place else "")
        link(letter, f"/dead-letters/{quote(letter, safe='')}")
    if len(ids) > 10:
        tag("span", f" and {len(ids) - 10:,} more", "quiet")


def _asked_from(second_person: dict[str, int]) -> str:
    if not second_person:
        return "No act takes a second person here: config.yaml asks for none (console.second_person)."
    told = (f"{_WHAT[act]} of {plural(least, 'dead letter')} or more" for act, least in second_person.items())
    return f"A second person approves {', '.join(told)}."


def _row(one: dict[str, Any]) -> Row:
    looks = {"done": "good", "failed": "bad"}.get(one["state"], "")
    return Row(
        one["id"],
        [
            sheet.when(one["then"] or one["at"]), sheet.state(one["state"], looks),  # type: ignore[arg-type]
            sheet.text(words(one["act"])), sheet.count(one["letters"]), sheet.text(one["who"]), sheet.text(one["why"]),
            sheet.text(one["by"]), sheet.text(one["said"]), sheet.text(one["outcome"]), sheet.text(one["id"]),
        ],
    )  # fmt: skip


async def approvals(visit: Visit) -> None:
    """Build the page."""
    await visit.live(_Approvals(visit).refresh, EVERY)
