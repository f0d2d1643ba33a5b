"""Numbers from end to end: what a map only passes on is what the sender wrote, or it is refused."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel import jsontext
from crossdock.kernel.event import decode_structured, encode_structured, restore
from crossdock.kernel.expression import Expression
from crossdock.kernel.problems import Refused
from transforms.engine import Mapping, Transform
from transforms.functions import functions
from transforms.lookups import Lookups
from transforms.python import PythonMap

ENVELOPE = b'{"specversion":"1.0","id":"1","source":"/s","type":"pos.sale","data":%s}'
IDENTITIES = ["$", '{"n": n, "l": l, "o": o}', '$merge([$, {"n": n}])', '{"n": $.n, "l": l[], "o": {"x": o.x}}']
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)


def passed(data: bytes, rule: Any) -> bytes:
    """Return the data as a target gets it: decoded as the gateway does, mapped, stored, read and written again."""
    transform = Transform("t", "pos.sale", 1, "sold", 1, Mapping(rule, Lookups({}), "t"), None, None)  # type: ignore[arg-type]
    made = transform.apply(decode_structured(ENVELOPE % data), "crossdock:/sold/1.0")
    return jsontext.dumps(restore(encode_structured(made)).data)


def expression(text: str) -> Expression:
    return Expression(text, functions(Lookups({}), {}))


@pytest.mark.parametrize("identity", IDENTITIES)
@given(NUMBERS, st.lists(NUMBERS, min_size=2, max_size=3), NUMBERS)
def test_a_number_passes_a_map_unchanged(identity: str, number: float, several: list[float], deep: float) -> None:
    # given
    data = jsontext.dumps({"n": number, "l": several, "o": {"x": deep}})
    # when
    made = jsontext.loads(passed(data, expression(identity)))
    # then
    assert [Decimal(n) for n in (made["n"], *made["l"], made["o"]["x"])] == [
        Decimal(n) for n in (number, *several, deep)
    ]


@pytest.mark.parametrize(
    ("written", "arrives"),
    [
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9007199254740993", "9007199254740993"),
        ("0.1", "0.1"),
        ("1.10", "1.1"),
        ("1e21", "1e21"),
        ("-0.0", "-0.0"),
        ("0.30000000000000004", "0.30000000000000004"),
    ],
)
@pytest.mark.parametrize("identity", IDENTITIES[:2])
def test_a_number_arrives_as_the_same_number(identity: str, written: str, arrives: str) -> None:
    data = b'{"n":%s,"l":[1,2],"o":{}}' % written.encode()
    made = jsontext.loads(passed(data, expression(identity)))["n"]
    assert Decimal(str(made)) == Decimal(arrives) == Decimal(written)


@pytest.mark.parametrize("written", ["18446744073709551616", "0.1000000000000000055511151231257827", "1e400", "9" * 30])
def test_a_number_that_would_be_changed_is_refused_where_it_arrives(written: str) -> None:
    with pytest.raises(Refused) as caught:
        passed(b'{"n":%s}' % written.encode(), expression("$"))
    assert caught.value.problems[0].code in ("number_not_exact", "invalid_json")


@given(NUMBERS)
def test_a_number_passes_a_python_function_unchanged(number: float) -> None:
    rule = PythonMap("m.same", "transforms/m.py", lambda data, event: data)
    assert jsontext.loads(passed(jsontext.dumps({"n": number}), rule))["n"] == number
