"""The content as a graph, from sources to connectors, written as Mermaid; called by `crossdock graph`."""

from collections.abc import Iterable, Iterator

from crossdock.project import Project

Node = tuple[str, str]  # kind and name
Edge = tuple[Node, Node]

_SHAPES = {
    "source": '(["{}"])',
    "type": '["{}"]',
    "transform": '[/"{}"/]',
    "route": '{{{{"{}"}}}}',
    "connector": '[("{}")]',
}


def edges(project: Project) -> list[Edge]:
    """Return every hop an event can take, in the order of travel, each once."""
    return list(dict.fromkeys(_edges(project)))


def _edges(project: Project) -> Iterator[Edge]:
    for source in project.sources.values():
        yield from ((("source", source.name), ("type", type_)) for type_, _ in source.types)
    for transform in project.transforms.values():
        yield ("type", transform.from_type), ("transform", transform.name)
        yield ("transform", transform.name), ("type", transform.to_type)
    for route in project.routes.values():
        yield from ((("type", type_), ("route", route.name)) for type_ in route.types)
        yield ("route", route.name), ("connector", route.connector)


def mermaid(hops: Iterable[Edge]) -> str:
    """Return the Mermaid flowchart of the edges."""
    hops = list(hops)
    numbers = {node: f"n{i}" for i, node in enumerate(dict.fromkeys(node for hop in hops for node in hop))}
    nodes = [f"    {number}{_SHAPES[kind].format(name)}" for (kind, name), number in numbers.items()]
    return "\n".join(["flowchart LR", *nodes, *(f"    {numbers[a]} --> {numbers[b]}" for a, b in hops)])
