"""`crossdock graph`: every hop, as Mermaid, as JSON and as a picture in which nothing lies upon another."""

from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from crossdock.drawing.hops import Hop, Node, hops
from crossdock.drawing.layout import lay_out
from crossdock.drawing.svg import svg
from crossdock.project import load
from tests.cli.architect import answer, run
from tests.smallproject import OLDER, POLLED, write

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def shipped() -> list[Hop]:
    return hops(load(ROOT, {}, strict_env=False, tests=False))


def test_graph_draws_every_hop(tmp_path: Path) -> None:
    found = [(edge["from"], edge["to"]) for edge in answer(write(tmp_path), "graph")["edges"]]
    assert found == [
        ("source:tills", "type:pos.sale"),
        ("type:pos.sale", "transform:sale"),
        ("transform:sale", "type:inventory.sold"),
        ("type:inventory.sold", "route:stock"),
        ("route:stock", "connector:erp"),
    ]
    drawn = run(tmp_path, "graph").stdout.splitlines()
    assert drawn[0] == "flowchart LR"
    assert '    n0(["tills"])' in drawn and "    n0 --> n1" in drawn


def test_a_drawing_goes_to_the_file_that_is_named(tmp_path: Path) -> None:
    result = run(write(tmp_path), "graph", "--format", "svg", "-o", str(tmp_path / "g.svg"))
    assert (result.exit_code, result.stdout) == (0, "")
    root = ElementTree.parse(tmp_path / "g.svg").getroot()
    assert root.tag == f"{SVG}svg"
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"tills", "pos.sale", "sale", "inventory.sold", "stock", "erp"} <= set(texts)


def boxes(root: ElementTree.Element) -> dict[str, Box]:
    found = {}
    for group in root.iter(f"{SVG}g"):
        (rect,) = group.iter(f"{SVG}rect")
        x, y, width, height = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        found[group.attrib["id"]] = (x, y, x + width, y + height)
    return found


def test_no_node_of_the_shipped_content_lies_upon_another_or_beyond_the_edge(shipped: list[Hop]) -> None:
    root = ElementTree.fromstring(svg(shipped))
    drawn = boxes(root)
    assert len(drawn) == len({node for hop in shipped for node in hop})
    for one, two in combinations(drawn.values(), 2):
        assert one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert all(x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height for x1, y1, x2, y2 in drawn.values())


def test_a_long_hop_passes_columns_where_no_node_is(shipped: list[Hop]) -> None:
    layout = lay_out(shipped)
    bends = [node for node in layout.places if node.kind == "bend"]
    assert bends
    for bend in bends:
        column, row = layout.places[bend]
        beside = [at for node, (where, at) in layout.places.items() if where == column and node.kind != "bend"]
        assert all(at >= row + 0.5 - 1e-9 or at + 1 <= row + 1e-9 for at in beside)


def test_a_type_that_is_sent_and_routed_stands_among_the_canonical_ones() -> None:
    source, type_, route, connector = (
        Node(*pair) for pair in (("source", "s"), ("type", "t"), ("route", "r"), ("connector", "c"))
    )
    layout = lay_out([(source, type_), (type_, route), (route, connector)])
    assert layout.heads == ("sources", "canonical types", "routes", "connectors")
    assert layout.heads[layout.places[type_][0]] == "canonical types"


def test_casts_and_forms_stand_on_the_way_of_the_events_they_change(tmp_path: Path) -> None:
    # given
    root = write(tmp_path, OLDER)
    # when
    found = [(edge["from"], edge["to"]) for edge in answer(root, "graph")["edges"]]
    layout = lay_out(hops(load(root, {}, strict_env=False)))
    # then
    assert set(found) >= {
        ("type:pos.sale", "cast:pos.sale/1-to-2"),
        ("cast:pos.sale/1-to-2", "transform:sale"),
        ("type:inventory.sold", "cast:inventory.sold/1-to-2"),
        ("cast:inventory.sold/1-to-2", "route:stock"),
        ("route:stock", "form:erp"),
        ("form:erp", "connector:erp"),
    }
    assert layout.heads == (
        "sources", "types", "casts", "transforms", "canonical types", "casts", "routes", "forms", "connectors",
    )  # fmt: skip
    assert ">" in run(root, "graph").stdout


def test_names_are_written_so_that_they_stay_text() -> None:
    hop = (Node("source", 'a<b>&"c'), Node("type", "t"))
    root = ElementTree.fromstring(svg([hop]))
    assert 'a<b>&"c' in [text.text for text in root.iter(f"{SVG}text")]


def test_content_without_hops_is_an_empty_drawing() -> None:
    assert list(ElementTree.fromstring(svg([])).iter(f"{SVG}g")) == []


def test_what_is_polled_stands_before_its_source(tmp_path: Path) -> None:
    # given
    root = write(tmp_path, POLLED)
    # when
    found = [(edge["from"], edge["to"]) for edge in answer(root, "graph")["edges"]]
    layout = lay_out(hops(load(root, {}, strict_env=False)))
    # then
    assert ("origin:inbox", "source:dropped") in found
    assert layout.heads[layout.places[Node("origin", "inbox")][0]] == "polled"
    assert '[("inbox")]' in run(root, "graph").stdout
    assert ">inbox</text>" in run(root, "graph", "--format", "svg").stdout
