"""Bodies are inflated within bounds: every coding that is promised, and nothing that a bomb could use."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel.problems import Refused
from gateway.encodings import MEMBERS, WINDOW, Inflater, coding, inflate

LIMIT = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return made.compress(data) + made.flush()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "raw": raw_deflate,
    "zstd": zstd,
}
NAMES = {"gzip": "gzip", "zlib": "deflate", "raw": "deflate", "zstd": "zstd"}
each = pytest.mark.parametrize("kind", CODINGS)


def code_of(body: bytes, encoding: str, limit: int = LIMIT) -> str:
    with pytest.raises(Refused) as caught:
        inflate(body, encoding, limit)
    return caught.value.problems[0].code


@each
@given(data=st.binary(max_size=3000), piece=st.integers(1, 500))
def test_what_was_compressed_comes_back_whole_and_in_pieces(kind: str, data: bytes, piece: int) -> None:
    body, inflater = CODINGS[kind](data), Inflater(NAMES[kind], len(data))
    assert inflate(body, NAMES[kind], len(data)) == data
    pieces = [chunk for at in range(0, len(body), piece) for chunk in inflater.feed(body[at : at + piece])]
    inflater.close()
    assert b"".join(pieces) == data


@each
def test_the_limit_is_exact(kind: str) -> None:
    data = bytes(LIMIT)
    assert inflate(CODINGS[kind](data), NAMES[kind], LIMIT) == data
    assert code_of(CODINGS[kind](data + b"\0"), NAMES[kind]) == "body_too_large"


@each
def test_a_bomb_costs_no_more_than_its_limit_and_a_chunk(kind: str) -> None:
    body = CODINGS[kind](bytes(256 << 20))
    tracemalloc.start()
    assert code_of(body, NAMES[kind]) == "body_too_large"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * LIMIT + (4 << 20)


@each
def test_a_bomb_comes_out_in_small_chunks(kind: str) -> None:
    inflater = Inflater(NAMES[kind], 1 << 40)
    assert max(map(len, inflater.feed(CODINGS[kind](bytes(64 << 20))))) <= 2 << 20


@each
def test_a_body_that_is_cut_off_empty_or_goes_on_is_refused(kind: str) -> None:
    body = CODINGS[kind](b"some data")
    for broken in (body[:-1], b"", body[:1], body + b"garbage, more than a header"):
        assert code_of(broken, NAMES[kind]) == "bad_encoding"


@each
@given(data=st.binary(max_size=300))
def test_garbage_is_data_or_a_refusal(kind: str, data: bytes) -> None:
    try:
        inflate(data, NAMES[kind], 1000)
    except Refused as error:
        assert error.problems[0].code in {"bad_encoding", "body_too_large"}


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_members_are_put_together_but_not_without_end(kind: str) -> None:
    one, empty = CODINGS[kind](b"one"), CODINGS[kind](b"")
    assert inflate(one + empty + one, NAMES[kind], 6) == b"oneone"
    assert code_of(one + one, NAMES[kind], 5) == "body_too_large"
    assert inflate(empty * MEMBERS, NAMES[kind], 0) == b""
    assert code_of(empty * (MEMBERS + 1), NAMES[kind]) == "bad_encoding"


def test_a_zstd_window_beyond_the_standard_is_refused() -> None:
    def windowed(log: int) -> bytes:
        made = zstandard.ZstdCompressor(
            compression_params=zstandard.ZstdCompressionParameters.from_level(3, window_log=log)
        ).compressobj()
        return made.compress(b"data") + made.flush()

    assert inflate(windowed(WINDOW.bit_length() - 1), "zstd", LIMIT) == b"data"
    assert code_of(windowed(WINDOW.bit_length()), "zstd") == "bad_encoding"


def test_names_are_known_by_the_standard() -> None:
    names = ("", " identity ", "GZip", "x-gzip", "deflate", "zstd")
    assert [coding(name) for name in names] == ["", "", "gzip", "gzip", "deflate", "zstd"]
    assert inflate(b"as it is", "", 0) == b"as it is"


@pytest.mark.parametrize("header", ["br", "gzip, gzip", "gzip,", "compress", "x" * 10_000, "gzip\0"])
def test_other_and_several_codings_are_refused(header: str) -> None:
    with pytest.raises(Refused) as caught:
        coding(header)
    (problem,) = caught.value.problems
    assert problem.code == "unsupported_encoding" and len(problem.message) < 200
