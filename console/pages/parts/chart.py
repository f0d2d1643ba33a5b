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
            self._said = tag("p", "", "quiet chart-said")
            self._chart = ui.echart(self._options(log), renderer="svg").classes("chart-canvas")
            self._chart.props["role"], self._chart.props["aria-labelledby"] = "img", caption.html_id

    def fill(self, series: Series, before: Series | None = None) -> None:
        """Show lines: names, and points of Unix milliseconds and values; those of `before` are faint beside them."""
        colours = dict(zip(series, cycle(self._colours), strict=False))
        faint = {name: points for name, points in (before or {}).items() if points}
        made = [self._drawn(name, points) for name, points in series.items()]
        made += [self._faint(f"{name} {BEFORE}", colours[name], points) for name, points in faint.items()]
        if made == self._chart.options["series"]:
            return
        self._chart.options["series"] = made
        self._chart.update()
        told = [*series.items(), *((f"{name} {BEFORE}", points) for name, points in faint.items())]
        last = ((name, next((v for _, v in reversed(points) if v is not None), None)) for name, points in told)
        self._said.text = (
            " · ".join(f"{name} {number(v)} {self._unit}" for name, v in last if v is not None) or "No figures yet."
        )

    def _drawn(self, name: str, points: Sequence[tuple[int, float | None]]) -> dict[str, Any]:
        data = [list(point) for point in points]
        if self._bars:
            return {"name": name, "type": "bar", "stack": "all", "data": data, "barMaxWidth": 28}
        return {
            "name": name, "type": "line", "showSymbol": len(points) == 1, "data": data, "lineStyle": {"width": 2},
            "areaStyle": {"opacity": 0.08}, "connectNulls": False,
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
