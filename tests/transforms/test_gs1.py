"""GS1 keys and element strings, against the published examples of GS1."""

import pytest

from transforms.failures import Gs1Error, NotTextError
from transforms.gs1 import gln, gs1, gs1_check_digit, gtin, gtin_ok, sscc

GROUP = "\x1d"


@pytest.mark.parametrize(
    ("digits", "check"),
    [
        ("629104150021", "3"),  # the worked example of GS1's check digit calculator
        ("37610425002123456", "9"),  # the SSCC in section 7.9.1 of the General Specifications
        ("10614141234567890", "8"),
        ("0950600013435", "2"),
        ("950600011170", "4"),
        ("1234567", "0"),
        ("61414100003", "6"),
    ],
)
def test_a_check_digit_is_that_of_the_published_examples(digits: str, check: str) -> None:
    assert gs1_check_digit(digits) == check


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("12345670", "00000012345670"),
        ("614141000036", "00614141000036"),
        ("6291041500213", "06291041500213"),
        ("09506000134352", "09506000134352"),
        (614141000036, "00614141000036"),
        (12345670, "00000012345670"),
    ],
)
def test_a_gtin_of_each_length_becomes_14_digits(given: object, normal: str) -> None:
    assert gtin(given) == normal
    assert gtin_ok(given)


@pytest.mark.parametrize(
    "given", ["", "12345671", "6291041500210", "629104150021", "123456789", "6291041500213 ", "٦" * 13, -1]
)
def test_what_is_no_gtin_is_refused(given: object) -> None:
    with pytest.raises(Gs1Error):
        gtin(given)
    assert not gtin_ok(given)


@pytest.mark.parametrize("given", [None, True, 1.5, [], {}])
def test_what_is_no_text_is_refused(given: object) -> None:
    with pytest.raises(NotTextError):
        gtin(given)
    assert not gtin_ok(given)


def test_a_gln_and_an_sscc_need_their_length_and_check_digit() -> None:
    assert (gln("9506000111704"), sscc("376104250021234569")) == ("9506000111704", "376104250021234569")
    for wrong in ("9506000111703", "950600011170"):
        with pytest.raises(Gs1Error, match="GLN"):
            gln(wrong)
    with pytest.raises(Gs1Error, match="its check digit is 8, not 9"):
        sscc("376104250021234568")


@pytest.mark.parametrize(
    "scanned",
    [
        "(01)09506000134352(17)271231(10)AB-12",
        f"]d20109506000134352172712311{'0AB-12'}",
        f"0109506000134352{GROUP}17271231{GROUP}10AB-12{GROUP}",
        "]Q3010950600013435210AB-12" + GROUP + "17271231",
        "https://id.gs1.org/01/09506000134352/10/AB-12?17=271231",
        "https://shop.example/some/path/01/9506000134352/10/AB-12?17=271231&utm=x",
    ],
)
def test_one_item_is_told_alike_however_it_is_scanned(scanned: str) -> None:
    assert gs1(scanned) == {"gtin": "09506000134352", "expires": "2027-12-31", "lot": "AB-12"}


@pytest.mark.parametrize(
    ("scanned", "told"),
    [
        (
            "(00)106141412345678908(02)09506000134352(37)24",
            {"sscc": "106141412345678908", "content": "09506000134352", "count": "24"},
        ),
        ("(3103)001250", {"net_weight_kg": "1.250"}),
        ("(3200)000012(3302)001500", {"net_weight_lb": "12", "gross_weight_kg": "15.00"}),
        ("(3922)12345(8003)09506000134352A1", {"price": "123.45", "grai": "09506000134352A1"}),
        ("(3932)9781234", {"price": "12.34 978"}),
        (
            "(13)260228(15)260200(16)280200",
            {"packed": "2026-02-28", "best_before": "2026-02-28", "sell_by": "2028-02-29"},
        ),
        (
            "(410)9506000111704(420)10115(421)276EC1A",
            {"ship_to": "9506000111704", "ship_to_postcode": "10115", "ship_to_country_postcode": "276EC1A"},
        ),
        ("(21)1(91)in house", None),
        ("(21)a%b", {"serial": "a%b"}),
        ("(01)09506000134353", None),
        ("(17)271301", None),
        ("(17)270230", None),
        ("(10)A(10)B", None),
        ("(10)" + "A" * 21, None),
        ("(3109)1", None),
        ("(05)1", None),
        ("(01)0950600013435", None),
        ("(10)A)x(", None),
        ("", None),
        (GROUP, None),
        ("01", None),
        ("99", None),
        ("https://id.gs1.org/", None),
        ("https://id.gs1.org/01", None),
    ],
)
def test_element_strings_are_read_or_refused(scanned: str, told: dict[str, str] | None) -> None:
    if told is None:
        with pytest.raises(Gs1Error):
            gs1(scanned)
    else:
        assert gs1(scanned) == told


def test_a_two_digit_year_is_of_the_nearest_century() -> None:
    assert gs1("(11)990101") == {"produced": "1999-01-01"}
    assert gs1("(17)600101") == {"expires": "2060-01-01"}
