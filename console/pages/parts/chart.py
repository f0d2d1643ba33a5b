"""Charts over time, in the colours of the page, with their last values as text for who cannot see them."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from nicegui import ui

from console.pages.parts.basics import number, tag

MINUTE = 60_000  # milliseconds, the finest step of a time axis
LIGHT = ("#0b6b63", "#b45309", "#5b5bd6", "#a8231c")
DARK = ("#5ccfc1", "#eab85a", "#a3a3ff", "#ff8d85")
BEFORE = "the week before"
Series = Mapping[str, Sequence[tuple[int, float | None]]]


class Chart:
    """Lines over time; values are of one unit."""

    def __init__(self, title: str, unit: str, dark: bool, *, log: bool = False, bars: bool = False) -> None:
        self._unit, self._colours, self._bars = unit, DARK if dark else LIGHT, bars
        self._quiet, self._line = ("#a0a7ae", "#30353a") if dark else ("#5c6168", "#dedbd3")
        with tag("figure", classes="chart"):
            caption = tag("figcaption", title)
            self._said = tag("p", "No figures yet.", "quiet chart-said")
            self._told: list[tuple[str, str, str]] = []
            self._chart = ui.echart(self._options(log), renderer="svg").classes("chart-canvas")
            self._chart.props["role"], self._chart.props["aria-labelledby"] = "img", caption.html_id

    def fill(self, series: Series, since: int, until: int, before: Series | None = None) -> None:
        """Show lines from a time to another (Unix milliseconds), beside those of `before`, which are faint.

        They are names, and points of such times and values.
        """
        colours = dict(zip(series, cycle(self._colours), strict=False))
        faint = {name: points for name, points in (before or {}).items() if points}
        made = [self._drawn(name, points) for name, points in series.items()]
        made += [self._faint(f"{name} {BEFORE}", colours[name], points) for name, points in faint.items()]
        axis = self._chart.options["xAxis"]
        if (made, since, until) != (self._chart.options["series"], axis.get("min"), axis.get("max")):
            self._chart.options["series"], axis["min"], axis["max"] = made, since, until
            self._chart.update()
        told = [(name, colours[name], "", points) for name, points in series.items()]
        told += [(f"{name} {BEFORE}", colours[name], "dashed", points) for name, points in faint.items()]
        self._tell([
            (f"{name} {number(last)} {self._unit}".rstrip(), colour, look)
            for name, colour, look, points in told
            if (last := next((v for _, v in reversed(points) if v is not None), None)) is not None
        ])  # fmt: skip

    def _tell(self, told: list[tuple[str, str, str]]) -> None:
        """Say the last value of each line beside a piece of it: the legend."""
        if told == self._told:
            return
        self._told = told
        self._said.clear()
        self._said.text = "" if told else "No figures yet."
        with self._said:
            for text, colour, look in told:
                with tag("span", classes="chart-line"):
                    tag("span", classes=f"swatch {look}", aria_hidden="true").style(f"border-color: {colour}")
                    tag("span", text)

    def _drawn(self, name: str, points: Sequence[tuple[int, float | None]]) -> dict[str, Any]:
        if self._bars:
            return {
                "name": name, "type": "bar", "stack": "all", "data": [list(point) for point in points],
                "barMaxWidth": 28,
            }  # fmt: skip
        return {
            "name": name, "type": "line", "showSymbol": True, "symbol": "none", "data": _visible(points),
            "lineStyle": {"width": 2}, "areaStyle": {"opacity": 0.08}, "connectNulls": False,
        }  # fmt: skip

    def _faint(self, name: str, colour: str, points: Sequence[tuple[int, float | None]]) -> dict[str, Any]:
        line = {**self._drawn(name, points), "areaStyle": None, "itemStyle": {"color": colour}}
        return {**line, "lineStyle": {"width": 1.5, "type": "dashed", "opacity": 0.7, "color": colour}}

    def _options(self, log: bool) -> dict[str, Any]:
        line = {"lineStyle": {"color": self._line}}
        axis = {"axisLabel": {"color": self._quiet}, "axisLine": line, "axisTick": {"show": False}}
        values = {"type": "log"} if log else {"type": "value", "min": 0}
        return {
            "animation": False,
            "useUTC": True,
            "color": list(self._colours),
            "grid": {"left": 8, "right": 12, "top": 12, "bottom": 4, "containLabel": True},
            "tooltip": {"trigger": "axis", "confine": True, "renderMode": "richText"},
            "xAxis": {"type": "time", **axis, "minInterval": MINUTE, "splitNumber": 4, "splitLine": {"show": False}},
            "yAxis": {**values, **axis, "splitNumber": 3, "splitLine": line},
            "series": [],
        }


def _visible(points: Sequence[tuple[int, float | None]]) -> list[Any]:
    """Return points as ECharts takes them; one without a neighbour makes no line, and so is drawn as a dot."""
    values = [None, *(value for _, value in points), None]
    return [
        {"value": [at, value], "symbol": "circle", "symbolSize": 6}
        if value is not None and values[place] is None and values[place + 2] is None
        else [at, value]
        for place, (at, value) in enumerate(points)
    ]
