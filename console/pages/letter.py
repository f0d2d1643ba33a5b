"""`/dead-letters/{letter}`: one of them: what failed and where, its forms, what was tried, what changed since."""

from typing import Any
from urllib.parse import quote

from console.access import Role
from console.pages.parts import sheet
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import Moment, badge, button, empty, facts, link, section, tag, words
from console.pages.parts.compare import show_marked
from console.pages.parts.content import document
from console.pages.parts.diff import show_lines
from console.pages.parts.events import journey
from console.pages.parts.fault import show_fault, show_rule
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.planning import make_plan
from console.pages.promote import promote
from console.pages.visit import Visit

TRIED = (
    Column("At", "time"), Column("Outcome", "state"), Column("Detail", "long"), Column("Attempts", "number"),
    Column("Revision", "code"), Column("By"),
)  # fmt: skip
_PLAIN = (("parsed", "As read"), ("canonical", "Canonical"))


class _Letter:
    """The parts of one opened page."""

    def __init__(self, visit: Visit, letter: str) -> None:
        self._visit, self._id, self._path = visit, letter, f"dead-letters/{quote(letter, safe='')}"
        self._place = tag("div", classes="stack")

    async def show(self, why: str = "") -> None:
        """Show the letter; with a reason its personal fields too."""
        shown = await self._visit.api.get(self._path, reveal=why)
        self._place.clear()
        with self._place:
            tag("p", f"{words(shown['reason'])}: {shown['detail']}", "lead")
            _facts(shown)
            if self._visit.may(Role.OPERATOR):
                self._acts(shown, revealed=bool(why))
            if shown.get("gone"):
                empty("Its bytes are past their retention: it can be discarded, not sent again.")
                return
            _rules(shown)
            _forms(shown)
            _changes(shown["changes"])
            with section("What was tried"):
                Sheet("What was tried", TRIED, "The journal has nothing of it any more.").fill(_tried(shown["steps"]))

    def _acts(self, shown: dict[str, Any], *, revealed: bool) -> None:
        there, waits = not shown.get("gone"), shown["state"] in ("open", "replaying")
        with tag("div", classes="acts-row"):
            if there and waits:
                button("Replay …", self._replay, "main")
            if there and shown["state"] == "open":
                link("Edit and replay …", f"/{self._path}/edit", "button")
            if waits:
                button("Discard …", self._discard)
            if there:
                button("Make a test …", lambda: promote(self._visit, shown))
            if there and not revealed and shown["original"].get("masked") is not False:
                button("Show personal fields …", self._reveal)

    async def _replay(self) -> None:
        await make_plan(self._visit, {"ids": [self._id]})

    async def _reveal(self) -> None:
        lines = ["What you look at, and why, is kept in the audit log."]
        why = await ask("Show personal fields", lines, [Field("why", "Reason", required=True)], act="Show")
        if why is not None:
            await self._visit.act(self.show(why["why"]))

    async def _discard(self) -> None:
        lines = ["1 dead letter will be given up for good. Nobody can send it again."]
        given = await ask("Discard", lines, [Field("reason", "Reason", required=True)], act="Discard it", danger=True)
        if given is None:
            return
        body = {"ids": [self._id], **given}
        if await self._visit.act(self._visit.api.send("POST", "discards", body), "Discarded.") is not None:
            await self._visit.act(self.show())


def _facts(shown: dict[str, Any]) -> None:
    event, problem = shown["event_id"], shown.get("problem")
    facts(
        [
            ("State", lambda: badge(shown["state"])), ("Id", shown["id"]),
            ("Event", (lambda: link(event, journey(event))) if event else "unreadable"),
            ("Partner", shown.get("partner", "")), ("Source", shown["source"]), ("Route", shown["route"]),
            ("Type", shown.get("type", "")), ("Business key", shown.get("key", "")), ("Attempts", shown["attempts"]),
            ("Edited as", shown.get("edit", "")), ("First seen", lambda: Moment(shown["first_seen"])),
            ("Last seen", lambda: Moment(shown["last_seen"])),
            ("Problem", (lambda: link("All that are alike", f"/problems/{quote(problem)}")) if problem else ""),
        ]
    )  # fmt: skip


