"""`/plans` and `/plans/{plan}`: replays that are counted, tried dry, run, paused and cancelled."""

from functools import partial
from typing import Any
from urllib.parse import quote

from nicegui import ui

from console.access import Role
from console.pages.parts import sheet
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import Moment, badge, button, empty, facts, number, plural, section, tag, words
from console.pages.parts.content import document
from console.pages.parts.sheet import Cell, Column, Row, Sheet
from console.pages.visit import Visit

PLANS = (
    Column("Made", "time"), Column("Plan", "code"), Column("State", "state"), Column("Of"),
    Column("Looked at"), Column("Sent", "number"),
    Column("By"), Column("Why"),
)  # fmt: skip


REPORTED = ("delivered", "routed", "failed_again", "under_way", "still_open", "discarded", "unwanted")
REPORT = (Column("Target"), *(Column(words(one).capitalize(), "number") for one in REPORTED))


async def make_plan(visit: Visit, selection: dict[str, Any], about: int) -> None:
    """Ask why, make a plan of a selection, and go to its page; nothing is sent by that."""
    lines = [
        f"{plural(about, 'dead letter')} will be in the plan. Nothing is sent yet: the next page counts exactly, "
        "tries it dry and asks again."
    ]
    fields = [Field("why", "Why"), Field("rate", "At most a second", "500", kind="number", required=True)]
    if (given := await ask("Make a replay plan", lines, fields, act="Make the plan")) is None:
        return
    rate = int(given["rate"]) if given["rate"].isdigit() else 0
    made = await visit.act(visit.api.send("POST", "plans", {**selection, "why": given["why"], "rate": rate}))
    if made is not None:
        ui.navigate.to(f"/plans/{quote(made['id'])}")


async def plans(visit: Visit) -> None:
    """Build the page of all plans."""
    table = Sheet("Replay plans", PLANS, "No plans yet. A problem has a button that makes one.", file="plans")

    async def refresh() -> None:
        table.fill(_row(one) for one in (await visit.api.get("plans"))["items"])

    await visit.live(refresh)


def _row(one: dict[str, Any]) -> Row:
    return Row(
        one["id"],
        [
            sheet.when(one["at"]), sheet.text(one["id"], f"/plans/{quote(one['id'])}"), sheet.state(one["state"]),
            sheet.text(one.get("of", "letters")),
            sheet.text(f"{one['done']:,} of {one['total']:,}"), sheet.count(one["sent"]), sheet.text(one["who"]),
            sheet.text(one["reason"]),
        ],
    )  # fmt: skip


