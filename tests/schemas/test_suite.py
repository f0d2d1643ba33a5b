"""The required cases of the JSON-Schema-Test-Suite for 2020-12 (suite/, MIT licence), through our validator.

What we do otherwise, and why: formats are checked, which the standard leaves open; what is not in the file is not
fetched, so references to it and dialects of somebody else are refused.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.problems import Refused
from schemas.spec import compile_schema, read_foreign

SUITE = json.loads((Path(__file__).parent / "suite" / "draft2020-12.json").read_bytes())
FETCHED = "http://localhost:1234/"  # where the suite keeps what its remote references lead to
NEEDS_REMOTE = {
    ("dynamicRef", "strict-tree schema, guards against misspelled properties"),
    ("dynamicRef", "tests for implementation dynamic anchor and reference link"),
    ("dynamicRef", "$ref and $dynamicAnchor are independent of order - $defs first"),
    ("dynamicRef", "$ref and $dynamicAnchor are independent of order - $ref first"),
    ("dynamicRef", "$ref to $dynamicRef finds detached $dynamicAnchor"),
} | {("refRemote", group["description"]) for group in SUITE["refRemote"]}
OWN_DIALECT = {
    ("vocabulary", "schema that uses custom metaschema with with no validation vocabulary"),
    ("vocabulary", "ignore unrecognized optional vocabulary"),
}
AS_ANNOTATION = "is only an annotation by default"


def groups() -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, group) for name, found in SUITE.items() for group in found)


def test_every_required_case_that_needs_nothing_from_elsewhere_is_answered_as_the_standard_says() -> None:
    told, wrong = 0, []
    for name, group in groups():
        if (name, group["description"]) in NEEDS_REMOTE | OWN_DIALECT:
            continue
        validator = compile_schema(group["schema"])
        for case in group["tests"]:
            told += 1
            expected = case["valid"] and not case["description"].endswith(AS_ANNOTATION)
            if validator.is_valid(case["data"]) != expected:
                wrong.append((name, group["description"], case["description"]))
    assert (wrong, told) == ([], 1208)


@pytest.mark.parametrize(("name", "description"), sorted(NEEDS_REMOTE))
def test_what_lies_elsewhere_is_never_fetched(name: str, description: str) -> None:
    (schema,) = [group["schema"] for group in SUITE[name] if group["description"] == description]
    with pytest.raises(ValueError, match="is not present in a registry"):
        compile_schema(schema)


def test_a_file_may_refer_to_itself_only_and_is_in_our_dialect(tmp_path: Path) -> None:
    codes: dict[str, set[tuple[str, str]]] = {"remote_ref": set(), "unknown_dialect": set()}
    for name, group in groups():
        (tmp_path / "one.json").write_text(json.dumps(group["schema"]))
        try:
            read_foreign(tmp_path / "one.json", tmp_path)
        except Refused as error:
            codes[error.problems[0].code].add((name, group["description"]))
    assert codes["unknown_dialect"] == OWN_DIALECT
    assert codes["remote_ref"] > NEEDS_REMOTE
    assert codes["remote_ref"] == {(name, group["description"]) for name, group in groups() if _leaves(group["schema"])}


def _leaves(node: Any) -> bool:
    """Tell whether a reference begins with something else than #."""
    if isinstance(node, list):
        return any(map(_leaves, node))
    if not isinstance(node, dict):
        return False
    literals = ("const", "enum", "examples", "default")
    led = [node[key] for key in ("$ref", "$dynamicRef") if isinstance(node.get(key), str)]
    return any(not one.startswith("#") for one in led) or any(_leaves(v) for k, v in node.items() if k not in literals)
