"""`/alerts`: what stands and what to do about it, who knows; the rules, and whether the channels work."""

from typing import Any
from urllib.parse import urlsplit

from console.access import Role
from console.pages.parts import sheet
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import Mood, Tile, number, section, tag, words
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

EVERY = 5.0  # seconds, as often as alerts are judged
FIRING = (
    Column("Severity", "state"), Column("What", "long"), Column("Since", "time"), Column("What to do", "long"),
    Column("Alert"), Column("Who knows"), Column("Note", "long"), Column("Quiet until", "time"),
)  # fmt: skip
PENDING = (Column("Severity", "state"), Column("What", "long"), Column("Since", "time"), Column("Alert"))
RECENT = (
    Column("Ended", "time"), Column("What it was", "long"), Column("Alert"), Column("Began", "time"),
    Column("Lasted", "number", "ms"), Column("Told", "state"),
)  # fmt: skip
RULES = (
    Column("Alert"), Column("Severity", "state"), Column("When", "code"), Column("For", "number", "ms"),
    Column("Told again", "number", "ms"), Column("To"), Column("Firing", "number"), Column("Cannot be judged", "long"),
    Column("What for", "long"), Column("File", "code"),
)  # fmt: skip
CHANNELS = (
    Column("Channel"), Column("Kind"), Column("State", "state"), Column("Last notice", "time"),
    Column("What came of it", "long"), Column("Waiting", "number"), Column("Next try", "time"),
)  # fmt: skip
_SEVERE: dict[str, Mood] = {"page": "bad", "ticket": "warn"}
_SPANS = {"until it is over": "", "2 hours": "2h", "8 hours": "8h", "1 day": "1d", "nobody (take it back)": "0s"}


class _Alerts:
    """The parts of one opened page."""

    def __init__(self, visit: Visit) -> None:
        self._visit, self._acts = visit, visit.may(Role.OPERATOR)
        self._seen: dict[str, Any] = {}
        with tag("div", classes="tiles"):
            self._tiles = {name: Tile(name) for name in ("firing", "nobody knows of", "pending", "channels that fail")}
        with section("Firing"):
            nothing = "No alert fires. Nobody has to do anything."
            self._firing = Sheet("Firing", FIRING, nothing, file="alerts", act=self._acknowledge)
        with section("Pending"):
            self._pending = Sheet("Pending", PENDING, "Nothing is about to fire.")
        with section("Channels"):
            self._channels = Sheet("Channels", CHANNELS, "There are no channels.", act=self._test)
        with section("Over"):
            self._recent = Sheet("Over", RECENT, "No alert has ended lately.", file="alerts-over")
        with section("Rules"):
            nothing = "No alerts. An architect describes them in alerts/*.yaml."
            self._rules = Sheet("Rules", RULES, nothing, file="alert-rules")

    async def refresh(self) -> None:
        """Fill all parts."""
        self._seen = seen = await self._visit.api.get("alerts")
        self._tell(seen)
        acts = ("Acknowledge …",) if self._acts else ()
        self._firing.fill(_firing(one, acts) for one in seen["firing"])
        self._pending.fill(_pending(one) for one in seen["pending"])
        self._recent.fill(_recent(one) for one in seen["recent"])
        self._rules.fill(_rule(one) for one in seen["rules"])
        self._channels.fill(_channel(one, ("Test",) if self._acts else ()) for one in seen["channels"])

    def _tell(self, seen: dict[str, Any]) -> None:
        unknown = sum(one["acknowledged"] is None for one in seen["firing"])
        failing = sum(_state(one)[1] == "bad" for one in seen["channels"])
        for name, count, looks in (
            ("firing", len(seen["firing"]), "bad"), ("nobody knows of", unknown, "bad"),
            ("pending", len(seen["pending"]), "warn"), ("channels that fail", failing, "bad"),
        ):  # fmt: skip
            self._tiles[name].set(number(count), "", _looks(count, looks))

    async def _acknowledge(self, _: str, alert: str) -> None:
        one = next((one for one in self._seen["firing"] if one["id"] == alert), None)
        if one is None:
            self._visit.say("It is over.")
            return
        lines = [one["text"], "It is not told again while it stands; with a time, nothing at all is told for so long."]
        fields = [
            Field("note", "Note", wide=True, most=1000),
            Field("span", "How long", "until it is over", options=tuple(_SPANS)),
        ]
        if (given := await ask(f"Acknowledge {one['alert']}", lines, fields, act="Acknowledge")) is None:
            return
        span = _SPANS[given["span"]]
        body = {"note": given["note"], **({"for": span} if span else {})}
        done = "It is told again." if span == "0s" else "Acknowledged."
        if await self._visit.act(self._visit.api.send("POST", f"alerts/{alert}/acknowledge", body), done) is not None:
            await self.refresh()

    async def _test(self, _: str, channel: str) -> None:
        told = await self._visit.act(self._visit.api.send("POST", "alerts/test", {"channel": channel}))
        if told is not None:
            said = "took a notice" if told["ok"] else "did not take a notice"
            self._visit.say(f"{channel} {said}: {told['detail']}", "positive" if told["ok"] else "negative")
            await self.refresh()


