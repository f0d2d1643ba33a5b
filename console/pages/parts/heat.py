"""A heat map of durations over time: how many took how long in each step, darker where there were more."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from nicegui import ui

from console.pages.parts.basics import duration, plural, tag

_LIGHT = ("#e6f1ef", "#7fb9b3", "#0b6b63", "#063b37")
_DARK = ("#1d3532", "#2a7068", "#5ccfc1", "#d5fbf5")
_TOLD = "(one) => one.data[4] + '\\n' + one.data[3]"  # texts of this file, in a tooltip of plain text

Counts = Sequence[tuple[int, Sequence[int]]]


class Heat:
    """The map; see `Chart` for charts of lines."""

    def __init__(self, title: str, noun: str, dark: bool) -> None:
        self._noun = noun
        with tag("figure", classes="chart"):
            caption = tag("figcaption", title)
            self._said = tag("p", "", "quiet chart-said")
            self._chart = ui.echart(_options(dark)).classes("chart-canvas tall")
            self._chart.props["role"], self._chart.props["aria-labelledby"] = "img", caption.html_id

    def fill(self, points: Counts, edges: Sequence[int]) -> None:
        """Show counts: of each time, in Unix milliseconds, how many took up to each edge and more, and the rest."""
        sums = [sum(column) for column in zip(*(counts for _, counts in points), strict=True)]
        seen = [row for row, count in enumerate(sums) if count]
        low, high = (seen[0], seen[-1]) if seen else (0, -1)
        names = [_row(edges, row) for row in range(low, high + 1)]
        cells = list(_cells(points, low, names, self._noun))
        options = self._chart.options
        if options["series"][0]["data"] == cells and options["yAxis"]["data"] == names:
            return
        options["xAxis"]["data"], options["yAxis"]["data"] = [_moment(at) for at, _ in points], names
        options["visualMap"]["max"] = max((cell[2] for cell in cells), default=1.0)
        options["series"][0]["data"] = cells
        self._chart.update()
        most = sums.index(max(sums)) if seen else 0
        self._said.text = f"Most took {_row(edges, most)}; times are UTC." if seen else "No figures yet."


def _cells(points: Counts, low: int, names: Sequence[str], noun: str) -> Iterable[list[Any]]:
    """Give place, row, how dark (counts differ by magnitudes), and what is said of it."""
    for place, (at, counts) in enumerate(points):
        for row, name in enumerate(names):
            if count := counts[low + row]:
                yield [place, row, round(math.log10(1 + count), 2), f"{plural(count, noun)}, {name}", _moment(at)]


def _row(edges: Sequence[int], row: int) -> str:
    return f"up to {duration(edges[row])}" if row < len(edges) else f"over {duration(edges[-1])}"


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%d %b %H:%M")


def _options(dark: bool) -> dict[str, Any]:
    quiet, line = ("#a0a7ae", "#30353a") if dark else ("#5c6168", "#dedbd3")
    axis = {
        "type": "category", "data": [], "axisLabel": {"color": quiet}, "axisLine": {"lineStyle": {"color": line}},
        "axisTick": {"show": False},
    }  # fmt: skip
    return {
        "animation": False,
        "grid": {"left": 8, "right": 12, "top": 12, "bottom": 4, "containLabel": True},
        "tooltip": {"confine": True, "renderMode": "richText", ":formatter": _TOLD},
        "xAxis": dict(axis),
        "yAxis": dict(axis),
        "visualMap": {
            "show": False, "min": 0, "max": 1, "dimension": 2, "inRange": {"color": list(_DARK if dark else _LIGHT)},
        },
        "series": [{"type": "heatmap", "data": []}],
    }  # fmt: skip
