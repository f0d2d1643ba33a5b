"""`/processes`: how fast and how straight events go, where the time is spent, and how that was a week before."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from nicegui.element import Element

from console.pages.parts import sheet
from console.pages.parts.basics import Tile, choice, duration, fieldset, link, number, section, tag, words
from console.pages.parts.processcharts import ProcessCharts
from console.pages.parts.sheet import Cell, Column, Row, Sheet
from console.pages.parts.span import RANGES, Span, span_of
from console.pages.visit import Visit

EVERY = 30.0  # seconds
BY = ("type", "route", "partner", "store", "device", "channel", "carrier")
PERCENTILES = ("p50", "p95", "p99")
MOST = 200  # values of the table
MOST_TO_FIND_ONE = 1000
SLOWER, MUCH_SLOWER = 0.25, 1.0  # than the week before
HOPS = (
    Column("Hop"), Column("Events", "number"), *(Column(name, "number", "ms") for name in (*PERCENTILES, "Mean")),
    Column("Share of time", "number"),
)  # fmt: skip
REWORK = (
    Column("Rework"), Column("Events", "number"), Column("Of the delivered", "number"),
    Column("Week before", "number"),
)  # fmt: skip
_HOPS = {
    "process": "check, dedupe, transform",
    "match": "shown to the route",
    "deliver": "delivered",
    "total": "in all",
}


def _values(by: str) -> tuple[Column, ...]:
    return (
        Column(by.capitalize()), Column("Delivered", "number"), Column("A minute", "number"),
        Column("vs week before", "number"), *(Column(name, "number", "ms") for name in PERCENTILES),
        Column("p95 vs week before", "state"), Column("Rework", "number"), Column("Dead letters", "number"),
    )  # fmt: skip


class _Processes:
    """The parts of one opened page."""

    def __init__(self, visit: Visit, by: str, value: str, span: Span) -> None:
        self._visit, self._by, self._value, self._span = visit, by, value, span
        self._said = tag("p", "", "quiet")
        with tag("div", classes="tiles"):
            self._tiles = {name: Tile(name) for name in ("delivered", *PERCENTILES, "rework")}
        self._charts = ProcessCharts(visit, by if value else "", value)
        with section("Where the time goes"):
            self._shares = tag("div", classes="shares", aria_hidden="true")
            self._hops = Sheet("Hops", HOPS, "Nothing was delivered in this time.", file="hops")
        with section("Done more than once"):
            self._rework = Sheet("Rework", REWORK, "Nothing was done twice.", file="rework")
        with section(f"By {by}"):
            nothing = f"No event of this time says its {by}." if by in BY[3:] else "Nothing came in this time."
            self._table = Sheet(f"By {by}", _values(by), nothing, file=f"processes-by-{by}")

    async def refresh(self) -> None:
        """Fill tiles, charts and tables."""
        begin, end = self._span.times()
        limit = MOST_TO_FIND_ONE if self._value else MOST
        asked = {"from": begin, "to": end, "by": self._by, "limit": limit}
        found = await self._visit.api.get("processes", **asked)
        one = self._one(found)
        minutes = max(1.0, (found["to"] - found["from"]) / 60_000)
        self._said.text = f"From {_moment(found['from'])} to {_moment(found['to'])} UTC, in whole hours. {_far(found)}"
        self._tell(one, minutes)
        self._table.fill((self._row(item, minutes) for item in found["items"]), _left_out(found))
        await self._charts.refresh(found["from"], found["to"])

    def _one(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return the figures that the tiles are of."""
        nothing = {"value": self._value, "count": 0, "events": 0, "mean": None, **dict.fromkeys(PERCENTILES)}
        nothing |= {"rework": {}, "hops": [], "before": {"count": 0, "rework": {}}, "change": {}}
        if not self._value:
            return dict(found["all"])
        return next((item for item in found["items"] if item["value"] == self._value), nothing)

    def _tell(self, one: dict[str, Any], minutes: float) -> None:
        change, before = one["change"], one["before"]
        self._tiles["delivered"].set(
            number(one["count"]), f"{_rate(one['count'], minutes)} a minute · {_changed(change.get('count'))}"
        )
        for name in PERCENTILES:
            figure = "–" if one[name] is None else duration(one[name])
            self._tiles[name].set(figure, _changed(change.get(name)), _slower(change.get(name)))
        rework, then = sum(one["rework"].values()), sum(before["rework"].values())
        self._tiles["rework"].set(_share(rework, one), f"week before {_share(then, before)}")
        self._rework.fill(_rework(one))
        self._hops.fill(_hop(hop) for hop in [*one["hops"], *_total(one)])
        self._shares.clear()
        with self._shares:
            for hop in one["hops"]:
                _part(hop)

    def _row(self, one: dict[str, Any], minutes: float) -> Row:
        rework, change = one["rework"], one["change"]
        here = {**self._span.query(), "by": self._by, "value": one["value"]}
        slower = change["p95"]
        return Row(
            one["value"],
            [
                sheet.text(one["value"], f"/processes?{urlencode(here)}"), sheet.count(one["count"]),
                {**sheet.count(one["count"] / minutes), "text": _rate(one["count"], minutes)},
                _change(change["count"]), *(sheet.lasting(one[name]) for name in PERCENTILES),
                {**_change(slower), "mood": _slower(slower)} if slower is not None else sheet.text(""),
                sheet.count(sum(rework.values())), sheet.count(one["dead_letters"]),
            ],
        )  # fmt: skip


