"""Rules of conformance that could never be seen broken are told with their place."""

from pathlib import Path

import pytest

from crossdock.checking import check
from tests.smallproject import write

RULE = """\
rules:
  - rule: one
    first: {first}
    then: inventory.sold
    breaks: {breaks}
{more}"""


def _codes(root: Path, first: str = "inventory.sold", breaks: str = "wrong_order", more: str = "") -> list[str]:
    write(root, {"journal/rules.yaml": RULE.format(first=first, breaks=breaks, more=more)})
    found = check(root, {}, strict_env=False).problems
    return [f"{one.line}:{one.column} {one.code}" for one in found if one.file.startswith("journal/")]


def test_a_rule_about_what_happens_is_fine(tmp_path: Path) -> None:
    assert _codes(tmp_path) == []


@pytest.mark.parametrize(
    ("first", "breaks", "more", "told"),
    [
        ("inventory.sould", "wrong_order", "", "3:5 unknown_type"),
        ("pos.sale", "wrong_order", "", "3:5 unknown_type"),
        ("[inventory.sold, {type: nothing.known}]", "wrong_order", "", "3:30 unknown_type"),
        ("{type: inventory.sold, key: planet}", "wrong_order", "", "3:35 unknown_key_kind"),
        ("inventory.sold", "missing_then", "", "2:5 missing_key"),
        ("inventory.sold", "missing", "", "5:5 bad_value"),
        ("inventory.sold", "wrong_order", "    within: soon\n", "6:5 bad_value"),
        ("inventory.sold", "wrong_order", "    whithin: 3d\n", "6:5 unknown_key"),
    ],
)
def test_each_mistake_is_told_at_its_place(tmp_path: Path, first: str, breaks: str, more: str, told: str) -> None:
    assert told in _codes(tmp_path, first, breaks, more)


def test_two_rules_of_one_name_are_told(tmp_path: Path) -> None:
    again = "  - {rule: one, first: inventory.sold, then: inventory.sold, breaks: wrong_order}\n"
    assert "6:6 duplicate_name" in _codes(tmp_path, more=again)
