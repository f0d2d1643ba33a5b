"""What a schema says of the meaning of fields: which are keys to search by, and which are personal."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

KEY, PERSONAL = "x-crossdock-key", "x-crossdock-personal"
EACH = ""  # the step of a path to every item, and to every field where a schema speaks of fields without their names

_TWICE = 2  # is how often a path follows one reference: a schema that refers to itself has no end

Path = tuple[str, ...]


def annotated(schema: Mapping[str, Any], name: str) -> dict[Path, Any]:
    """Return where in the data a schema annotates fields with a keyword, and with what.

    Of a form that contains itself the first two levels are seen.
    """
    return dict(_walk(schema, schema, name, ())) if name in str(schema) else {}


def _walk(root: Mapping[str, Any], node: Any, name: str, path: Path, within: tuple[str, ...] = ()) -> Iterator[Any]:
    if not isinstance(node, dict):
        return
    if name in node:
        yield path, node[name]
    for field, child in node.get("properties", {}).items():
        yield from _walk(root, child, name, (*path, field), within)
    for child in _each(node):
        yield from _walk(root, child, name, (*path, EACH), within)
    for child in _parts(node):
        yield from _walk(root, child, name, path, within)
    reference = node.get("$ref")
    if isinstance(reference, str) and within.count(reference) < _TWICE:
        yield from _walk(root, _named(root, reference), name, path, (*within, reference))


def _each(node: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what is said of items and of fields that are not named; of all of them, as more is covered by that."""
    for keyword in ("items", "contains", "unevaluatedItems", "additionalProperties", "unevaluatedProperties"):
        yield node.get(keyword)
    yield from node.get("prefixItems", ())
    yield from node.get("patternProperties", {}).values()


def _parts(node: Mapping[str, Any]) -> Iterator[Any]:
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from node.get(keyword, ())
    yield from (node[keyword] for keyword in ("then", "else") if keyword in node)
    yield from node.get("dependentSchemas", {}).values()


def _named(root: Any, reference: str) -> Any:
    node = root
    for step in reference.removeprefix("#").split("/")[1:]:
        node = node.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
    return node


def values(data: Any, path: Path) -> Iterator[Any]:
    """Yield what stands at a path of data."""
    if not path:
        yield data
    elif path[0] == EACH:
        items = data if isinstance(data, list) else data.values() if isinstance(data, dict) else ()
        for item in items:
            yield from values(item, path[1:])
    elif isinstance(data, dict) and path[0] in data:
        yield from values(data[path[0]], path[1:])


def masked(data: Any, paths: Mapping[Path, Any], mask: str) -> Any:
    """Return data with a mask in the place of each value at a path that is not annotated as false."""
    return changed(data, paths, lambda _: mask)


def changed(data: Any, paths: Mapping[Path, Any], act: Callable[[Any], Any]) -> Any:
    """Return data with something else in the place of each value at a path that is not annotated as false.

    A value that has another form than the schema gives it, such as a text in the place of an object with such a field,
    is taken whole: what would stand at the path may stand in it.
    """
    hidden = [path for path, said in paths.items() if said is not False]
    return _changed(data, hidden, act) if hidden else data


def _changed(data: Any, paths: list[Path], act: Callable[[Any], Any]) -> Any:
    if data is None or not paths:
        return data
    if isinstance(data, dict) and all(paths):
        return {name: _changed(value, _under(paths, name), act) for name, value in data.items()}
    inner = [path[1:] for path in paths if path[:1] == (EACH,)]
    if isinstance(data, list) and inner and all(paths):
        return [_changed(item, inner, act) for item in data]
    return act(data)


def found(data: Any, paths: Mapping[Path, Any]) -> Iterator[Any]:
    """Yield what `changed` would act on, so that whoever has seen enough of it may stop."""
    return _found(data, [path for path, said in paths.items() if said is not False])


def _found(data: Any, paths: list[Path]) -> Iterator[Any]:
    if data is None or not paths:
        return
    if isinstance(data, dict) and all(paths):
        for name, value in data.items():
            yield from _found(value, _under(paths, name))
        return
    inner = [path[1:] for path in paths if path[:1] == (EACH,)]
    if isinstance(data, list) and inner and all(paths):
        for item in data:
            yield from _found(item, inner)
        return
    yield data


def _under(paths: list[Path], name: str) -> list[Path]:
    return [path[1:] for path in paths if path[0] in (name, EACH)]
