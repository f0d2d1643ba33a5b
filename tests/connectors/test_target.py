"""URLs and request heads of the delivery client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.target import SendFailed, Target, parse_target, start_line, write_head
from crossdock.kernel.problems import Refused

START = start_line("POST", Target("http", "h", 80))


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("http://erp.example", Target("http", "erp.example", 80, "/"), "erp.example"),
        ("https://erp.example/a/b?c=d", Target("https", "erp.example", 443, "/a/b?c=d"), "erp.example"),
        ("HTTP://ERP.example:8080/A", Target("http", "erp.example", 8080, "/A"), "erp.example:8080"),
        ("https://[2001:db8::1]:444/?q", Target("https", "2001:db8::1", 444, "/?q"), "[2001:db8::1]:444"),
    ],
)
def test_a_url_is_parsed_once_into_its_parts(url: str, target: Target, authority: str) -> None:
    parsed = parse_target(url)

    assert parsed == target
    assert parsed.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "", "erp.example", "//erp.example/", "file:///etc/passwd", "ftp://erp.example/", "gopher://x/", "http://",
        "http:///x", "http://user@erp.example/", "http://s3cret:s3cret@erp.example/", "http://erp.example/#s3cret",
        "http://erp.example/s3cret\r\nx: y", "http://erp.example/a b", "http://erp.example:99999/s3cret",
        "http://erp.example:x/", "http://[::1/", "http://bücher.example/", "http://erp.example\\@other/\x7f",
    ],
)  # fmt: skip
def test_a_url_that_could_mean_two_things_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_target(url)

    assert [problem.code for problem in refused.value.problems] == ["bad_url"]
    assert "s3cret" not in str(refused.value)


def test_the_head_is_written_in_one_piece() -> None:
    head = write_head(start_line("POST", Target("http", "erp.example", 8080, "/x?y")), {"ce-id": "1", "a": ""}, 12)

    assert head == (b"POST /x?y HTTP/1.1\r\nhost: erp.example:8080\r\nce-id: 1\r\na: \r\ncontent-length: 12\r\n\r\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a", "1\r\nx: 2"), ("a", "1\n"), ("a", "\0"), ("a", "é"), ("a", "\x0b"), ("a", "\x7f"),
        ("a\r\nx", "1"), ("a: b", "1"), ("", "1"), ("a b", "1"), ("a\n", "1"), ("é", "1"),
        ("Host", "x"), ("content-length", "1"), ("Transfer-Encoding", "chunked"), ("Connection", "close"),
    ],
)  # fmt: skip
def test_a_header_that_could_change_the_framing_is_refused(name: str, value: str) -> None:
    with pytest.raises(SendFailed) as failed:
        write_head(START, {"ok": "1", name: value}, 0)

    assert (failed.value.code, failed.value.sent) == ("bad_header", False)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=8), max_size=4))
def test_a_head_has_one_line_for_each_header_or_is_refused(headers: dict[str, str]) -> None:
    try:
        head = write_head(START, headers, 0)
    except SendFailed:
        return

    assert head.count(b"\n") == head.count(b"\r") == len(headers) + 4
    assert head.endswith(b"\r\n\r\n")
    assert head.find(b"\r\n\r\n") == len(head) - 4
