"""The event codec case by case: the rules of CloudEvents 1.0 for the structured, binary and batched modes."""

import json
from typing import Any

import pytest

from crossdock.kernel.attribute_rules import MAX_ATTRIBUTE
from crossdock.kernel.event import (
    BATCH,
    STRUCTURED,
    Event,
    decode,
    decode_structured,
    encode_binary,
    encode_structured,
    header_value,
)
from crossdock.kernel.problems import Refused

HEADERS = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/till/1",
    "ce-type": "pos.sale",
}
DOCUMENT = {"specversion": "1.0", "id": "1", "source": "/till/1", "type": "pos.sale"}


def binary(body: bytes = b"{}", **headers: str) -> Event:
    return decode({**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}, body)


def structured(**members: Any) -> Event:
    return decode_structured(json.dumps({**DOCUMENT, **members}).encode())


def pointers(error: Refused) -> list[str]:
    return [problem.pointer for problem in error.problems]


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("Euro%20%E2%82%AC", "Euro €"),
        ("%e2%82%ac", "€"),
        ("100%", "100%"),
        ("a%2", "a%2"),
        ("%zz", "%zz"),
        ("%2541", "%41"),
        ('"quoted text"', "quoted text"),
        (r'"a \"b\" \\c"', r'a "b" \c'),
        ('"%41"', "A"),
        ('"', '"'),
        ("€ sent as it is".encode().decode("latin-1"), "€ sent as it is"),
    ],
)
def test_a_header_value_is_unquoted_and_then_decoded_once(sent: str, meant: str) -> None:
    assert binary(ce_subject=sent).subject == meant


@pytest.mark.parametrize("sent", ["%C0%A0", "%ff", "%E2%82", "\xa0"])
def test_a_header_that_is_not_utf_8_is_refused(sent: str) -> None:
    with pytest.raises(Refused, match="ce-subject is not valid UTF-8") as caught:
        binary(ce_subject=sent)
    assert pointers(caught.value) == ["/subject"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Euro € %", "Euro%20%E2%82%AC%20%25"),
        ('say "a"', "say%20%22a%22"),
        ("plain!#$&'()*+,-./:;<=>?@[\\]^_`{|}~", "plain!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
    ],
)
def test_a_header_value_is_written_in_printable_ascii(value: str | int | bool, written: str) -> None:
    assert header_value(value) == written


@pytest.mark.parametrize("name", ["id", "source", "type"])
def test_a_required_attribute_must_be_there_and_not_be_empty(name: str) -> None:
    document = {key: value for key, value in DOCUMENT.items() if key != name}
    for members in (document, {**DOCUMENT, name: ""}, {**DOCUMENT, name: None}):
        with pytest.raises(Refused) as caught:
            decode_structured(json.dumps(members).encode())
        assert pointers(caught.value) == [f"/{name}"]
    with pytest.raises(Refused) as caught:
        decode({key: value for key, value in HEADERS.items() if key != f"ce-{name}"}, b"{}")
    assert pointers(caught.value) == [f"/{name}"]


@pytest.mark.parametrize("version", ["1.1", "", 1.0, None, "0.3"])
def test_only_version_1_0_is_read(version: Any) -> None:
    with pytest.raises(Refused) as caught:
        structured(specversion=version)
    assert pointers(caught.value) == ["/specversion"]


def test_every_problem_of_an_envelope_is_told_at_once() -> None:
    with pytest.raises(Refused) as caught:
        decode({"content-type": "application/json", "ce-time": "noon", "ce-BAD": "x"}, b"{")
    assert {problem.code for problem in caught.value.problems} == {"invalid_json", "invalid_envelope"}
    assert {"/specversion", "/id", "/source", "/type", "/time", "/BAD"} <= set(pointers(caught.value))


@pytest.mark.parametrize(
    "time", ["2026-11-21T09:30:00Z", "2026-11-21t09:30:60.123456789z", "2026-11-21T09:30:00-23:59"]
)
def test_a_time_is_kept_as_it_was_written(time: str) -> None:
    assert structured(time=time).time == time


@pytest.mark.parametrize(
    "time",
    ["noon", "2026-11-21", "2026-11-21T09:30:00", "2026-13-01T00:00:00Z", "2026-01-32T00:00:00Z", "20261121T093000Z"],
)
def test_a_time_that_is_not_rfc_3339_is_refused(time: str) -> None:
    with pytest.raises(Refused, match="RFC 3339"):
        structured(time=time)


@pytest.mark.parametrize("value", [2**31 - 1, -(2**31), True, "text", ""])
def test_extensions_are_strings_booleans_and_integers_of_32_bits(value: Any) -> None:
    assert structured(shelf=value).extensions == {"shelf": value}


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 1.5, [], {}])
def test_other_extension_values_are_refused(value: Any) -> None:
    with pytest.raises(Refused) as caught:
        structured(shelf=value)
    assert pointers(caught.value) == ["/shelf"]


