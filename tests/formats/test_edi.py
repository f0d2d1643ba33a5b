"""EDI: envelopes are counted, separators are taken from the file, and nothing is read into an element."""

import io
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.formats.kinds import make_format
from crossdock.formats.port import Row
from crossdock.kernel.problems import Problem, Refused

EDI = make_format("edi")
ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *261101*0600*^*00501*000000007*0*P*>~"
X12 = ISA + "GS*PO*S*R*20261101*0600*9*X*005010~ST*850*0001~BEG*00*SA*PO-1**20261101~SE*3*0001~GE*1*9~IEA*1*000000007~"
EDIFACT = "UNA:+.? 'UNB+UNOC:3+A:14+B:14+261101:0600+77'UNH+1+ORDERS:D:96A:UN'BGM+220+A?+1'UNT+3+1'UNZ+1+77'"

TEXT = st.text(st.characters(codec="iso-8859-1", categories=["L", "N", "P", "S"]), max_size=6)
COMPONENTS = st.lists(TEXT, min_size=2, max_size=3)
SEGMENTS = st.lists(st.lists(TEXT | COMPONENTS, max_size=4).map(lambda elements: ["FTX", *elements]), max_size=4)


def read(raw: str | bytes) -> tuple[list[Any], list[str]]:
    rows = list(EDI.decode(io.BytesIO(raw if isinstance(raw, bytes) else raw.encode("latin-1"))))
    messages = [row.value for row in rows if isinstance(row, Row)]
    return messages, [f"{row.line}: {row.message}" for row in rows if isinstance(row, Problem)]


def test_a_message_comes_with_its_envelope_as_lists_of_texts() -> None:
    (message,), problems = read(X12)

    assert problems == []
    assert (message["standard"], message["type"], message["message"]) == ("x12", "850", ["850", "0001"])
    assert message["group"] == ["PO", "S", "R", "20261101", "0600", "9", "X", "005010"]
    assert message["interchange"][12] == "000000007"
    assert message["segments"] == [["BEG", "00", "SA", "PO-1", "", "20261101"]]


def test_released_characters_and_components_of_edifact_are_told_apart() -> None:
    (message,), problems = read(EDIFACT)

    assert problems == []
    assert (message["type"], message["group"]) == ("ORDERS", None)
    assert message["message"] == ["1", ["ORDERS", "D", "96A", "UN"]]
    assert message["segments"] == [["BGM", "220", "A+1"]]


def test_other_separators_repeats_and_lines_are_read() -> None:
    other = X12.replace("*", "|").replace("~", "\n").replace("PO-1", "PO-1^PO-2>b")

    (message,), problems = read(other.rstrip("\n"))

    assert problems == []
    assert message["segments"][0][3] == [["PO-1"], ["PO-2", "b"]]


@given(SEGMENTS)
def test_edifact_keeps_every_text_whatever_it_holds(segments: list[Any]) -> None:
    (message,), _ = read(EDIFACT)

    again, problems = read(EDI.encode([{**message, "segments": segments}]))

    assert problems == []
    assert again[0]["segments"] == segments


def test_what_is_written_is_counted_and_enveloped_once() -> None:
    (message,), _ = read(X12)
    second = {**message, "message": ["850", "0002"]}

    raw = EDI.encode([message, second])

    assert raw.decode() == (
        ISA + "GS*PO*S*R*20261101*0600*9*X*005010~ST*850*0001~BEG*00*SA*PO-1**20261101~SE*3*0001~"
        "ST*850*0002~BEG*00*SA*PO-1**20261101~SE*3*0002~GE*2*9~IEA*1*000000007~"
    )
    assert read(raw)[1] == []


@pytest.mark.parametrize("place", [0, 5, 15])
def test_an_element_of_isa_that_is_too_long_for_its_place_is_refused(place: int) -> None:
    (message,), _ = read(X12)
    elements = [*message["interchange"]]
    elements[place] = "0123456789ABCDEF"

    with pytest.raises(Refused, match=f"element {place + 1} of ISA has more than"):
        EDI.encode([{**message, "interchange": elements}])


