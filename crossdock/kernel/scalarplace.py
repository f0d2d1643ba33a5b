"""Where a character of a YAML text value stands in its file; asked when there is something to show there."""

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Place = tuple[int, int]


def place(source: str, path: tuple[str | int, ...], offset: int) -> Place | None:
    """Return line and column (from 1) of an offset in the text value at a path; `None` where that is no text."""
    node = _node(YAML(typ="safe", pure=True).compose(source), path)
    if not isinstance(node, ScalarNode):
        return None
    start, end = node.start_mark, node.end_mark
    raw = source.splitlines(keepends=True)
    lines = raw[start.line : end.line + 1]
    if node.style in ("|", ">"):
        return _in_block(lines[1:], start.line + 2, node.value, offset, folded=node.style == ">")
    lines[-1] = lines[-1][: end.column] if end.line > start.line else lines[-1]
    return _in_flow(lines, start.line + 1, start.column + (node.style is not None), node.value, offset)


def _node(node: Node | None, path: tuple[str | int, ...]) -> Node | None:
    for step in path:
        if isinstance(node, MappingNode):
            node = next((child for key, child in node.value if key.value == step), None)
        elif isinstance(node, SequenceNode) and isinstance(step, int):
            node = node.value[step]
        else:
            return None
    return node


def _in_block(lines: list[str], first: int, value: str, offset: int, folded: bool) -> Place | None:
    indent = next((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), 0)
    if folded:
        return _in_flow([line[indent:] for line in lines], first, 0, value, offset, indent)
    before = value[:offset]
    return first + before.count("\n"), indent + len(before) - (before.rfind("\n") + 1) + 1


def _in_flow(lines: list[str], first: int, column: int, value: str, offset: int, indent: int = 0) -> Place | None:
    """Walk through value and file together; a fold of lines is one blank, what is escaped stands where it began."""
    line, wanted = 0, "".join(value[:offset].split())
    met = 0
    while line < len(lines):
        for at in range(column, len(lines[line])):
            char = lines[line][at]
            if met == len(wanted) and not char.isspace():
                return first + line, indent + at + 1
            met += met < len(wanted) and char == wanted[met]
        line, column = line + 1, 0
    return None
