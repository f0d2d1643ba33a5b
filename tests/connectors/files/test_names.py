"""Names of files that a poll asks for and that cannot be taken."""

from typing import Any

import pytest

from connectors.folderspec import FolderPoll
from connectors.port import Lot
from tests.connectors.files.places import Place, asked


def test_a_name_that_cannot_be_taken_is_told_once_in_the_log_and_counted_by_probe(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    # given
    for name in ("a\nb.jsonl", "c\x1b[2J.jsonl", "d" * 240 + ".jsonl", "\x07.other"):
        (place.path / name).write_text("{}\n")
    origin, polled = place.origin(poll=FolderPoll("*.jsonl", settle=0.0)), place.connector(poll=FolderPoll("*.jsonl"))
    # when
    taken = asked(origin, lambda: _twice(origin))
    probed = asked(polled, polled.probe)
    # then
    assert taken == [None, None]
    said = [one.getMessage() for one in caplog.records if one.name == "connectors.collecting"]
    assert len(said) == 3 and all(text.isprintable() for text in said)
    assert any("'a\\nb.jsonl'" in text for text in said)
    assert probed.detail == "the folder can be listed; it has 4 files, 3 of them with a name that is passed over"


async def _twice(origin: Any) -> list[Lot | None]:
    return [await origin.take(""), await origin.take("")]
