"""Charts over time, in the colours of the page, with their last values as text for who cannot see them."""

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from console.pages.parts.basics import number, tag

LIGHT = ("#0b6b63", "#b45309", "#5b5bd6", "#a8231c")
DARK = ("#5ccfc1", "#eab85a", "#a3a3ff", "#ff8d85")
Series = Mapping[str, Sequence[tuple[int, float | None]]]


class Chart:
    """Lines over time; values are of one unit."""

    def __init__(self, title: str, unit: str, dark: bool, *, log: bool = False) -> None:
        self._unit, self._colours = unit, DARK if dark else LIGHT
        self._quiet, self._line = ("#a0a7ae", "#30353a") if dark else ("#5c6168", "#dedbd3")
        with tag("figure", classes="chart"):
            caption = tag("figcaption", title)
            self._said = tag("p", "", "quiet chart-said")
            self._chart = ui.echart(self._options(log), renderer="svg").classes("chart-canvas")
            self._chart.props["role"], self._chart.props["aria-labelledby"] = "img", caption.html_id

    def fill(self, series: Series) -> None:
        """Show these lines: names, and points of Unix milliseconds and values."""
        made = [
            {
                "name": name, "type": "line", "showSymbol": False, "data": [list(point) for point in points],
                "lineStyle": {"width": 2}, "areaStyle": {"opacity": 0.08}, "connectNulls": False,
            }
            for name, points in series.items()
        ]  # fmt: skip
        self._chart.options["series"] = made
        self._chart.update()
        last = (
            (name, next((v for _, v in reversed(points) if v is not None), None)) for name, points in series.items()
        )
        self._said.text = (
            " · ".join(f"{name} {number(float(v))} {self._unit}" for name, v in last if v is not None)
            or "No figures yet."
        )

    def _options(self, log: bool) -> dict[str, Any]:
        line = {"lineStyle": {"color": self._line}}
        axis = {"axisLabel": {"color": self._quiet}, "axisLine": line, "axisTick": {"show": False}}
        values = {"type": "log"} if log else {"type": "value", "min": 0}
        return {
            "animation": False,
            "color": list(self._colours),
            "grid": {"left": 8, "right": 12, "top": 12, "bottom": 4, "containLabel": True},
            "tooltip": {"trigger": "axis", "confine": True, "renderMode": "richText"},
            "xAxis": {"type": "time", **axis, "splitLine": {"show": False}},
            "yAxis": {**values, **axis, "splitNumber": 3, "splitLine": line},
            "series": [],
        }
