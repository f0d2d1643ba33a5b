"""The graph of the content as SVG: text that can be selected, on a light or a dark ground."""

from collections.abc import Collection, Iterator
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from crossdock.drawing.hops import Hop, Node
from crossdock.drawing.layout import Layout, lay_out

_ROW, _HEIGHT, _GAP, _MARGIN, _TOP = 30, 22, 72, 16, 44
_LETTER = 7.4  # width of a letter at 12 px in the fonts below, on the generous side
_PAD = 10
_STYLE = """
    text { font: 12px system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #1f2430; }
    .head { font-weight: 600; fill: #6b7280; }
    rect { stroke-width: 1.2; }
    path { fill: none; stroke: #8a93a3; stroke-opacity: .55; stroke-width: 1.2; }
    .source rect { fill: #e3edfb; stroke: #5b8bd0; }
    .type rect { fill: #f1f2f4; stroke: #8a93a3; }
    .cast rect, .form rect { fill: #fbe7e4; stroke: #c0705f; }
    .transform rect { fill: #f6ecd9; stroke: #bd8f33; }
    .route rect { fill: #e2f2e6; stroke: #4d9a62; }
    .connector rect, .origin rect { fill: #efe5f6; stroke: #9467b8; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6e8ec; }
      .head { fill: #9aa3b2; }
      .source rect { fill: #1d2f4a; }
      .type rect { fill: #2a2e36; }
      .cast rect, .form rect { fill: #40231d; }
      .transform rect { fill: #3d3119; }
      .route rect { fill: #1c3625; }
      .connector rect, .origin rect { fill: #33243f; }
    }
"""


def svg(hops: Collection[Hop]) -> str:
    """Return the drawing, at its natural size."""
    layout = lay_out(hops)
    lefts, widths = _measures(layout)
    width = max((left + wide for left, wide in zip(lefts, widths, strict=True)), default=_MARGIN) + _MARGIN
    rows = max((row for _, row in layout.places.values()), default=0.0)
    height = _TOP + round(rows * _ROW) + _ROW + _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-label="The way of events through the content">',
            f"  <style>{_STYLE}  </style>",
            *_heads(layout, lefts),
            *(_hop(hop, layout, lefts, widths) for hop in hops),
            *(_box(node, layout, lefts, widths) for node in layout.places if node.kind != "bend"),
            "</svg>",
            "",
        ]
    )


def _measures(layout: Layout) -> tuple[list[int], list[int]]:
    """Return the left edge and the width of each column."""
    widths = [round(len(head) * _LETTER * 1.1) for head in layout.heads]
    for node, (column, _) in layout.places.items():
        if node.kind != "bend":
            widths[column] = max(widths[column], round(len(node.name) * _LETTER) + 2 * _PAD)
    lefts, left = [], _MARGIN
    for width in widths:
        lefts.append(left)
        left += width + _GAP
    return lefts, widths


def _heads(layout: Layout, lefts: list[int]) -> Iterator[str]:
    for name, left in zip(layout.heads, lefts, strict=True):
        yield f'  <text class="head" x="{left}" y="{_MARGIN + 8}">{name}</text>'


def _box(node: Node, layout: Layout, lefts: list[int], widths: list[int]) -> str:
    column, row = layout.places[node]
    left, top = lefts[column], _TOP + row * _ROW
    size = f'width="{widths[column]}" height="{_HEIGHT}" rx="{_HEIGHT // 2 if node.kind == "source" else 4}"'
    return (
        f'  <g class="{node.kind}" id={quoteattr(str(node))}><title>{escape(f"{node.kind} {node.name}")}</title>'
        f'<rect x="{left}" y="{top:.1f}" {size}/>'
        f'<text x="{left + _PAD}" y="{top + 15:.1f}">{escape(node.name)}</text></g>'
    )


def _hop(hop: Hop, layout: Layout, lefts: list[int], widths: list[int]) -> str:
    """Return a smooth line from the right edge of one node to the left edge of the other, straight past columns."""
    points: list[tuple[float, float]] = []
    for node in layout.paths[hop]:
        column, row = layout.places[node]
        middle = _TOP + row * _ROW + (_HEIGHT / 2 if node.kind != "bend" else _HEIGHT / 4)
        ends = (lefts[column], lefts[column] + widths[column])
        points += [(x, middle) for x in ends]
    made = [f"M{points[1][0]} {points[1][1]:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(points[1:-1]):
        bend = (x1 + x2) / 2
        made.append(f"L{x2} {y2:.1f}" if y1 == y2 else f"C{bend} {y1:.1f} {bend} {y2:.1f} {x2} {y2:.1f}")
    title = escape(f"{hop[0].name} to {hop[1].name}")
    return f'  <path d="{"".join(made)}"><title>{title}</title></path>'
