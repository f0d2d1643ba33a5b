"""Durations and sizes as people write them."""

import re

import pytest

from crossdock.kernel import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("0s", 0), ("15s", 15), ("10m", 600), ("24h", 86400), ("7d", 604800), ("2w", 1209600)],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert re.match(units.DURATION, text)
    assert units.seconds(text) == seconds


@pytest.mark.parametrize(("text", "size"), [("7B", 7), ("256KiB", 262144), ("1MiB", 1048576), ("2GiB", 2**31)])
def test_a_size_is_bytes(text: str, size: int) -> None:
    assert re.match(units.SIZE, text)
    assert units.size(text) == size


@pytest.mark.parametrize("text", ["", "15", "s", "1.5s", "-1s", "15 s", "15sec", "1h30m", "15S"])
def test_other_words_are_no_duration(text: str) -> None:
    assert not re.match(units.DURATION, text)


@pytest.mark.parametrize("text", ["", "256", "KiB", "256KB", "256 KiB", "1.5MiB", "256kib"])
def test_other_words_are_no_size(text: str) -> None:
    assert not re.match(units.SIZE, text)
