"""Every hop that an event can take, from sources to connectors, and what lies before and behind a place."""

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from crossdock.project import Project
from journal.entry import CALLBACK
from routes.spec import Route


class Node(NamedTuple):
    """One piece of content by its kind: `source`, `type`, `cast`, `transform`, `route`, `form` or `connector`.

    A connector that a source polls is an `origin` there.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


Hop = tuple[Node, Node]


def hops(project: Project) -> list[Hop]:
    """Return every hop in the order of travel, each once; callbacks are left out."""
    return list(dict.fromkeys(_hops(project)))


def _hops(project: Project) -> Iterator[Hop]:
    for source in project.sources.values():
        if source.poll:
            yield Node("origin", source.poll.connector), Node("source", source.name)
        yield from ((Node("source", source.name), Node("type", type_)) for type_, _ in source.types)
    for transform in project.transforms.values():
        yield Node("type", transform.from_type), Node("transform", transform.name)
        yield Node("transform", transform.name), Node("type", transform.to_type)
    for cast, goal in project.cast_ways():
        yield Node("type", cast.type), Node("cast", cast.name)
        yield Node("cast", cast.name), Node("route" if isinstance(goal, Route) else "transform", goal.name)
    for route in project.routes.values():
        if not route.name.startswith(CALLBACK):
            way = [Node("route", route.name), *([Node("form", route.map)] if route.map else [])]
            yield from ((Node("type", type_), way[0]) for type_ in route.types)
            yield from pairwise([*way, Node("connector", route.connector)])


def reach(nodes: Collection[Node], all_hops: Collection[Hop]) -> set[Node]:
    """Return the nodes, what comes to them and what they lead to."""
    forward, back = list(all_hops), [(end, start) for start, end in all_hops]
    return _closure(nodes, forward) | _closure(nodes, back)


def _closure(nodes: Iterable[Node], steps: Iterable[Hop]) -> set[Node]:
    following: dict[Node, list[Node]] = {}
    for start, end in steps:
        following.setdefault(start, []).append(end)
    found, waiting = set[Node](), list(nodes)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += following.get(node, ())
    return found
