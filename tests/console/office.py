"""What tests of the operations side work with: a place of content that takes all or refuses, and what sends again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.content import Word
from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.memorysends import MemorySends
from crossdock.adapters.sql import SqlJournal
from crossdock.bundle import Bundle, decode
from crossdock.kernel.problems import Problem, Refused
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.replayer import Replayer
from dlq.plans import Plans
from dlq.ports import Letters
from dlq.record import DeadLetter


@dataclass(frozen=True)
class Put:
    """A change that went live."""

    revision: str

    def as_dict(self) -> Mapping[str, Any]:
        return {"revision": self.revision, "changed": True, "waiting": []}


async def nothing_tried(archive: bytes, letters: Sequence[DeadLetter]) -> Mapping[str, Any]:
    """Be the dry run: everything passes, but content that is no content."""
    if archive == b"broken":
        raise Refused([Problem("bad_bundle", "not the files of a project")])
    return {"passes": len(letters), "fails": [], "revision": "new" if archive else "abc"}


@dataclass
class OpenOffice:
    """See `console.content.Office`."""

    problems: Sequence[Problem] = ()
    words: list[Word | None] = field(default_factory=list)
    revision: str = "abc"

    async def apply(self, archive: bytes, word: Word | None) -> Put:
        self.words.append(word)
        if self.problems:
            raise Refused(self.problems)
        self.revision = decode(archive).revision
        return Put(self.revision)

    async def files(self) -> bytes:
        return Bundle({}).encode()

    async def state(self) -> Mapping[str, Any]:
        problems = [problem.as_dict() for problem in self.problems]
        rejected = {"at": 1_790_000_000_000, "problems": problems} if problems else None
        return {"revision": self.revision, "processes": {}, "leaving": {}, "rejected": rejected}


def replayer(journal: SqlJournal, letters: Letters, streams: MemoryLog) -> Replayer:
    """Send again what a journal knows; it is told of what is sent by the test alone, so nobody waits for that."""

    async def recorded() -> int:
        return 0

    acts = Acts(journal.known, journal.position, recorded)
    return Replayer(Plans(MemoryRecords()), letters, acts, streams, MemorySends(streams))