@pytest.mark.parametrize("name", ["Shelf", "my_shelf", "my-shelf", "ünder", "a" * 65, ""])
def test_attribute_names_are_lower_case_letters_and_digits(name: str) -> None:
    with pytest.raises(Refused, match="attribute names are"):
        structured(**{name: "1"})


def test_a_header_cannot_be_called_data() -> None:
    with pytest.raises(Refused, match="attribute names are"):
        binary(ce_data="1")


def test_a_null_attribute_is_the_same_as_none() -> None:
    assert structured(subject=None, shelf=None) == structured()


@pytest.mark.parametrize("text", ["a\nb", "\x00", "\x9f", "\ufdd0", "\ufffe"])
def test_control_characters_in_attributes_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="control characters"):
        structured(subject=text)


def test_an_attribute_has_a_length_that_is_bounded() -> None:
    assert structured(id="x" * MAX_ATTRIBUTE).id == "x" * MAX_ATTRIBUTE
    with pytest.raises(Refused, match="longer than"):
        structured(id="x" * (MAX_ATTRIBUTE + 1))


@pytest.mark.parametrize("media", ["text/plain; charset=ü", "application/json\xa0", "json", ""])
def test_a_content_type_must_fit_into_a_header(media: str) -> None:
    with pytest.raises(Refused) as caught:
        structured(datacontenttype=media)
    assert pointers(caught.value) == ["/datacontenttype"]


def test_data_and_data_base64_exclude_each_other() -> None:
    with pytest.raises(Refused, match="exclude each other"):
        structured(data=1, data_base64="AA==")


@pytest.mark.parametrize("text", ["%%%", "AA", 5, None])
def test_data_base64_must_be_base64(text: Any) -> None:
    with pytest.raises(Refused, match="not base64"):
        structured(data_base64=text)


def test_bytes_come_back_as_bytes() -> None:
    event = structured(data_base64="AP8=", datacontenttype="application/octet-stream")
    assert event.data == b"\x00\xff"
    assert json.loads(encode_structured(event))["data_base64"] == "AP8="
    assert encode_binary(event)[1] == b"\x00\xff"


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"null"])
def test_a_structured_body_is_one_json_object(body: bytes) -> None:
    with pytest.raises(Refused):
        decode({"content-type": STRUCTURED}, body)


def test_a_batch_is_not_taken_for_one_structured_event() -> None:
    with pytest.raises(Refused, match="JSON object"):
        decode({"content-type": BATCH}, b"[" + encode_structured(structured()) + b"]")


@pytest.mark.parametrize("media", [STRUCTURED, STRUCTURED.upper(), f"{STRUCTURED}; charset=utf-8"])
def test_structured_mode_is_told_by_the_content_type(media: str) -> None:
    assert decode({"content-type": media}, encode_structured(structured())) == structured()


@pytest.mark.parametrize("media", ["application/json", "TEXT/JSON", "application/geo+json; charset=utf-8"])
def test_json_media_types_are_parsed_in_binary_mode(media: str) -> None:
    event = binary(b'{"a": 1}', content_type=media)
    assert (event.data, event.datacontenttype) == ({"a": 1}, media)


def test_other_content_stays_bytes_in_binary_mode() -> None:
    assert binary(b"a,b\n", content_type="text/csv").data == b"a,b\n"


def test_no_body_is_no_data() -> None:
    assert binary(b"").data is None
    assert encode_binary(binary(b""))[1] == b""


def test_the_content_type_is_not_repeated_as_an_attribute_header() -> None:
    with pytest.raises(Refused, match="not ce-datacontenttype"):
        binary(ce_datacontenttype="application/json")
    assert "ce-datacontenttype" not in encode_binary(structured(data=1))[0]


def test_big_integers_and_decimals_survive_both_modes() -> None:
    body = b'{"a":9007199254740993,"b":820982911946154508,"c":"19.99","d":-9223372036854775808}'
    event = binary(body)
    assert event.exact
    assert encode_binary(event)[1] == body
    assert decode_structured(encode_structured(event)).data == event.data


@pytest.mark.parametrize("text", ["\ufdd0", "\ufdd1"])
def test_the_guard_characters_are_refused_beside_big_integers_only(text: str) -> None:
    assert structured(data={"t": text, "n": 1}).data["t"] == text
    for ascii_only in (True, False):
        document = {**DOCUMENT, "data": {"t": text, "n": 2**60}}
        with pytest.raises(Refused, match="reserved_character"):
            decode_structured(json.dumps(document, ensure_ascii=ascii_only).encode())


def test_added_extensions_leave_the_event_as_it_was() -> None:
    event = structured(shelf="1")
    assert event.extended(shelf="2", door="", partner="p").extensions == {"shelf": "2", "partner": "p"}
    assert event.extensions == {"shelf": "1"}
