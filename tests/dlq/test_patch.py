"""JSON Patch: the cases of RFC 6902, appendix A; numbers that stay; nothing by halves; and patches that would hurt."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel import jsontext
from crossdock.kernel.jsontext import escaped
from crossdock.kernel.problems import Refused
from dlq import patch

FAILS = object()

# RFC 6902, appendix A: the document, the patch, and what comes of it; A.13 cannot be read, see below.
APPENDIX: list[tuple[str, Any, Any, Any]] = [
    ("A.1", {"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    ("A.2", {"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
    ("A.3", {"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ("A.4", {"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    ("A.5", {"baz": "qux", "foo": "bar"}, [{"op": "replace", "path": "/baz", "value": "boo"}],
     {"baz": "boo", "foo": "bar"}),
    ("A.6", {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
     [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
     {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
    ("A.7", {"foo": ["all", "grass", "cows", "eat"]}, [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
     {"foo": ["all", "cows", "eat", "grass"]}),
    ("A.8", {"baz": "qux", "foo": ["a", 2, "c"]},
     [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
     {"baz": "qux", "foo": ["a", 2, "c"]}),
    ("A.9", {"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}], FAILS),
    ("A.10", {"foo": "bar"}, [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
     {"foo": "bar", "child": {"grandchild": {}}}),
    ("A.11", {"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}], {"foo": "bar", "baz": "qux"}),
    ("A.12", {"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}], FAILS),
    ("A.14", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ("A.15", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}], FAILS),
    ("A.16", {"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
     {"foo": ["bar", ["abc", "def"]]}),
]  # fmt: skip

# What the text of the RFC says beside.
MORE: list[tuple[str, Any, Any, Any]] = [
    ("a member is added in the place of another", {"a": 1}, [{"op": "add", "path": "/a", "value": 2}], {"a": 2}),
    ("the whole document is added", {"a": 1}, [{"op": "add", "path": "", "value": []}], []),
    ("a value is appended by its number", [1], [{"op": "add", "path": "/1", "value": 2}], [1, 2]),
    ("nothing is added beyond the end", [1], [{"op": "add", "path": "/2", "value": 2}], FAILS),
    ("a number has no leading zero", [1, 2], [{"op": "remove", "path": "/01"}], FAILS),
    ("a number has no sign", [1, 2], [{"op": "remove", "path": "/-1"}], FAILS),
    ("what comes after the last is not there", [1], [{"op": "remove", "path": "/-"}], FAILS),
    ("only what is there is replaced", {"a": 1}, [{"op": "replace", "path": "/b", "value": 2}], FAILS),
    ("only what is there is removed", {"a": 1}, [{"op": "remove", "path": "/b"}], FAILS),
    ("a value is not moved into itself", {"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/b"}], FAILS),
    ("a value is moved to where it is", {"a": 1}, [{"op": "move", "from": "/a", "path": "/a"}], {"a": 1}),
    ("what is named alike may be moved", {"a": 1}, [{"op": "move", "from": "/a", "path": "/ab"}], {"ab": 1}),
    ("a copy stands by itself", {"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"},
     {"op": "add", "path": "/b/-", "value": 2}], {"a": [1], "b": [1, 2]}),
    ("the empty name is a name", {"": 1}, [{"op": "replace", "path": "/", "value": 2}], {"": 2}),
    ("null is a value", {"a": None}, [{"op": "test", "path": "/a", "value": None}], {"a": None}),
    ("what is not there is not null", {}, [{"op": "test", "path": "/a", "value": None}], FAILS),
    ("true is not 1", {"a": True}, [{"op": "test", "path": "/a", "value": 1}], FAILS),
    ("1.0 is 1", {"a": [1.0]}, [{"op": "test", "path": "/a", "value": [1]}], {"a": [1.0]}),
    ("two long numbers that one double stands for are two", {"a": 9007199254740993},
     [{"op": "test", "path": "/a", "value": 9007199254740992.0}], FAILS),
    ("nothing is below a text", {"a": "b"}, [{"op": "add", "path": "/a/b", "value": 1}], FAILS),
]  # fmt: skip


@pytest.mark.parametrize(("case", "document", "operations", "expected"), [*APPENDIX, *MORE])
def test_a_patch_does_what_rfc_6902_says(case: str, document: Any, operations: Any, expected: Any) -> None:
    before = copy.deepcopy(document)
    if expected is FAILS:
        with pytest.raises(Refused) as caught:
            patch.apply(document, patch.read(operations))
        assert caught.value.problems[0].code == "patch_failed", case
    else:
        made = patch.apply(document, patch.read(operations))
        assert json.dumps(made, sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert document == before


def test_an_operation_that_is_given_twice_cannot_be_read() -> None:
    """RFC 6902, A.13."""
    with pytest.raises(Refused, match="twice"):
        jsontext.loads(b'[{"op": "add", "path": "/baz", "value": "qux", "op": "remove"}]')


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({}, ""), ([], ""), ([{"op": "add"}] * 101, ""), (["add"], "/0"), ([{"op": "put", "path": ""}], "/0"),
        ([{"op": "remove", "path": ""}, {"op": "add", "path": "/a"}], "/1"), ([{"op": "remove"}], "/0"),
        ([{"op": "remove", "path": "a"}], "/0/path"), ([{"op": "remove", "path": "/~2"}], "/0/path"),
        ([{"op": "remove", "path": 1}], "/0/path"), ([{"op": "move", "from": None, "path": ""}], "/0/from"),
        ([{"op": ["add"], "path": ""}], "/0"),
    ],
)  # fmt: skip
def test_what_is_no_patch_is_refused_with_its_place(document: Any, place: str) -> None:
    with pytest.raises(Refused) as caught:
        patch.read(document)
    (problem,) = caught.value.problems
    assert (problem.code, problem.pointer) == ("bad_patch", place)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def places(value: Any, pointer: str = "") -> list[str]:
    """Return the pointers of all values but the whole."""
    if not isinstance(value, dict | list):
        return []
    named = value.items() if isinstance(value, dict) else enumerate(value)
    own = [(f"{pointer}/{escaped(str(key))}", child) for key, child in named]
    return [found for place, child in own for found in (place, *places(child, place))]


@given(document=JSON, value=JSON, data=st.data())
def test_what_is_put_in_is_there_and_everything_else_is_as_it_was(document: Any, value: Any, data: Any) -> None:
    if not (pointers := places(document)):
        return
    place = data.draw(st.sampled_from(pointers))
    at = {"path": place, "value": value}
    made = patch.apply(document, [{"op": "replace", **at}, {"op": "test", **at}])
    was = patch._found(document, place)
    back = patch.apply(made, [{"op": "replace", "path": place, "value": was}])
    assert jsontext.dumps(back) == jsontext.dumps(document)


@given(document=JSON, data=st.data())
def test_a_value_that_is_taken_away_and_put_back_is_where_it_was(document: Any, data: Any) -> None:
    if not (pointers := places(document)):
        return
    place = data.draw(st.sampled_from(pointers))
    was = patch._found(document, place)
    made = patch.apply(document, [{"op": "remove", "path": place}, {"op": "add", "path": place, "value": was}])
    assert jsontext.sorted_dumps(made) == jsontext.sorted_dumps(document)


@given(document=JSON, operations=JSON)
def test_whatever_comes_as_a_patch_is_done_or_refused(document: Any, operations: Any) -> None:
    try:
        patch.apply(document, patch.read(operations))
    except Refused as error:
        assert {problem.code for problem in error.problems} <= {"bad_patch", "patch_failed"}


def test_copies_of_copies_end_before_they_fill_the_memory() -> None:
    operations = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 100
    with pytest.raises(Refused) as caught:
        patch.apply({"a": ["x" * 1000]}, operations)
    assert caught.value.problems[0].code == "patch_failed"


def test_a_number_that_json_of_ours_cannot_hold_is_refused() -> None:
    with pytest.raises(Refused, match="64-bit"):
        patch.apply({}, [{"op": "add", "path": "/a", "value": 2**64}])
