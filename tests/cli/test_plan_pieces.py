"""`crossdock plan`: whatever makes another revision is told as a change of a piece, or as layout only."""

import json
from pathlib import Path

import pytest

from crossdock.plan.told import told
from crossdock.trial.differences import compare
from schemas.spec import uri
from tests.cli.test_plan import plan, planned
from tests.gateway.test_tokens import JWKS
from tests.smallproject import SOLD, edited, write

FORM = {
    "transforms/targets/erp.yaml": "map: '{\"a\": location}'\nschema: erp.json\n",
    "transforms/targets/erp.json": "{}",
}
CAST = {"transforms/inventory.sold/1-to-2.yaml": "map: python:old.sold\n"}
OLD = {"transforms/old.py": "def sold(data, event):\n    return data\n"}
SOLD_2 = {
    "schemas/inventory.sold/2.0.json": json.dumps(
        SOLD | {"$id": uri("inventory.sold", "2.0"), "title": "t", "description": "d"}
    )
}


@pytest.mark.parametrize(
    ("changes", "piece", "routes"),
    [
        ({"transforms/targets/erp.yaml": 'map: \'{"b": location}\'\nschema: erp.json\n'}, ("form", "erp"), ["stock"]),
        ({"transforms/targets/erp.json": '{"type": "object"}'}, ("form", "erp"), ["stock"]),
        ({"transforms/old.py": "def sold(data, event):\n    return {}\n"}, ("module", "old"), ["stock"]),
        ({"transforms/inventory.sold/1-to-2.yaml": "map: $\n", "transforms/old.py": None},
         ("cast", "inventory.sold/1-to-2"), ["stock"]),
        ({"schemas/pos.sale/schema.yaml": "owner: stores\ncompatibility: none\n"}, ("type", "pos.sale"), ["stock"]),
    ],
)  # fmt: skip
def test_every_kind_of_piece_that_makes_another_revision_is_told(
    tmp_path: Path, changes: dict[str, str | None], piece: tuple[str, str], routes: list[str]
) -> None:
    # given
    first = (
        edited(
            "routes/stock.yaml", "[inventory.sold]\n    to: erp\n", "[inventory.sold@2]\n    to: erp\n    map: erp\n"
        )
        | FORM
        | CAST
        | OLD
        | SOLD_2
    )
    base = write(tmp_path / "base", first)
    # when
    made, _ = plan(base, {**first, **changes})
    # then
    assert piece in {(one["kind"], one["name"]) for one in made["changes"]}
    assert made["affected"]["routes"] == routes


def test_another_revision_that_says_the_same_is_told_as_such(tmp_path: Path) -> None:
    base = write(tmp_path / "base")
    candidate = write(tmp_path / "candidate", edited("routes/stock.yaml", "routes:", "# of the stores\nroutes:"))
    shown = planned(candidate, "--against", str(base)).stdout
    assert ": 0 changes\nthe files differ in comments or layout only\n" in shown


def test_another_key_file_is_a_change_of_its_source(tmp_path: Path) -> None:
    jwt = "jwt: {issuer: 'https://id.example', audience: a, jwks: gateway/keys.json}"
    keys = [json.dumps({"keys": members}) for members in (JWKS, JWKS[:1])]
    first = {**edited("gateway/tills.yaml", "api_key: true", jwt), "gateway/keys.json": keys[0]}
    # when
    made, _ = plan(write(tmp_path / "base", first), {**first, "gateway/keys.json": keys[1]})
    # then
    assert [(one["kind"], one["name"]) for one in made["changes"]] == [("source", "tills")]


def test_of_a_long_text_the_lines_that_changed_are_told_and_of_a_list_what_came_and_went() -> None:
    # given
    before = {"map": "{\n" + "\n".join(f'  "field{i}": {i},' for i in range(20)) + "\n}", "required": ["a", "b", "c"]}
    after = {"map": before["map"].replace("7,", "70,"), "required": ["x", "a", "b"]}  # type: ignore[attr-defined]
    # when
    lines = list(told(compare("", before, after)))
    # then
    assert lines == [
        ["/map:", '  -   "field7": 7,', '  +   "field7": 70,', '  -   "field17": 17,', '  +   "field17": 170,'],
        ['/required: "c" is gone, "x" is new'],
    ]
    assert [*told(compare("order", ["a", "b"], ["b", "a"]))] == [["order: in another order"]]
