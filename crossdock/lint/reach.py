"""Routes that take nothing and connectors that nobody uses."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from crossdock.crosscheck import Parts
from crossdock.kernel import yamlfile
from crossdock.kernel.content import names
from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.kernel.jsonata_tree import Node, UnreadableError, read
from crossdock.kernel.nearest import near
from crossdock.kernel.problems import Problem, Refused
from routes.spec import Route

_READS = {"name", "variable", "wildcard", "descendants", "parent"}


def dead_routes(routes: Iterable[Route]) -> Iterator[Problem]:
    """Yield the routes whose condition reads nothing and is false."""
    for route in routes:
        if route.when is None or _reads(route.when.text):
            continue
        try:
            value = route.when.evaluate(view(Event(id="", source="", type="")))
        except Refused:
            continue
        if value is False:
            hint = "read something of the event, or remove the route"
            yield route.spot.problem(("when",), "dead_route", "it is always false: the route takes nothing", hint)


def unused_connectors(root: Path, parts: Parts) -> Iterator[Problem]:
    """Yield the connectors to which no route leads and which no source polls."""
    if {"routes", "gateway"} & parts.unread.keys():  # one of which may name it
        return
    used = {route.connector for route in parts.routes} | {one.poll.connector for one in parts.sources if one.poll}
    misspelt = used - parts.connectors.keys()
    for path in names(root, "connectors"):
        try:
            document = yamlfile.read(path, root)
        except Refused:  # which is told where it is loaded
            continue
        name = str(document.value.get("connector", "")) if isinstance(document.value, dict) else ""
        if name and name not in used and not near(name, misspelt):
            message, hint = f"no route leads to {name!r}", "add a route to it, or a source that polls it"
            yield document.problem(("connector",), "unused_connector", message, hint)


def _reads(text: str) -> bool:
    try:
        nodes = [read(text)]
    except UnreadableError:
        return True
    for node in nodes:  # which grows as it goes
        nodes += [part for part in node.parts if not _is_call(node, part)]
    return any(node.kind in _READS for node in nodes)


def _is_call(node: Node, part: Node) -> bool:
    return node.kind == "call" and part is node.parts[0] and part.kind == "variable"
