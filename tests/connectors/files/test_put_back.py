"""What stands in the way of files in: put back once mended, or a folder that is gone."""

import asyncio
from pathlib import Path

import pytest

from connectors.file import LocalFolder
from connectors.folder import CLAIMED
from connectors.port import Fault
from crossdock.formats.kinds import make_format
from tests.connectors.files.places import Place
from tests.connectors.files.test_in import POLL, collected


def test_a_file_that_was_mended_and_put_back_leaves_no_reason_behind(place: Place) -> None:
    bad = place.path / "a.csv"
    bad.write_text("sku,quantity\n007\n")
    collected(place.origin(poll=POLL, format=make_format("csv")))
    # when
    (place.path / "errors" / "a.csv").rename(bad)
    bad.write_text("sku,quantity\n007,1\n")
    collected(place.origin(poll=POLL, format=make_format("csv")))
    # then
    assert place.names("errors") == []


def test_a_folder_that_is_not_there_is_named_itself_and_nothing_within(tmp_path: Path) -> None:
    async def scenario() -> None:
        with pytest.raises(Fault, match=f"^{tmp_path}/gone: no such folder$"):
            await LocalFolder(f"{tmp_path}/gone").files(CLAIMED)

    asyncio.run(scenario())
