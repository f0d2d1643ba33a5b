"""The graph of the content as a Mermaid flowchart."""

from collections.abc import Collection

from crossdock.drawing.hops import Hop

_SHAPES = {
    "origin": '[("{}")]',
    "source": '(["{}"])',
    "type": '["{}"]',
    "cast": '>"{}"]',
    "transform": '[/"{}"/]',
    "route": '{{{{"{}"}}}}',
    "form": '[\\"{}"\\]',
    "connector": '[("{}")]',
}


def mermaid(hops: Collection[Hop]) -> str:
    """Return the flowchart of the hops."""
    numbers = {node: f"n{i}" for i, node in enumerate(dict.fromkeys(node for hop in hops for node in hop))}
    nodes = [f"    {number}{_SHAPES[node.kind].format(node.name)}" for node, number in numbers.items()]
    return "\n".join(["flowchart LR", *nodes, *(f"    {numbers[a]} --> {numbers[b]}" for a, b in hops)])