def _looks(count: int, looks: str) -> Any:
    return looks if count else "good" if looks == "bad" else ""


def _severity(one: dict[str, Any]) -> sheet.Cell:
    return sheet.state(one["severity"], _SEVERE.get(one["severity"], ""))


def _what(one: dict[str, Any]) -> sheet.Cell:
    """Return the text of an alert, a link to the page about its subject, whatever address others see the console by."""
    page = urlsplit(one["page"])
    here = f"{page.path}?{page.query}" if page.query else page.path
    return sheet.text(one["text"], here if here.startswith("/") and not here.startswith("//") else "")


def _firing(one: dict[str, Any], acts: tuple[str, ...]) -> Row:
    known = one["acknowledged"] or {}
    return Row(
        one["id"],
        [
            _severity(one), _what(one), sheet.when(one["since"]), sheet.text(one["do"]), sheet.text(one["alert"]),
            sheet.text(known.get("who", "")) if known else sheet.state("nobody", "bad"),
            sheet.text(known.get("note", "")), sheet.when(known.get("until")),
        ],
        acts, f"{one['alert']}, {one['subject']['name']}",
    )  # fmt: skip


def _pending(one: dict[str, Any]) -> Row:
    return Row(one["id"], [_severity(one), _what(one), sheet.when(one["since"]), sheet.text(one["alert"])])


def _recent(one: dict[str, Any]) -> Row:
    return Row(
        f"{one['id']} {one['ended']}",
        [
            sheet.when(one["ended"]), _what(one), sheet.text(one["alert"]), sheet.when(one["since"]),
            sheet.lasting(one["ended"] - one["since"]), sheet.state("told" if one["told"] else "not told", ""),
        ],
    )  # fmt: skip


def _rule(one: dict[str, Any]) -> Row:
    return Row(
        one["alert"],
        [
            sheet.text(one["alert"]), _severity(one), sheet.text(_when(one["when"])),
            _for(one["for"]), sheet.lasting(one["repeat"] * 1000), sheet.text(", ".join(one["to"])),
            sheet.count(one["firing"]), sheet.text(one["fault"]), sheet.text(one["description"]), sheet.text(one["at"]),
        ],
        mood="bad" if one["fault"] else "",
    )  # fmt: skip


def _for(seconds: float) -> sheet.Cell:
    return sheet.lasting(seconds * 1000) if seconds else {**sheet.count(0), "text": "at once"}


def _when(when: dict[str, dict[str, Any]]) -> str:
    """Return a condition on one line: `lag, route stock orders, above 100`."""
    ((kind, given),) = when.items()
    told = (
        f"{name} {' '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in given.items()
    )
    return ", ".join([words(kind), *told])


def _state(one: dict[str, Any]) -> tuple[str, Mood]:
    if one["missing"]:
        return "closed", "bad"
    if one["last"] is None:
        return "not used yet", ""
    return ("works", "good") if one["last"]["ok"] else ("fails", "bad")


def _channel(one: dict[str, Any], acts: tuple[str, ...]) -> Row:
    last = one["last"] or {"at": 0, "detail": ""}
    detail = f"not set: {', '.join(one['missing'])}" if one["missing"] else last["detail"]
    return Row(
        one["channel"],
        [
            sheet.text(one["channel"]), sheet.text(one["kind"]), sheet.state(*_state(one)), sheet.when(last["at"]),
            sheet.text(detail), sheet.count(one["waiting"]), sheet.when(one["next_try"]),
        ],
        acts, one["channel"],
    )  # fmt: skip


async def alerts(visit: Visit) -> None:
    """Build the page."""
    await visit.live(_Alerts(visit).refresh, EVERY)
