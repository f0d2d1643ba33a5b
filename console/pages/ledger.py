"""`/ledger`: the sums that must balance, by day too, what does not add up, and the proof from the streams."""

from collections.abc import Callable
from typing import Any

from nicegui.element import Element

from console.pages.parts import sheet
from console.pages.parts.basics import button, empty, section, tag, words
from console.pages.parts.events import journey
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

SOURCES = ("accepted", "routed", "duplicate", "quarantined", "dead_lettered", "in_progress")
ROUTES = ("matched", "delivered", "dead_lettered", "discarded", "in_progress")
SUMS = tuple(dict.fromkeys(SOURCES + ROUTES))
DAYS = (Column("Day", "day"), Column("Of"), *(Column(words(one).capitalize(), "number") for one in SUMS))
LOST = (Column("Stream"), Column("Sequence", "number"), Column("Event", "code"), Column("At"), Column("Why", "long"))
NAMED = 500  # of what does not add up


class _Ledger:
    """The parts of one opened page."""

    def __init__(self, visit: Visit) -> None:
        self._visit, self._proving = visit, False
        self._said = tag("div", classes="banner", role="status")
        with section("Sources"):
            self._sources = _table("Sources", "source", SOURCES)
        with section("Routes"):
            self._routes = _table("Routes", "route", ROUTES)
        with section("What does not add up"):
            self._lost = Sheet(
                "What does not add up", LOST, "Nothing. Every event is accounted for.", file="unexplained"
            )
        with section("By day"):
            tag("p", "Every event counts for the day (UTC) on which it came in.", "quiet")
            self._days = Sheet("By day", DAYS, "Nothing was accepted yet.", file="ledger-by-day")
        with section("Proof"):
            tag("p", "It trusts no sums: it reads all streams from their beginning, which may take minutes.", "quiet")
            with tag("div", classes="acts-row"):
                button("Prove it from the streams", self._prove)
            self._proof = tag("div", classes="stack", aria_live="polite")

    async def refresh(self) -> None:
        """Fill all parts but the proof."""
        told = await self._visit.api.get("ledger")
        _verdict(self._said, told, "For every source and route, what came in is what went out, waits or was given up.")
        self._sources.fill(_row(one, "source", SOURCES) for one in told["sources"])
        self._routes.fill(_row(one, "route", ROUTES) for one in told["routes"])
        lost = told["unexplained"]
        self._lost.fill(map(_lost, lost[:NAMED], range(NAMED)), f"of {told['missing']:,}" if len(lost) > NAMED else "")
        self._days.fill(row for day in reversed(told["by_day"]) for row in _day(day))

    async def _prove(self) -> None:
        if self._proving:
            return
        self._proving = True
        self._proof.clear()
        with self._proof:
            hear = _progress()
        try:
            told = await self._visit.act(self._visit.api.follow("ledger", hear, deep="true"))
        finally:
            self._proving = False
        self._proof.clear()
        with self._proof:
            if told is None or "detail" in told:
                empty(told["detail"] if told else "The proof was refused.")
                return
            _verdict(tag("div", role="status"), told, "Read from the streams, from their beginning to their end.")


def _progress() -> Callable[[Any], None]:
    """Draw a bar for each stream as it is read; return what fills them."""
    bars: dict[str, Element] = {}
    place = tag("div", classes="proof")
    with place:
        empty("Begins …")

    def hear(told: Any) -> None:
        for stream, read in told.get("read", {}).items():
            if not bars:
                place.clear()
            if stream not in bars:
                with place, tag("label", stream, "mono"):
                    bars[stream] = tag("progress", classes="progress", max=1, value=0)
            bars[stream].props["max"], bars[stream].props["value"] = max(1, read["of"]), read["at"]
            bars[stream].update()

    return hear


def _verdict(place: Element, told: dict[str, Any], means: str) -> None:
    balanced = told["balanced"]
    place.classes(replace=f"banner {'good' if balanced else 'bad'}")
    place.clear()
    with place:
        unexplained = f"The ledger is not balanced: {told['missing']:,} unexplained."
        tag("strong", "The ledger is balanced." if balanced else unexplained)
        tag("span", means)
        if told["unread"]:
            tag("span", f"{told['unread']:,} messages are not looked at yet, so the sums are not exact.", "banner-line")


def _table(caption: str, name: str, sums: tuple[str, ...]) -> Sheet:
    columns = [Column(name.capitalize()), *(Column(words(one).capitalize(), "number") for one in sums)]
    return Sheet(caption, columns, "Nothing was accepted yet.", file=f"ledger-{name}s")


def _row(one: dict[str, Any], name: str, sums: tuple[str, ...]) -> Row:
    return Row(one[name], [sheet.text(one[name]), *(sheet.count(one.get(each, 0)) for each in sums)])


def _day(day: dict[str, Any]) -> list[Row]:
    """Return the rows of a day; a source has no sums of routes, and a route none of sources."""
    rows = [("source", one) for one in day["sources"]] + [("route", one) for one in day["routes"]]
    return [
        Row(
            f"{day['day']} {kind} {one[kind]}",
            [
                sheet.text(day["day"]), sheet.text(f"{kind} {one[kind]}"),
                *(sheet.count(one.get(name)) for name in SUMS),
            ],
        )
        for kind, one in rows
    ]  # fmt: skip


def _lost(one: dict[str, Any], place: int) -> Row:
    event = one.get("event_id", "")
    return Row(
        str(place),
        [
            sheet.text(one["stream"]), sheet.count(one["seq"]), sheet.text(event, journey(event) if event else ""),
            sheet.text(one.get("at", "")), sheet.text(one["why"]),
        ],
    )  # fmt: skip


async def ledger(visit: Visit) -> None:
    """Build the page."""
    await visit.live(_Ledger(visit).refresh, 10.0)
