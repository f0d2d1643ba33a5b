"""Takes the pictures of the documents from an operator's day: `make picture`, `python -m simulators.picture [DIR]`."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from simulators.installation import ROOT
from simulators.operatorsday import at_work, live
from simulators.shopfloor import opened

FOLDER = ROOT / "docs" / "pictures"
FIRST = "console.png"  # what the README shows, beside the folder: the overview
POSTS = 60  # of each device: enough to show rates and charts


async def take(folder: Path) -> None:
    """Live through the day and write a picture of each of its parts."""
    with tempfile.TemporaryDirectory() as place:
        async with opened(Path(place), POSTS) as floor, at_work(floor, folder) as one:
            await live(one)
    (folder / "overview.png").replace(folder.parent / FIRST)


def main(words: Sequence[str] | None = None) -> int:
    """Parse the command line and take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m simulators.picture", description=main.__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args(words).folder
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
