"""`/plans/{plan}`: a replay that is counted, tried dry, run, paused, gone on with and cancelled; what came of it."""

from functools import partial
from typing import Any
from urllib.parse import quote

from console.access import Role
from console.pages.parts import sheet
from console.pages.parts.ask import ask
from console.pages.parts.basics import (
    Moment,
    badge,
    button,
    duration,
    empty,
    facts,
    link,
    number,
    plural,
    section,
    tag,
    words,
)  # fmt: skip
from console.pages.parts.events import journey
from console.pages.parts.rates import Rates
from console.pages.parts.sheet import Cell, Column, Row, Sheet
from console.pages.parts.trial import show_trial
from console.pages.visit import Visit

REPORTED = ("delivered", "routed", "failed_again", "under_way", "still_open", "discarded", "unwanted")
REPORT = (Column("Target"), *(Column(words(one).capitalize(), "number") for one in REPORTED))
FAILED = (
    Column("Event", "code"), Column("Dead letter", "code"), Column("Target"), Column("Reason"),
    Column("Detail", "long"),
)  # fmt: skip
LOOKS = 5  # of which one asks for the report too, which takes longer


class _Plan:
    """The parts of one opened page."""

    def __init__(self, visit: Visit, plan_id: str) -> None:
        self._visit, self._id, self._path = visit, plan_id, f"plans/{quote(plan_id, safe='')}"
        self._seen, self._looks, self._rates = dict[str, Any](), 0, Rates()
        self._warned: list[str] = []
        self._waiting = tag("div", classes="notices", role="status")
        self._facts, self._acts = tag("div"), tag("div", classes="acts-row")
        with tag("div", classes="progress-row"):
            self._bar = tag("progress", classes="progress", aria_label="Looked at", max=1, value=0)
            self._said = tag("span", "", "quiet", role="status")
        with section("Dry run"):
            self._trial = tag("div", classes="stack", aria_live="polite")
            with self._trial:
                self._untried = empty(untried(""))
        with section("What came of it"):
            self._report = Sheet("What came of it", REPORT, "Nothing was sent yet.", file="report")
        with section("Failed again") as self._again:
            self._failed = Sheet("Failed again", FAILED, "None.", file="failed-again")
        self._again.set_visibility(False)

    async def refresh(self) -> None:
        """Look again; one look of some takes the report too."""
        seen = await self._visit.api.get(self._path, report="false")
        turned = seen["state"] != self._seen.get("state")
        if turned or self._looks % LOOKS == 0:
            await self._tell_report()
        self._looks += 1
        self._said.text = self._progress(seen)
        await self._warn(seen)
        if seen == self._seen:
            return
        self._seen = seen
        self._untried.text = untried(seen.get("tried", ""))
        self._bar.props["max"], self._bar.props["value"] = max(1, seen["total"]), seen["done"]
        self._bar.update()
        self._facts.clear()
        with self._facts:
            _facts(seen)
        if turned:
            self._acts.clear()
            with self._acts:
                self._buttons(seen["state"])

    async def _tell_report(self) -> None:
        report = (await self._visit.api.get(self._path))["report"]
        self._report.fill(Row(one["target"], _reported(one)) for one in report["targets"])
        again = sum(one.get("failed_again", 0) for one in report["targets"])
        self._again.set_visibility(again > 0)
        if again:
            found = (await self._visit.api.get(f"{self._path}/items", outcome="failed_again"))["items"]
            self._failed.fill(map(_failed, found), f"of {again:,}" if again > len(found) else "")

    def _progress(self, seen: dict[str, Any]) -> str:
        told = f"{seen['done']:,} of {seen['total']:,} looked at"
        speed = self._rates.of({"done": seen["done"]}).get("done", 0.0)
        if seen["state"] != "running" or not speed:
            return told
        left = duration((seen["total"] - seen["done"]) / speed * 1000)
        return f"{told} · {number(speed)} a second · about {left} left"

    async def _warn(self, seen: dict[str, Any]) -> None:
        told = [*seen["warnings"], *([f"waits for room on {seen['waits_for']}"] if seen["waits_for"] else [])]
        if seen["state"] == "planned":
            asked = (await self._visit.api.get("approvals", state="asked"))["items"]
            told += [
                f"{one['who']} asked to run it: a second person has to approve {one['id']}"
                for one in asked
                if one["act"] == "plan" and one["shown"]["plan"] == self._id
            ]
        if told == self._warned:
            return
        self._warned = told
        self._waiting.clear()
        with self._waiting:
            for one in told:
                with tag("div", classes="banner warn"):
                    tag("span", f"{one[:1].upper()}{one[1:]}.")
                    if "approve" in one:
                        link("Approvals", "/approvals")

    def _buttons(self, state: str) -> None:
        if not self._visit.may(Role.OPERATOR) or state in ("done", "cancelled"):
            return
        if state == "planned":
            button("Dry run", self._try)
        if state in ("planned", "paused"):
            button("Run …" if state == "planned" else "Go on …", self._run, "main")
        if state == "running":
            button("Pause", partial(self._turn, "pause"), "main")
        button("Cancel the plan …", self._cancel)

    def _left(self) -> tuple[int, str]:
        left = self._seen["total"] - self._seen["done"]
        return left, plural(left, "event" if self._seen["of"] == "events" else "dead letter")

    async def _run(self) -> None:
        left, named = self._left()
        sent = f"{named} will be sent again, in order, at most {self._seen['rate']:,} a second."
        lines = [sent, *(f"Beware: {one}." for one in self._seen["warnings"])]
        if await ask("Run the plan", lines, act=f"Send {left:,}") is not None:
            await self._turn("run")

    async def _cancel(self) -> None:
        lines = [f"{self._left()[1]} will not be sent and stay as they are. What was sent is delivered."]
        if await ask("Cancel the plan", lines, act="Cancel the plan", danger=True) is not None:
            await self._turn("cancel")

    async def _turn(self, act: str) -> None:
        await self._visit.act(self._visit.api.send("POST", f"{self._path}/{act}"))
        await self._visit.act(self.refresh())

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
                show_trial(told, self._seen["of"])


