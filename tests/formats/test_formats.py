"""Formats: what is written is what is read, and what is not as it should be is told with its line."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.formats.kinds import definitions, make_format
from crossdock.formats.port import MAX_LINE, Format, Row
from crossdock.kernel.problems import Problem, Refused

SMALL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
KEYS = st.sampled_from(["sku", "quantity", "note"])
XML_TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=12)
XML_ITEM = st.recursive(
    XML_TEXT,
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c-1", "Größe"]), inner, min_size=1, max_size=3),
    max_leaves=6,
)
FIXED = {
    "columns": [
        {"name": "sku", "at": 1, "width": 6},
        {"name": "quantity", "at": 8, "width": 5, "align": "right", "fill": "0", "type": "number"},
        {"name": "note", "at": 14, "width": 8, "align": "right"},
    ]
}


def read(format_: Format, raw: bytes) -> list[Row | Problem]:
    return list(format_.decode(io.BytesIO(raw)))


def values(format_: Format, raw: bytes) -> list[Any]:
    rows = read(format_, raw)
    assert [row for row in rows if isinstance(row, Problem)] == []
    return [row.value for row in rows if isinstance(row, Row)]


def told(format_: Format, raw: bytes) -> list[tuple[int, str]]:
    return [(one.line, one.code) for one in read(format_, raw) if isinstance(one, Problem)]


@given(st.lists(st.fixed_dictionaries({"sku": SMALL, "quantity": SMALL, "note": SMALL}), min_size=1, max_size=5))
@pytest.mark.parametrize("options", [{}, {"delimiter": ";", "quote": "'"}, {"encoding": "utf-16"}])
def test_csv_keeps_every_text_as_it_is(options: dict[str, Any], items: list[dict[str, str]]) -> None:
    format_ = make_format({"csv": options})

    assert values(format_, format_.encode(items)) == items


@given(
    st.lists(st.dictionaries(KEYS, st.none() | st.booleans() | SMALL | st.integers(-(2**63), 2**64 - 1)), max_size=5)
)
def test_json_lines_keep_every_value(items: list[dict[str, Any]]) -> None:
    format_ = make_format("jsonl")

    assert values(format_, format_.encode(items)) == items


@given(st.lists(XML_ITEM, max_size=4))
def test_xml_keeps_every_text_and_its_place(items: list[Any]) -> None:
    format_ = make_format({"xml": {"record": "item"}})

    assert values(format_, format_.encode(items)) == items


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "sku": st.from_regex(r"[!-~][ -~]{0,4}[!-~]", fullmatch=True),
                "quantity": st.integers(0, 99999),
                "note": st.from_regex(r"[!-~]{1,8}", fullmatch=True),
            }
        ),
        max_size=4,
    )
)
def test_fixed_columns_keep_every_value_that_fits(items: list[dict[str, Any]]) -> None:
    format_ = make_format({"fixed": FIXED})

    assert values(format_, format_.encode(items)) == items


@given(st.binary(max_size=300))
@pytest.mark.parametrize("format_", ["csv", "jsonl", "xml", "edi", {"fixed": FIXED}], ids=str)
def test_whatever_comes_is_read_or_told_and_nothing_breaks(format_: Any, raw: bytes) -> None:
    for one in read(make_format(format_), raw):
        assert isinstance(one, Row) or one.line >= 1


def test_texts_that_look_like_numbers_stay_texts_unless_a_column_says_otherwise() -> None:
    raw = b'sku,price,quantity\n007,"1,50",3\n'
    typed = make_format({"csv": {"columns": ["sku", "price", {"name": "quantity", "type": "number"}]}})

    assert values(make_format("csv"), raw) == [{"sku": "007", "price": "1,50", "quantity": "3"}]
    assert values(typed, raw) == [{"sku": "007", "price": "1,50", "quantity": 3}]


@pytest.mark.parametrize("cell", ["007", "1,50", "1e999", "0.1000000000000000055", "99999999999999999999", "true", "x"])
def test_a_number_that_json_would_change_is_told(cell: str) -> None:
    format_ = make_format({"csv": {"delimiter": ";", "columns": [{"name": "n", "type": "number"}]}})

    assert told(format_, f"n\n{cell}\n1\n".encode()) == [(2, "bad_cell")]


@pytest.mark.parametrize(
    ("raw", "problems"),
    [
        (b"a,b\n1\n1,2\n1,2,3\n", [(2, "bad_row"), (4, "bad_row")]),
        (b"a,a\n1,2\n", [(1, "bad_header")]),
        (b'a,b\n"1\n2,3', [(2, "bad_row")]),
        (b'a,b\n"1"x,2\n', [(2, "bad_row")]),
        (b"a,b\n\xff,2\n", [(1, "bad_encoding")]),
        (b"a\n" + b"x" * (MAX_LINE + 1), [(2, "too_long")]),
        (b'a\n"' + b"x\n" * 100_000, [(2, "bad_row")]),  # a quote that is never closed
    ],
    ids=[
        "short and long rows",
        "a name twice",
        "an open quote",
        "text after a quote",
        "not utf-8",
        "too long",
        "an open quote, long",
    ],
)
def test_csv_that_is_none_is_told_by_its_line(raw: bytes, problems: list[tuple[int, str]]) -> None:
    assert told(make_format("csv"), raw) == problems


def test_columns_choose_and_order_what_is_written_and_must_be_there_when_it_is_read() -> None:
    format_ = make_format({"csv": {"columns": ["b", "a"]}})

    assert format_.encode([{"a": 1, "b": None, "c": "x"}, [{"a": True, "b": 1.5}]]) == b"b,a\r\n,1\r\n1.5,true\r\n"
    assert told(format_, b"a,c\n1,2\n") == [(1, "bad_header")]


@pytest.mark.parametrize(
    ("said", "item"),
    [
        ("csv", {"a": {}}),
        ("csv", 1),
        ({"csv": {"quote": ""}}, {"a": "1,2"}),
        ({"csv": {"encoding": "iso-8859-1"}}, {"a": "€"}),
        ({"fixed": FIXED}, {"sku": "1234567"}),
        ({"fixed": FIXED}, {"sku": "a\nb"}),
        ({"fixed": FIXED}, {"sku": "a", "quantity": -1}),
        ({"xml": {"record": "r"}}, {"a b": 1}),
        ({"xml": {"record": "r"}}, {"p:a": 1}),
        ({"xml": {"record": "r"}}, "\x01"),
        ("edi", {"a": 1}),
    ],
    ids=str,
)
def test_what_a_format_cannot_hold_is_refused_and_never_cut_or_changed(said: Any, item: Any) -> None:
    with pytest.raises(Refused) as refused:
        make_format(said).encode([item])
    assert refused.value.problems[0].code == "bad_item"


def test_fixed_columns_stand_where_they_are_said_to() -> None:
    format_ = make_format({"fixed": FIXED})

    assert format_.encode([{"sku": "A1", "quantity": 7, "note": "x"}]) == b"A1     00007        x\r\n"
    assert values(format_, b"A1     00000   note x\n") == told_values()
    assert told(format_, b"A1     00000\nA1     00007        x!\n") == [(1, "bad_row"), (2, "bad_row")]


def told_values() -> list[dict[str, Any]]:
    return [{"sku": "A1", "quantity": 0, "note": "note x"}]


ENTITIES = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (ENTITIES, "doctype"),
        (OUTSIDE, "doctype"),
        (b'<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><a/>', "doctype"),
        (b"<a>" * 65 + b"</a>" * 65, "too_deep"),
        (b"<a>" + b"x" * (MAX_LINE + 1) + b"</a>", "too_long"),
        (b"<a>" + b"<b/>" * 200_001 + b"</a>", "too_large"),
        (b"<a>text<b/></a>", "mixed_content"),
        (b"<a><b></a>", "bad_xml"),
        (b"<a>&b;</a>", "bad_xml"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "bad_xml"),
        (b"", "bad_xml"),
    ],
    ids=lambda value: value[:24].decode() if isinstance(value, bytes) else value,
)
def test_hostile_xml_is_refused(raw: bytes, code: str) -> None:
    assert [found for _, found in told(make_format("xml"), raw)] == [code]


def test_records_of_xml_come_with_their_lines_and_attributes() -> None:
    raw = b'<o:list xmlns:o="urn:o">\n<o:h>x</o:h>\n<o:row n="1"><o:q u="EA">2</o:q><l>a</l><l>b</l></o:row>\n</o:list>'
    named = make_format({"xml": {"record": "x:row", "namespaces": {"x": "urn:o"}}})

    assert read(make_format({"xml": {"record": "o:row"}}), raw) == [
        Row({"@n": "1", "o:q": {"@u": "EA", "#text": "2"}, "l": ["a", "b"]}, 3)
    ]
    assert values(named, raw) == [{"@n": "1", "x:q": {"@u": "EA", "#text": "2"}, "l": ["a", "b"]}]


@pytest.mark.parametrize(
    "said",
    [
        {"csv": {"header": False}},
        {"csv": {"delimiter": '"'}},
        {"csv": {"columns": ["a", "a"]}},
        {"fixed": {"columns": [{"name": "a", "at": 1, "width": 3}, {"name": "b", "at": 3, "width": 1}]}},
        {"xml": {"root": "a b"}},
        {"edi": {"element": "?"}},
    ],
    ids=str,
)
def test_options_that_contradict_each_other_are_refused(said: Any) -> None:
    with pytest.raises(Refused) as refused:
        make_format(said)
    assert refused.value.problems[0].code == "bad_format"


def test_every_format_is_in_the_json_schema() -> None:
    assert set(definitions()["format"]["anyOf"][1]["properties"]) == {"csv", "jsonl", "fixed", "xml", "edi"}
