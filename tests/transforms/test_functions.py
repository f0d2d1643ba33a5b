"""The functions that maps call: each one is documented with an example that holds, and refuses by its own code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.expression import Expression
from crossdock.kernel.problems import Problem, Refused
from transforms.engine import Mapping
from transforms.failures import BY_NAME
from transforms.functions import functions
from transforms.lookups import Lookup, Lookups, Table

DOCUMENT = Path(__file__).parents[2] / "docs" / "content.md"
ROW = re.compile(r"^\| `\$(\w+)\([^|]*\|[^|]*\| `([^|]+)` \| `([^|]+)` \|$", re.MULTILINE)
EXAMPLES = ROW.findall(DOCUMENT.read_text())


def known() -> dict[str, Any]:
    table = Table("items", "lookups/items.csv")
    table.rows = {"9520123400019": {"sku": "COFFEE-1KG"}}
    return functions(Lookups({"item": Lookup("item", table)}), {"unit": {"CS": "case", "EA": "each"}})


def value(text: str, data: Any = None) -> Any:
    mapping = Mapping(Expression(text, known()), Lookups({}), "the transform t")
    return mapping.data(mapping.begin(Event("1", "/s", "t", data)))


def refused(text: str) -> Problem:
    with pytest.raises(Refused) as caught:
        value(text)
    (problem,) = caught.value.problems
    return problem


def test_every_function_is_documented() -> None:
    assert {name for name, _, _ in EXAMPLES} == known().keys()


@pytest.mark.parametrize(("name", "example", "result"), EXAMPLES)
def test_every_documented_example_holds(name: str, example: str, result: str) -> None:
    assert f"${name}(" in example
    assert value(example) == json.loads(result)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ('$lookup("item", "2")', "lookup_missing", "lookup item has no row '2'"),
        ('$code("unit", "XX")', "unknown_code", "code list unit has no 'XX'"),
        ('$decadd("1", "many")', "not_decimal", "'many' is not a decimal number"),
        ("$decadd(1, nope)", "not_decimal", "nothing is not a decimal number"),
        ("$decdiv(1, 0, 2)", "not_decimal", "1 cannot be divided by 0"),
        (
            '$decround(1, 2, "near")',
            "bad_arguments",
            "a rounding mode is one of half_even, half_up, down, up, not 'near'",
        ),
        ('$units(1, "case", "each")', "bad_unit", "nothing says how many each are one case"),
        ('$gtin("614141000037")', "bad_gs1", "614141000037 is no GTIN: its check digit is 7, not 6"),
        ('$local_time("noon", "UTC")', "bad_time", "'noon' is not an instant with an offset"),
        ('$local_time("2026-01-01T00:00:00Z", "Mars")', "unknown_zone", "there is no time zone 'Mars'"),
        (
            '$instant("2026-03-29T02:30:00", "Europe/Berlin")',
            "ambiguous_time",
            "the clocks of Europe/Berlin skip 2026-03-29T02:30:00",
        ),
        ("$sha256(1.5)", "not_text", "1.5 is not a text"),
        ('$uuid5("mine", "x")', "bad_arguments", "'mine' is neither a UUID nor dns, url or oid"),
        ("$decneg()", "bad_arguments", "decneg() missing 1 required positional argument: 'value'"),
    ],
)
def test_what_a_function_does_not_take_is_refused_by_a_code_of_its_own(text: str, code: str, message: str) -> None:
    problem = refused(text)
    assert (problem.code, problem.message) == (code, message)
    assert problem.hint.endswith("see map of the transform t")


def test_every_code_is_documented() -> None:
    document = DOCUMENT.read_text()
    assert [one.code for one in BY_NAME.values() if f"`{one.code}`" not in document] == []


def test_a_code_that_is_not_in_the_list_can_have_a_default() -> None:
    assert value('$code("unit", "XX", "each")') == "each"
    assert value('$code("unit", nope, "each")') == "each"


def test_functions_take_each_item_of_a_list_and_can_be_chained() -> None:
    assert value('["614141000036", "6291041500213"].$gtin($)') == ["00614141000036", "06291041500213"]
    assert value('"1.50" ~> $decneg() ~> $decmul(2)') == "-3.00"


def test_a_function_that_is_only_named_in_text_made_at_run_time_is_there() -> None:
    assert value('$eval("$" & "decneg(1)")') == "-1"