def _rules(shown: dict[str, Any]) -> None:
    """Show what is wrong, the rule it is wrong by, and the place of the event that it is wrong at."""
    if not shown["problems"] and not shown["rules"]:
        return
    with section("The rule that failed"):
        for one in shown["problems"]:
            show_fault(one)
        for place in shown["rules"]:
            show_rule(place)
        for name, title in _PLAIN:
            about = [one for one in shown["problems"] if one.get("pointer") and _form_of(one, shown) == name]
            if about and shown.get(name):
                show_marked(shown[name]["data"], about, f"{title}, with what is wrong")


def _form_of(problem: dict[str, Any], shown: dict[str, Any]) -> str:
    """Return the form of the event that the place of a problem is in, if it is in one."""
    if problem.get("code") in ("target_invalid", "reply_invalid"):  # in what was made for the target, or of its answer
        return ""
    return "parsed" if shown["stage"] == "process" and problem.get("code") != "canonical_invalid" else "canonical"


def _forms(shown: dict[str, Any]) -> None:
    with section("The event"):
        with tag("details", classes="form", open=True):
            tag("summary", "As received")
            _original(shown["original"])
        for name, title in _PLAIN:
            if shown.get(name):
                with tag("details", classes="form"):
                    tag("summary", title)
                    document(shown[name], title)
        if sent := shown.get("sent"):
            with tag("details", classes="form", open=True):
                tag("summary", f"As sent: {sent.get('method', '')} {sent.get('url', '')}".strip(": "))
                _message(sent, "As sent")
        if answer := shown.get("answer"):
            with tag("details", classes="form", open=True):
                tag("summary", f"Answer: {answer['status']}")
                _message(answer, "Answer")


def _original(form: dict[str, Any]) -> None:
    if form.get("gone") or form.get("large"):
        empty("It is past its retention." if form.get("gone") else "It is too large to be shown here.")
        return
    facts([("Sequence", form["seq"]), ("At", lambda: Moment(form["at"])), ("Bytes", f"{form['bytes']:,}")])
    if form.get("masked"):
        badge("personal fields are masked", "warn")
    document(form.get("text", form.get("base64", "")), "As received")


def _message(form: dict[str, Any], title: str) -> None:
    facts([(name, str(value)) for name, value in form.get("headers", {}).items()])
    if "size" in form:
        tag("p", f"The beginning of {form['size']:,} bytes.", "quiet")
    document(form.get("body", ""), title)


def _changes(changes: dict[str, Any]) -> None:
    with section("What changed since"):
        if not changes["kept"]:
            tag("p", f"Revision {changes['revision'][:12]} is not kept any more; {changes['now'][:12]} is in force.")
            return
        if not changes["changed"]:
            tag("p", "Nothing that this event passes through: what it failed by is still in force.")
            return
        tag("p", f"From revision {changes['revision'][:12]} to {changes['now'][:12]}:", "quiet")
        for one in changes["changed"]:
            tag("h3", f"{one['file']} was {one['what']}")
            show_lines(one["lines"], f"Difference in {one['file']}", more=one["more"])


def _tried(steps: list[dict[str, Any]]) -> list[Row]:
    return [
        Row(
            f"{place}",
            [
                sheet.when(one["at"]), sheet.state(one["outcome"]), sheet.text(one["detail"]),
                sheet.count(one["attempts"] or None), sheet.text(one["revision"][:12]), sheet.text(one["who"]),
            ],
        )
        for place, one in enumerate(steps)
    ]  # fmt: skip


async def letter(visit: Visit) -> None:
    """Build the page."""
    await _Letter(visit, visit.path["letter"]).show()
