"""Maps that are Python functions: they run like expressions, and what is wrong with them is told, never a crash."""

from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem, Refused
from crossdock.project import revision_of
from tests.smallproject import SALE_MAP, edited, project, refused, sale, write

GOOD = """
def normalise(data, event):
    return {"location": "S-" + data["store"], "lines": data["lines"], "who": event["source"]}
"""


def with_function(text: str | None, name: str = "carriers.normalise") -> dict[str, str | None]:
    yaml = f"transform: sale\nfrom: pos.sale@1\nto: inventory.sold@1\nmap: python:{name}\n"
    return {SALE_MAP: yaml, "transforms/carriers.py": text, "transforms/sale.test.yaml": None}


def made(root: Path, body: str) -> Any:
    content = project(root, with_function(f"def normalise(data, event):\n    {body}\n"))
    return content.transform(sale("1"), "1.0").data


def failure(root: Path, body: str) -> Problem:
    with pytest.raises(Refused) as caught:
        made(root, body)
    (problem,) = caught.value.problems
    return problem


def test_a_function_makes_the_data(tmp_path: Path) -> None:
    content = project(tmp_path, with_function(GOOD))
    canonical = content.canonical(sale("1"), "1.0")
    assert canonical.data == {"location": "S-0042", "lines": [{"gtin": "1", "qty": 1}], "who": "/till/1"}


def test_what_a_function_changes_in_its_arguments_changes_no_event(tmp_path: Path) -> None:
    content = project(
        tmp_path, with_function("def normalise(data, event):\n    data['lines'].clear()\n    return data\n")
    )
    raw = sale("1")
    content.transform(raw, "1.0")
    assert raw == sale("1")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return data['stroe']", "carriers.normalise: KeyError: 'stroe' (transforms/carriers.py:2)"),
        ("raise SystemExit(1)", "carriers.normalise: SystemExit: 1 (transforms/carriers.py:2)"),
        ("return normalise(data, event)", "maximum recursion depth exceeded"),
        ("return None", "it gives nothing"),
        ("return float('nan')", "carriers.normalise gives nan, which JSON cannot hold"),
        ("return {'n': 2**64}", "carriers.normalise gives an integer of more than 64 bits; give it as text"),
        ("return {1: 2}", "carriers.normalise gives an object with a key that is not text"),
        ("return {1, 2}", "carriers.normalise gives a set, which is not JSON; give a decimal or a time as text"),
        ("return [0] * 1_000_000", "carriers.normalise gives more than 1000000 values"),
        ("x = []; x.append(x); return x", "carriers.normalise gives what is nested deeper than 64 levels"),
        ("x = []; x += [x, x]; return x", "carriers.normalise gives more than 1000000 values"),
        (r"return {'n': ['half \ud800']}", "carriers.normalise gives a text with the character U+D800"),
        (r"return {'\udc00': 1}", "carriers.normalise gives a text with the character U+DC00"),
        (r"return ['\ufdd0123\ufdd1']", "carriers.normalise gives a text with the character U+FDD0"),
        ("class Key(str): pass\n    return {Key('a'): 1}", "gives an object with a key that is not text"),
    ],
)
def test_a_function_that_fails_is_named_with_its_line(tmp_path: Path, body: str, message: str) -> None:
    problem = failure(tmp_path, body)
    assert problem.code == "transform_failed"
    assert message in problem.message
    assert problem.hint == "see map of the transform sale"


def test_what_passes_as_json_can_be_written(tmp_path: Path) -> None:
    # given
    deepest = "import json\n    return {'location': 'K\u00f6ln', 'lines': json.loads('[' * 63 + ']' * 63)}"
    # when
    data = made(tmp_path, deepest)
    # then
    assert jsontext.loads(jsontext.dumps(data)) == data
    assert "nested deeper" in failure(tmp_path, deepest.replace("63", "64")).message


@pytest.mark.parametrize(
    ("text", "name", "code", "file", "line"),
    [
        (None, "carriers.normalise", "missing_file", SALE_MAP, 4),
        (GOOD, "carriers.normalize", "unknown_function", SALE_MAP, 4),
        (GOOD, "../carriers.normalise", "bad_value", SALE_MAP, 4),
        (GOOD, "carriers", "bad_value", SALE_MAP, 4),
        ("def normalise(data, event)\n", "carriers.normalise", "bad_python", "transforms/carriers.py", 1),
        ("x = 1\ny = 1 / 0\n", "carriers.normalise", "bad_python", "transforms/carriers.py", 2),
        ("raise SystemExit\n", "carriers.normalise", "bad_python", "transforms/carriers.py", 1),
        ("\ndef normalise(data):\n    return data\n", "carriers.normalise", "bad_python", "transforms/carriers.py", 2),
        ("async def normalise(data, event): ...\n", "carriers.normalise", "bad_python", "transforms/carriers.py", 1),
        ("normalise = 1\n", "carriers.normalise", "unknown_function", SALE_MAP, 4),
    ],
)
def test_a_function_that_cannot_be_had_is_placed(
    tmp_path: Path, text: str | None, name: str, code: str, file: str, line: int
) -> None:
    found = {(problem.code, problem.file, problem.line) for problem in refused(tmp_path, with_function(text, name))}
    assert (code, file, line) in found


def test_a_module_that_is_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text(GOOD)
    (tmp_path / "transforms").mkdir()
    (tmp_path / "transforms" / "carriers.py").symlink_to(tmp_path / "elsewhere.py")
    assert "outside" in {problem.code for problem in refused(tmp_path, with_function(None))}


def test_the_module_is_part_of_the_revision_and_others_are_not(tmp_path: Path) -> None:
    # given
    write(tmp_path, with_function(GOOD))
    before = revision_of(tmp_path)
    # when
    (tmp_path / "transforms" / "other.py").write_text("raise SystemExit\n")
    with_other = revision_of(tmp_path)
    (tmp_path / "transforms" / "carriers.py").write_text(GOOD.replace("S-", "T-"))
    # then
    assert with_other == before != revision_of(tmp_path)


def test_a_change_of_the_same_length_is_seen_at_once(tmp_path: Path) -> None:
    for prefix in ("S-", "T-"):
        content = project(tmp_path, with_function(GOOD.replace("S-", prefix)))
        assert content.transform(sale("1"), "1.0").data["location"] == f"{prefix}0042"
    assert list(tmp_path.rglob("*.pyc")) == []


def test_a_code_list_is_part_of_the_file_and_its_name_is_checked(tmp_path: Path) -> None:
    changes = edited(SALE_MAP, '$lookup("item", gtin).sku', '$code("sku", gtin)')
    text = f"{changes[SALE_MAP]}codes: {{sku: {{'1': COFFEE}}}}\n"
    assert project(tmp_path, {SALE_MAP: text}).transform(sale("1"), "1.0").data["lines"][0]["item"] == "COFFEE"
    (problem,) = refused(tmp_path, {SALE_MAP: text.replace('$code("sku"', '$code("skus"')})
    assert (problem.code, problem.hint) == ("unknown_code", "did you mean sku?")
