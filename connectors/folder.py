"""What the kinds of connectors that put files into a folder, or take them from one, need of where it is."""

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from connectors.port import Fault

TEMPORARY, UNFINISHED = (
    ".crossdock-",
    ".part",
)  # how a file is named while it is written; no pattern takes names with a dot first
CLAIMED = ".crossdock-claimed"
BLOCK = 1 << 18  # bytes


class Entry(NamedTuple):
    """One plain file: its name, its size in bytes, and when it changed last, in Unix seconds."""

    name: str
    size: int
    modified: float


class Exists(Fault):
    """Something has this name already."""

    def __init__(self, name: str) -> None:
        super().__init__("permanent", f"{name} is there already")


class Gone(Fault):
    """Nothing has this name any more."""

    def __init__(self, name: str) -> None:
        super().__init__("retry", f"{name} is not there")


class Folder(Protocol):
    """One folder; every method raises `Fault`. A path is a name, or a folder within it and a name."""

    async def files(self, inside: str = "") -> list[Entry]:
        """Return the plain files of the folder or of one within it, which need not be there; links are none."""

    async def look(self, path: str) -> Entry | None:
        """Return a plain file, None if there is none."""

    def read(self, path: str) -> AsyncIterator[bytes]:
        """Yield a file in blocks."""

    async def write(self, path: str, content: bytes) -> None:
        """Write a new file that is stored when this returns; raises `Exists`."""

    async def publish(self, path: str, name: str) -> None:
        """Give a written file the name that others look for; raises `Exists`, never overwrites."""

    async def rename(self, path: str, to: str) -> None:
        """Move a file to a path that nobody else uses; raises `Gone`."""

    async def remove(self, path: str) -> None:
        """Remove a file, if it is there."""

    async def make(self, inside: str) -> None:
        """Make a folder within, if it is not there."""

    async def close(self) -> None:
        """Let go of connections."""


async def mended(folder: Folder, errors: str, name: str) -> None:
    """Take away the reason why a file was put aside that somebody has put back since."""
    aside = {entry.name for entry in await folder.files(errors)}
    if f"{name}.reason" in aside and name not in aside:
        await folder.remove(f"{errors}/{name}.reason")