class _Plan:
    """The parts of one opened page."""

    def __init__(self, visit: Visit, plan_id: str) -> None:
        self._visit, self._path, self._seen = visit, f"plans/{quote(plan_id, safe='')}", dict[str, Any]()
        self._facts, self._acts = tag("div"), tag("div", classes="acts-row")
        with tag("div", classes="progress-row"):
            self._bar = tag("progress", classes="progress", aria_label="Looked at", max=1, value=0)
            self._said = tag("span", "", "quiet", role="status")
        with section("What came of it"):
            self._report = Sheet("What came of it", REPORT, "Nothing was sent yet.", file="report")
        with section("Dry run"):
            self._trial = tag("div", aria_live="polite")
            with self._trial:
                empty("Not tried yet. A dry run sends nothing.")

    async def refresh(self) -> None:
        seen = await self._visit.api.get(self._path)
        report = seen.pop("report", {"targets": []})
        self._report.fill(Row(one["target"], _reported(one)) for one in report["targets"])
        if seen == self._seen:
            return
        turned = seen["state"] != self._seen.get("state")
        self._seen = seen
        self._bar.props["max"], self._bar.props["value"] = max(1, seen["total"]), seen["done"]
        self._bar.update()
        self._said.text = f"{seen['done']:,} of {seen['total']:,} looked at"
        self._facts.clear()
        with self._facts:
            _facts(seen)
        if turned:
            self._acts.clear()
            with self._acts:
                self._buttons(seen["state"])

    def _buttons(self, state: str) -> None:
        if not self._visit.may(Role.OPERATOR) or state in ("done", "cancelled"):
            return
        if state in ("planned", "paused"):
            button("Run …" if state == "planned" else "Go on …", self._run, "main")
        if state == "planned":
            button("Dry run", self._try)
        if state == "running":
            button("Pause", partial(self._turn, "pause"), "main")
        button("Cancel the plan", self._cancel)

    def _noun(self) -> str:
        return "event" if self._seen.get("of") == "events" else "dead letter"

    async def _run(self) -> None:
        left = self._seen["total"] - self._seen["done"]
        lines = [f"{plural(left, self._noun())} will be sent again, in order, at most {self._seen['rate']:,} a second."]
        if await ask("Run the plan", lines, act=f"Send {left:,}") is not None:
            await self._turn("run")

    async def _cancel(self) -> None:
        left = self._seen["total"] - self._seen["done"]
        lines = [f"{plural(left, self._noun())} will not be sent and stay as they are. What was sent is delivered."]
        if await ask("Cancel the plan", lines, act="Cancel the plan", danger=True) is not None:
            await self._turn("cancel")

    async def _turn(self, act: str) -> None:
        if await self._visit.act(self._visit.api.send("POST", f"{self._path}/{act}")) is not None:
            await self.refresh()

    async def _try(self) -> None:
        self._trial.clear()
        with self._trial:
            empty("Trying …")
        told = await self._visit.act(self._visit.api.send("POST", f"{self._path}/dry-run"))
        self._trial.clear()
        with self._trial:
            if told is None:
                empty("The dry run was refused.")
            else:
                _trial(told)


def _reported(one: dict[str, Any]) -> list[Cell]:
    return [sheet.text(one["target"]), *(sheet.count(one.get(name, 0)) for name in REPORTED)]


def _facts(seen: dict[str, Any]) -> None:
    facts(
        [
            ("State", lambda: badge(seen["state"])), ("By", seen["who"]), ("Why", seen["reason"]),
            ("Made", lambda: Moment(seen["at"])), ("Events", f"{seen['total']:,}"), ("Sent", f"{seen['sent']:,}"),
            ("Changed since", f"{seen['skipped']:,}"), ("Past retention", f"{seen['gone']:,}"),
            ("At most a second", f"{seen['rate']:,}"), ("Tried dry by revision", seen.get("tried", "")),
            ("Waits for room on", seen.get("waits_for", "")), ("Edit", seen.get("edit", "")),
            ("Begun", (lambda: Moment(seen["begun"])) if seen.get("begun") else ""),
            ("Ended", (lambda: Moment(seen["ended"])) if seen.get("ended") else ""),
        ]
    )  # fmt: skip


def _targets(told: Any) -> str:
    if isinstance(told, dict):
        return ", ".join(f"{name} {count}" for name, count in told.items())
    return ", ".join(map(str, told or []))


def _trial(told: dict[str, Any]) -> None:
    """Show what a dry run said."""
    facts(
        [
            ("Looked at", f"{told['looked_at']:,} of {told['total']:,}"), ("Would pass", number(told["passes"])),
            ("Would fail", number(sum(one.get("count", 1) for one in told["fails"]))),
            ("By revision", told.get("revision", "")),
            ("Targets", _targets(told.get("targets"))),
            ("After a later event of their key", number(told["order_conflicts"]["count"])),
            ("Maybe known to the target", number(told["maybe_known_to_target"]["count"])),
        ]
    )  # fmt: skip
    for one in told["fails"]:
        with tag("div", classes="banner bad"):
            tag("strong", plural(one.get("count", 1), "failure"))
            tag("span", str(one.get("why", "")))
    for one in told.get("examples", []):
        with tag("div", classes="example"):
            tag("strong", " · ".join(str(one[name]) for name in ("id", "route", "connector") if one.get(name)))
            document(one.get("changes", one), "What changes")


async def plan(visit: Visit) -> None:
    """Build the page of one plan."""
    await visit.api.get(f"plans/{quote(visit.path['plan'], safe='')}")  # says in words that there is none
    await visit.live(_Plan(visit, visit.path["plan"]).refresh)
