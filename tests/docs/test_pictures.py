"""The pictures of the documents: those that `make picture` takes, no others, and small."""

import re
import struct
from pathlib import Path

from simulators import operatorsday, picture
from tests.docs.blocks import DOCUMENTS, ROOT

MOST_BYTES, MOST_WIDE = 200_000, 1200


def pictures() -> set[Path]:
    return {*(ROOT / "docs").rglob("*.png")}


def taken() -> set[str]:
    """Return the names that the operator's day takes pictures under."""
    return set(re.findall(r'_picture\("([\w-]+)"\)', Path(operatorsday.__file__).read_text()))


def test_every_picture_that_a_document_shows_exists_and_every_picture_is_shown() -> None:
    shown = {
        (document.parent / target).resolve()
        for document in DOCUMENTS
        for target in re.findall(r"!\[[^\]]*\]\(([^)]+\.png)\)", document.read_text())
    }
    assert shown == pictures()


def test_the_command_takes_exactly_these_pictures() -> None:
    others = {picture.FOLDER / f"{name}.png" for name in taken() - {"overview"}}
    assert {picture.FOLDER.parent / picture.FIRST, *others} == pictures()


def test_pictures_are_small() -> None:
    for path in pictures():
        (width,) = struct.unpack(">I", path.read_bytes()[16:20])
        assert (path.stat().st_size <= MOST_BYTES, width <= MOST_WIDE) == (True, True), path