def _total(one: dict[str, Any]) -> list[dict[str, Any]]:
    whole = {name: one[name] for name in ("count", "mean", *PERCENTILES)}
    return [{"hop": "total", "share": None, **whole}] if one["count"] else []


def _hop(hop: dict[str, Any]) -> Row:
    share = hop["share"]
    cells = [sheet.text(_HOPS[hop["hop"]]), sheet.count(hop["count"] or None)]
    cells += [sheet.lasting(hop[name]) for name in (*PERCENTILES, "mean")]
    return Row(hop["hop"], [*cells, sheet.text("") if share is None else _percent(share)])


def _part(hop: dict[str, Any]) -> None:
    if hop["share"]:
        tag("span", _HOPS[hop["hop"]] if hop["share"] > 0.15 else "", hop["hop"]).style(f"flex-grow: {hop['share']}")


def _rework(one: dict[str, Any]) -> list[Row]:
    then = one["before"]["rework"]
    return [
        Row(name, [sheet.text(words(name)), sheet.count(count), _share_cell(count, one), sheet.count(then[name])])
        for name, count in one["rework"].items()
        if count or then[name]
    ]


def _share_cell(count: int, one: dict[str, Any]) -> Cell:
    return _percent(count / one["count"]) if one["count"] else sheet.text("")


def _percent(share: float) -> Cell:
    return {"text": f"{share:.1%}", "sort": share}


def _share(rework: int, one: dict[str, Any]) -> str:
    return f"{rework / one['count']:.1%}" if one["count"] else "–" if not rework else number(rework)


def _rate(count: int, minutes: float) -> str:
    return number(float(count) / minutes)


def _changed(change: float | None) -> str:
    return "nothing to compare with" if change is None else f"{_signed(change)} vs week before"


def _signed(change: float) -> str:
    return f"{change:+.0%}" if abs(change) >= 0.005 else "±0%"


def _change(change: float | None) -> Cell:
    return {"text": "", "sort": -1} if change is None else {"text": _signed(change), "sort": change, "raw": change}


def _slower(change: float | None) -> Any:
    return "" if change is None or change < SLOWER else "warn" if change < MUCH_SLOWER else "bad"


def _left_out(found: dict[str, Any]) -> str:
    return f"of {len(found['items']) + found['left_out']:,}" if found["left_out"] else ""


def _far(found: dict[str, Any]) -> str:
    return f"Percentiles are at most {found['error']:.0%} off."


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _form(by: str, value: str, span: Span) -> Element:
    with tag("form", classes="filters", method="get", action="/processes", aria_label="Which time") as form:
        choice("Time", "range", span.name, RANGES)
        fieldset("or from (UTC)", "from", span.since, type="datetime-local")
        fieldset("to (UTC)", "to", span.until, type="datetime-local")
        choice("By", "by", by, [(one, one) for one in BY])
        with tag("div", classes="filters-acts"):
            tag("button", "Show", "button main", type="submit")
            link("Conformance", "/conformance", "button plain")
    if value:
        with tag("p", classes="acts-row"):
            tag("span", f"Only {by} {value}", "badge")
            link(f"All {by}s", f"/processes?{urlencode({**span.query(), 'by': by})}")
    return form


async def processes(visit: Visit) -> None:
    """Build the page."""
    by = visit.query.get("by", BY[0])
    by = by if by in BY else BY[0]
    value, span = visit.query.get("value", ""), span_of(visit.query)
    _form(by, value, span)
    await visit.live(_Processes(visit, by, value, span).refresh, EVERY)
