"""The place where content is put in force, for tests of the operations side: takes all, or refuses as a test says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.content import Word
from crossdock.bundle import Bundle, decode
from crossdock.kernel.problems import Problem, Refused


@dataclass(frozen=True)
class Put:
    """A change that went live."""

    revision: str

    def as_dict(self) -> Mapping[str, Any]:
        return {"revision": self.revision, "changed": True, "waiting": []}


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
