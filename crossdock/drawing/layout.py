"""Places the graph of the content in columns, so that hops cross little and never run through a node."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from crossdock.drawing.hops import Hop, Node

_COLUMNS = (
    "polled", "sources", "types", "casts", "transforms", "canonical types", "casts", "routes", "forms", "connectors",
)  # fmt: skip
_OF_KIND = {"origin": 0, "source": 1, "transform": 4, "route": 7, "form": 8, "connector": 9}
_RAW, _UP, _CANONICAL, _FOR_ROUTES = 2, 3, 5, 6
_SWEEPS = 24
_BEND = "bend"  # the kind of a point where a long hop passes a column
_ROOM = {_BEND: 0.5}  # of a row; a node takes a whole one


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each node is: its column, and its row, which may be a fraction; and the points of each hop in order.

    `heads` names the columns; there are only those that have a node.
    """

    heads: tuple[str, ...]
    places: Mapping[Node, tuple[int, float]]
    paths: Mapping[Hop, tuple[Node, ...]]


def lay_out(hops: Collection[Hop]) -> Layout:
    """Return where everything is drawn."""
    wanted = _columns(hops)
    used = sorted(set(wanted.values()))
    columns = {node: used.index(column) for node, column in wanted.items()}
    paths = {hop: _path(hop, columns) for hop in hops}
    for path in paths.values():
        start = columns[path[0]]
        columns.update({bend: start + i for i, bend in enumerate(path[1:-1], 1)})
    steps = [step for path in paths.values() for step in pairwise(path)]
    rows = _rows(columns, steps)
    heads = tuple(_COLUMNS[column] for column in used)
    return Layout(heads, {node: (columns[node], rows[node]) for node in columns}, paths)


def _columns(hops: Collection[Hop]) -> dict[Node, int]:
    """Return the column of each node; a type is canonical when a transform makes it or a route takes it."""
    canonical = {end for start, end in hops if start.kind == "transform"}
    canonical |= {start for start, end in hops if end.kind == "route"}
    lifting = {start for start, end in hops if start.kind == "cast" and end.kind == "transform"}
    others = {"type": (_RAW, _CANONICAL, canonical), "cast": (_FOR_ROUTES, _UP, lifting)}
    nodes = dict.fromkeys(node for hop in hops for node in hop)
    return {n: _OF_KIND[n.kind] if n.kind in _OF_KIND else _one_of(n, *others[n.kind]) for n in nodes}


def _one_of(node: Node, otherwise: int, column: int, those: Collection[Node]) -> int:
    return column if node in those else otherwise


def _path(hop: Hop, columns: Mapping[Node, int]) -> tuple[Node, ...]:
    start, end = hop
    between = range(columns[start] + 1, columns[end])
    return (start, *(Node(_BEND, f"{start}>{end}@{column}") for column in between), end)


def _rows(columns: Mapping[Node, int], steps: Iterable[Hop]) -> dict[Node, float]:
    """Return the rows: each node near the middle of its neighbours, as far as there is room."""
    beside: dict[bool, dict[Node, list[Node]]] = {True: defaultdict(list), False: defaultdict(list)}
    for start, end in steps:
        beside[True][end].append(start)
        beside[False][start].append(end)
    by_column: dict[int, list[Node]] = defaultdict(list)
    for node, column in columns.items():
        by_column[column].append(node)
    rows: dict[Node, float] = {}
    for nodes in by_column.values():
        _spread(nodes, dict(enumerate(range(len(nodes)))), rows)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in sorted(by_column, reverse=not forward):
            nodes = by_column[column]
            wanted = {i: _middle(beside[forward][node], rows, rows[node]) for i, node in enumerate(nodes)}
            order = sorted(range(len(nodes)), key=lambda i: (wanted[i], rows[nodes[i]]))
            by_column[column] = [nodes[i] for i in order]
            _spread(by_column[column], {i: wanted[j] for i, j in enumerate(order)}, rows)
    top = min(rows.values(), default=0.0)
    return {node: row - top for node, row in rows.items()}


def _middle(neighbours: list[Node], rows: Mapping[Node, float], otherwise: float) -> float:
    return sum(rows[node] for node in neighbours) / len(neighbours) if neighbours else otherwise


def _spread(nodes: list[Node], wanted: Mapping[int, float], rows: dict[Node, float]) -> None:
    """Set the rows of a column in this order: as near to where each is wanted as its neighbours above and below let.

    Nodes that press against each other form a block, which lies where its nodes want to be on average.
    """
    blocks: list[tuple[float, float, int]] = []  # the sum of the wanted beginnings, the height, the number of nodes
    for index, node in enumerate(nodes):
        block = (wanted[index], _ROOM.get(node.kind, 1.0), 1)
        while blocks and _begin(blocks[-1]) + blocks[-1][1] > _begin(block):
            above = blocks.pop()
            block = (above[0] + block[0] - above[1] * block[2], above[1] + block[1], above[2] + block[2])
        blocks.append(block)
    left = iter(nodes)
    for block in blocks:
        row = _begin(block)
        for _ in range(block[2]):
            node = next(left)
            rows[node] = row
            row += _ROOM.get(node.kind, 1.0)


def _begin(block: tuple[float, float, int]) -> float:
    return block[0] / block[2]