def untried(revision: str) -> str:
    """Return what stands in the place of a dry run; what one told is not kept."""
    if not revision:
        return "Not tried yet. A dry run sends nothing."
    return f"It was tried dry by revision {revision[:12]}. Try it again to see what it would do; that sends nothing."


def _reported(one: dict[str, Any]) -> list[Cell]:
    return [sheet.text(one["target"]), *(sheet.count(one.get(name, 0)) for name in REPORTED)]


def _failed(one: dict[str, Any]) -> Row:
    letter = one["id"]
    return Row(
        str(one["place"]),
        [
            sheet.text(one["event_id"], journey(one["event_id"]) if one["event_id"] else ""),
            sheet.text(letter, f"/dead-letters/{quote(letter, safe='')}" if letter else ""),
            sheet.text(one["target"]), sheet.text(words(one["reason"])), sheet.text(one["detail"]),
        ],
    )  # fmt: skip


def _facts(seen: dict[str, Any]) -> None:
    facts(
        [
            ("State", lambda: badge(seen["state"])), ("By", seen["who"]), ("Why", seen["reason"]),
            ("Selected", _selected(seen["asked"])),
            ("Events" if seen["of"] == "events" else "Dead letters", f"{seen['total']:,}"),
            ("To", "all routes that want it" if seen["to"] == "all" else "the routes where it failed"),
            ("Only to", ", ".join(seen["routes"])),
            ("From", "the bytes that came in" if seen["from_stage"] == "raw" else "what the process step made"),
            ("Edited as", seen.get("edit", "")), ("Sent", f"{seen['sent']:,}"),
            ("Left out, as changed since", number(seen["skipped"]) if seen["skipped"] else ""),
            ("Past their retention", number(seen["gone"]) if seen["gone"] else ""),
            ("At most a second", f"{seen['rate']:,}"), ("Tried dry by revision", seen.get("tried", "")[:12]),
            ("Made", lambda: Moment(seen["at"])), ("Begun", (lambda: Moment(seen["begun"])) if seen["begun"] else ""),
            ("Ended", (lambda: Moment(seen["ended"])) if seen["ended"] else ""),
        ]
    )  # fmt: skip


def _selected(asked: dict[str, Any]) -> str:
    parts = asked.get("events", asked)
    return ", ".join(f"{words(name)} {value}" for name, value in parts.items())


async def plan(visit: Visit) -> None:
    """Build the page."""
    await visit.api.get(f"plans/{quote(visit.path['plan'], safe='')}", report="false")  # says when there is none
    await visit.live(_Plan(visit, visit.path["plan"]).refresh)
