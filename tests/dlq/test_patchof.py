"""The patch between two documents makes the one of the other, whatever a person changed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel import jsontext
from dlq import patch
from dlq.patchof import between

LEAVES = st.none() | st.booleans() | st.integers(-5, 2**63) | st.floats(-9, 9) | st.sampled_from(["", "a", "~/"])
KEYS = st.sampled_from(["a", "b/c", "~", ""])
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(DOCUMENTS, DOCUMENTS)
def test_it_makes_the_one_of_the_other(before: Any, after: Any) -> None:
    made = before
    for operation in between(before, after):
        made = patch.apply(made, [operation])
    assert jsontext.sorted_dumps(made) == jsontext.sorted_dumps(after)


@pytest.mark.parametrize(
    ("before", "after", "operations"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, [{"op": "replace", "path": "/a", "value": True}]),
        ({"a/b": 1}, {}, [{"op": "remove", "path": "/a~1b"}]),
        ({"l": [1, 2, 3]}, {"l": [1, 3]}, [{"op": "remove", "path": "/l/1"}]),
        ({"l": [1, 3]}, {"l": [1, 2, 3]}, [{"op": "add", "path": "/l/1", "value": 2}]),
        ({"l": [{"q": 1}]}, {"l": [{"q": 2}]}, [{"op": "replace", "path": "/l/0/q", "value": 2}]),
        (
            {"n": 9007199254740993},
            {"n": 9007199254740992},
            [{"op": "replace", "path": "/n", "value": 9007199254740992}],
        ),
    ],
)
def test_it_says_no_more_than_what_changed(before: Any, after: Any, operations: list[Any]) -> None:
    assert [*between(before, after)] == operations
