"""Reads the fenced blocks of a document; used by the tests of the documents."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"# ([\w./-]+\.yaml)\n")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, the word after it, and its text."""

    language: str
    word: str
    text: str

    @property
    def file(self) -> str:
        """The file the block is to be written to, if it names one."""
        if self.word.startswith("file="):
            return self.word.removeprefix("file=")
        named = _NAMED.match(self.text) if self.language == "yaml" else None
        return named[1] if named else ""


def blocks(document: Path) -> list[Block]:
    """Return the blocks of a document in order."""
    return [Block(*found.groups()) for found in _FENCE.finditer(document.read_text())]


def write_files(document: Path, folder: Path) -> list[str]:
    """Write every block that names a file, and return the names."""
    named = [block for block in blocks(document) if block.file]
    for block in named:
        path = folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
    return [block.file for block in named]


def commands(document: Path) -> Iterator[list[str]]:
    """Yield the arguments of every Crossdock command in the shell blocks, with variables and substitutions cut off."""
    for block in blocks(document):
        if block.language == "sh":
            for found in re.finditer(r"-m crossdock ([^\n)|>&]*)", block.text):
                yield found[1].split()