@pytest.mark.parametrize("text", ["a*b", "a~b", "a>b", "a^b", "a\nb"])
def test_x12_has_no_way_to_write_a_separator_so_it_is_refused(text: str) -> None:
    (message,), _ = read(X12)

    with pytest.raises(Refused, match="bad_item"):
        EDI.encode([{**message, "segments": [["NTE", text]]}])


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (X12.replace("SE*3", "SE*4"), "1: SE says '4' segments, there are 3"),
        (X12.replace("GE*1", "GE*2"), "1: GE says '2' messages, there are 1"),
        (X12.replace("IEA*1*000000007", "IEA*1*8"), "1: IEA says '8', ISA '000000007'"),
        (EDIFACT.replace("UNZ+1+77", "UNZ+1+78"), "1: UNZ says '78', UNB '77'"),
        (EDIFACT.replace("UNT+3+1'", ""), "1: UNZ ends no UNB, UNH is open"),
        (X12.replace("IEA*1*000000007~", ""), "1: ISA of line 1 does not end"),
        (EDIFACT.removesuffix("'"), '1: the last segment does not end in "\'"'),
        (ISA + "BEG*00~", "1: 'BEG' stands outside a message"),
        (ISA[:60], "1: the ISA segment does not have 16 elements"),
        ("STX=ANA:1+1'", "1: 'STX=ANA:1' stands outside a message"),
        ("", "1: there is no interchange"),
        ("UNA:+.? 'UNB+" + "x" * (1 << 21), "1: a segment of more than 1048576 characters"),
    ],
    ids=lambda value: value[-20:],
)
def test_an_envelope_that_does_not_add_up_is_told(raw: str, problem: str) -> None:
    assert read(raw)[1] == [problem]


def test_binary_data_may_hold_separators_as_its_length_says_where_it_ends() -> None:
    (message,), problems = read(X12.replace("BEG*00*SA*PO-1**20261101~", "BIN*7*a~*\n>bc~"))

    assert problems == []
    assert message["segments"] == [["BIN", "7", "a~*\n>bc"]]


@pytest.mark.parametrize(("name", "encoding"), [("UNOC", "iso-8859-1"), ("UNOE", "iso-8859-5"), ("UNOY", "utf-8")])
def test_the_character_set_is_the_one_that_unb_names(name: str, encoding: str) -> None:
    text = {"iso-8859-5": "Привет"}.get(encoding, "Größe")
    raw = EDIFACT.replace("UNOC", name).replace("A?+1", text).encode(encoding)

    (message,), problems = read(raw)

    assert problems == []
    assert message["segments"][0][2] == text
    assert text.encode(encoding) in EDI.encode([message])


CORPORA = Path(os.environ.get("CROSSDOCK_SHARED", Path(__file__).parents[3] / "shared")) / "corpora" / "edi"
# Files whose counts or control numbers are wrong, or whose envelope is, by what is told of them first.
WRONG = {
    "204-MGCTLYST-SAMPLE.EDI": "SE says '41' segments, there are 38",
    "Aperak_issue235.xml": "the last segment does not end",
    "edifact.01.edi": "UNT says '158' segments, there are 31",
    "edifact.D01B.IFCSUM.NewLines.EDI": "the last segment does not end",
    "edifact.D95B.Issue137.EDI": "UNH stands outside",
    "edifact.Issue121.ElementList.edi": "UNT says '3' segments, there are 5",
    "edifact.Issue170.ElementList.edi": "UNT says '3' segments, there are 5",
    "edifact.Issue188.edi": "UNT says '1' segments, there are 3",
    "edifact.Issue203.edi": "UNT says '13' segments, there are 102",
    "edifact.ORDRSP-formatted.edi": "UNT says '17' segments, there are 30",
    "edifact.Paiement.Issue139.EDI": "UNT says '000100' segments, there are 10",
    "tradacoms.order9.edi": "'STX=ANA:1' stands outside a message",
    "tradacoms.utilitybill.edi": "'STX=ANA:1' stands outside a message",
    "tradacoms.utilitybill.escape2.edi": "'STX=ANA:1' stands outside a message",
    "x12.810.mandatory-conditions.edi": "SE says '50' segments, there are 6",
    "x12.832.edi": "SE says '17' segments, there are 12",
    "x12.850.issue135.edi": "GE says ['1', ''], GS '1'",  # it names the component separator as that of segments
    "x12.Issue101.edi": "SE says '50' segments, there are 5",
    "EDIFACT_issue174_other_dialect_term_segments.edi": "IEA ends no ISA, UNH is open",
    "x12_invalid997_min.edi": "GE says '<TOO_LONG_AND_NOT_NUMERIC>'",
}
BINARY = "x12_sample275_with_HL7_valid_BIN01.edi"  # which is read, but not written


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora: set CROSSDOCK_SHARED to the folder above")
def test_real_files_are_read_and_written_again_or_what_is_wrong_with_them_is_told() -> None:
    files = {path.name: read(path.read_bytes()) for path in sorted(CORPORA.glob("*/*"))}

    first = {name: problems[0].partition(": ")[2] for name, (_, problems) in files.items() if problems}
    assert {name: told[: len(WRONG.get(name, ""))] for name, told in first.items()} == WRONG
    for name, (messages, problems) in files.items():
        if not problems and name != BINARY:
            again, found = read(EDI.encode(messages))
            assert (name, found) == (name, [])
            assert [one["segments"] for one in again] == [one["segments"] for one in messages]
