"""What tests of the operations side work with: a place of content that takes all or refuses, and what sends again."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alerts.engine import Engine
from alerts.notice import Notice
from alerts.ports import Figures
from alerts.spec import Channel, Condition
from console.content import Word
from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.memorysends import MemorySends
from crossdock.adapters.sql import SqlJournal
from crossdock.bundle import Bundle, decode
from crossdock.kernel.problems import Problem, Refused
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.replayer import Replayer
from crossdock.plan.case import Wish, case_of
from crossdock.plan.examine import differences, examine
from crossdock.project import Project, load
from dlq.plans import Plans
from dlq.ports import Letters
from dlq.record import DeadLetter
from tests import smallproject


@dataclass(frozen=True)
class Put:
    """A change that went live."""

    revision: str

    def as_dict(self) -> Mapping[str, Any]:
        return {"revision": self.revision, "changed": True, "waiting": []}


async def nothing_tried(
    archive: bytes, letters: Sequence[DeadLetter], edited: Sequence[DeadLetter]
) -> Mapping[str, Any]:
    """Be the dry run: everything passes, but content that is no content; by that which is `bad` all fails."""
    if archive == b"broken":
        raise Refused([Problem("bad_bundle", "not the files of a project")])
    fails = [{"why": f"rule {n}", "count": 1} for n, _ in enumerate(edited)] if archive == b"bad" else []
    return {"passes": len(edited) - len(fails), "fails": fails, "revision": "new" if archive else "abc"}


class Examined:
    """See `console.desk.Examiner`: the content from its folder, loaded in the thread that uses it."""

    def __init__(self, project: Callable[[], Project]) -> None:
        self._project = project

    async def since(self, letter: DeadLetter) -> Mapping[str, Any]:
        told = {"revision": letter.revision, "now": self._project().revision, "kept": True, "changed": [], "at": []}
        return {**told, "then": await asyncio.to_thread(lambda: examine(self._own(), {}, letter))}

    async def edited(self, letter: DeadLetter, made: DeadLetter) -> Mapping[str, Any]:
        found = await asyncio.to_thread(lambda: examine(self._own(), {}, made))
        return {**found, "changes": differences(letter, made)}

    async def case(self, letter: DeadLetter, wish: Mapping[str, Any]) -> Mapping[str, Any]:
        return await asyncio.to_thread(lambda: case_of(self._own(), letter, Wish(**wish)))

    def _own(self) -> Project:
        return load(self._project().root, smallproject.ENV)


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


class Quiet:
    """Be all figures, none of which are known, and all channels, which take everything."""

    async def figures(self, when: Condition) -> Figures:
        return {}

    async def send(self, channel: Channel, notice: Notice) -> str:
        return "written"

    async def close(self) -> None:
        """Hold nothing."""


def alarm(project: Callable[[], Project]) -> Engine:
    """Return alerts of which none fires by itself."""
    return Engine(lambda: project().alerts, Quiet(), MemoryRecords(), Quiet(), "http://ops")


class Untold(MemorySends):
    """Be streams of which the journal need not be told."""

    async def recorded(self) -> int:
        return 0


def replayer(journal: SqlJournal, letters: Letters, streams: MemoryLog, project: Callable[[], Project]) -> Replayer:
    """Send again what a journal knows; it is told of what is sent by the test alone, so nobody waits for that."""

    sends = Untold(streams)
    return Replayer(
        Plans(MemoryRecords()), letters, Acts(journal.known, journal.position, sends), streams, sends, project
    )
