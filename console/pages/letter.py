"""`/dead-letters/{letter}`: one of them: what failed and where, its forms, what was tried, what changed since."""

from typing import Any
from urllib.parse import quote

from console.access import Role
from console.pages.parts import sheet
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import Moment, badge, button, empty, facts, link, section, tag, words
from console.pages.parts.content import document
from console.pages.parts.events import journey
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.plan import make_plan
from console.pages.visit import Visit

TRIED = (
    Column("At", "time"), Column("Outcome", "state"), Column("Detail", "long"), Column("Attempts", "number"),
    Column("Revision", "code"), Column("By"),
)  # fmt: skip
FORMS = (
    ("original", "As received"),
    ("parsed", "As read"),
    ("canonical", "Canonical"),
    ("sent", "As sent"),
    ("answer", "Answer"),
)


class _Letter:
    """The parts of one opened page."""

    def __init__(self, visit: Visit, letter: str) -> None:
        self._visit, self._path = visit, f"dead-letters/{quote(letter, safe='')}"
        self._place = tag("div", classes="stack")

    async def show(self, why: str = "") -> None:
        """Show the letter; with a reason its personal fields too."""
        shown = await self._visit.api.get(self._path, reveal=why)
        self._place.clear()
        with self._place:
            tag("p", f"{words(shown['reason'])}: {shown['detail']}", "lead")
            _facts(shown)
            if self._visit.may(Role.OPERATOR):
                self._acts(shown)
            if shown.get("gone"):
                empty("Its bytes are past their retention: it can be discarded, not sent again.")
                return
            _rules(shown["problems"], shown["rules"])
            _forms(shown)
            _changes(shown["changes"])
            with section("What was tried"):
                Sheet("What was tried", TRIED, "The journal has nothing of it any more.").fill(_tried(shown["steps"]))

    def _acts(self, shown: dict[str, Any]) -> None:
        with tag("div", classes="acts-row"):
            if shown["state"] in ("open", "replaying"):
                button("Replay …", self._replay, "main")
                button("Discard …", self._discard)
            if (shown.get("original") or {}).get("masked"):
                button("Show personal fields …", self._reveal)

    async def _replay(self) -> None:
        await make_plan(self._visit, {"ids": [self._visit.path["letter"]]}, 1)

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
        body = {"ids": [self._visit.path["letter"]], **given}
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
            ("Problem", (lambda: link(problem, f"/problems/{quote(problem)}")) if problem else ""),
        ]
    )  # fmt: skip


def _rules(problems: list[dict[str, Any]], places: list[Any]) -> None:
    if not problems and not places:
        return
    with section("The rule that failed"):
        for one in problems:
            with tag("div", classes="banner bad"):
                where = " · ".join(filter(None, [one.get("pointer", ""), _line(one)]))
                tag("strong", f"{words(one.get('code', ''))}{f' at {where}' if where else ''}")
                tag("span", one.get("message", ""))
                tag("span", one.get("hint", ""), "quiet")
        for place in places:
            tag("p", _line(place) if isinstance(place, dict) else str(place), "mono")


def _line(one: dict[str, Any]) -> str:
    if not one.get("file"):
        return ""
    return ":".join(str(one[name]) for name in ("file", "line", "column") if one.get(name))


def _forms(shown: dict[str, Any]) -> None:
    for name, title in FORMS:
        form = shown.get(name)
        if not form:
            continue
        with tag("details", classes="form", **({"open": True} if name == "original" else {})):
            tag("summary", title)
            if isinstance(form, dict) and (form.get("gone") or form.get("large")):
                empty("It is past its retention." if form.get("gone") else "It is too large to be shown here.")
            elif name == "original":
                _original(form)
            else:
                document(form, title)


def _original(form: dict[str, Any]) -> None:
    facts([("Sequence", form["seq"]), ("At", lambda: Moment(form["at"])), ("Bytes", f"{form['bytes']:,}")])
    if form.get("masked"):
        badge("personal fields are masked", "warn")
    document(form.get("text", form.get("base64", "")), "As received")


def _changes(changes: dict[str, Any]) -> None:
    with section("What changed since"):
        if not changes["kept"]:
            tag("p", f"Revision {changes['revision']} is not kept any more; {changes['now']} is in force.", "quiet")
        elif not changes["changed"]:
            tag("p", "Nothing that this event passes through.", "quiet")
        else:
            tag("p", f"From revision {changes['revision']} to {changes['now']}:", "quiet")
            _diffs(changes["changed"])


def _diffs(changed: Any) -> None:
    for one in changed.items() if isinstance(changed, dict) else ((one.get("file", ""), one) for one in changed):
        name, told = one
        tag("strong", str(name), "mono")
        document(told.get("diff", told) if isinstance(told, dict) else told, f"Difference in {name}")


def _tried(steps: list[dict[str, Any]]) -> list[Row]:
    return [
        Row(
            f"{place}",
            [
                sheet.when(one["at"]), sheet.state(one["outcome"]), sheet.text(one["detail"]),
                sheet.count(one["attempts"] or None), sheet.text(one["revision"]), sheet.text(one["who"]),
            ],
        )
        for place, one in enumerate(steps)
    ]  # fmt: skip


async def letter(visit: Visit) -> None:
    """Build the page."""
    await _Letter(visit, visit.path["letter"]).show()
