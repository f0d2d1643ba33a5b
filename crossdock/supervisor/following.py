"""How a process comes to the content in force, at its start and when that changes. Called by the roles."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossdock.adapters.contents import NatsContents
from crossdock.bundle import Bundle, pack
from crossdock.inforce import Content, InForce
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Problem, Refused, Unavailable
from crossdock.pipeline.recorder import now_ms
from crossdock.project import Project

log = logging.getLogger(__name__)

OPS = "ops"
Read = Callable[[Bundle], Project]  # with the environment of this process
Swap = Callable[[Content], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Found:
    """What was in the folder when a process started: often what is in force, and then loaded already."""

    bundle: Bundle | None
    project: Project | None


def look(root: Path, read: Read) -> Found:
    """Read the folder of the project; it may be in the middle of a change, and need not be right."""
    bundle = None
    try:
        bundle = pack(root)
        return Found(bundle, read(bundle))
    except (Refused, OSError) as error:
        log.info("the content in the folder is not used: %s", error)
        return Found(bundle, None)


async def begin(contents: NatsContents, found: Found, read: Read, name: str) -> Content:
    """Return the content in force; at the very first start that of the folder, which is put in force by that.

    What is in force may not load any more, as with another version of Crossdock: then the operations side puts that of
    the folder in its place, and the others wait for it.

    Raises:
        Unavailable: the broker does not answer, or what is in force cannot be loaded here.
    """
    force = await contents.force()
    try:
        if force is None:
            force = await _first(contents, found)
        return await load(contents, force, read, found)
    except Refused as error:
        log.error("the content in force cannot be loaded here: %s", error)
        if force is not None and name == OPS and found.bundle is not None and found.project is not None:
            await contents.store(found.bundle)
            await contents.put_in_force(InForce(found.bundle.revision, now_ms(), number=force.number))
        raise Unavailable("the content in force cannot be loaded here") from None


async def _first(contents: NatsContents, found: Found) -> InForce:
    if found.bundle is None or found.project is None:
        raise Refused([Problem("no_content", "nothing is in force, and the folder cannot be", "run `crossdock check`")])
    await contents.store(found.bundle)
    wanted = InForce(found.bundle.revision, now_ms())
    made = await contents.put_in_force(wanted) or await contents.force()  # another process may have been faster
    return made or wanted


async def load(contents: NatsContents, force: InForce, read: Read, found: Found | None = None) -> Content:
    """Return the content of a record, and of the revisions that had the routes that are leaving.

    Raises:
        Unavailable: the broker does not answer.
        Refused: it cannot be loaded here.
    """
    if found and found.project and found.project.revision == force.revision:
        project = found.project
    else:
        project = await _load(contents, force.revision, read)
    before = {}
    for revision in {one.revision for one in force.leaving.values()}:
        try:
            before[revision] = await _load(contents, revision, read)
        except Refused as error:  # what is left of its routes stays with the broker
            log.error("revision %s, of which routes are leaving, cannot be loaded here: %s", revision, error)
    return Content(force, project, before)


async def _load(contents: NatsContents, revision: str, read: Read) -> Project:
    bundle = await contents.bundle(revision)
    if bundle is None:
        raise Refused([Problem("no_content", f"the files of revision {revision} are gone", "apply the content again")])
    return await asyncio.to_thread(read, bundle)


class Following:
    """Keeps one process at the content in force; it goes over to another when those in `after` have."""

    def __init__(self, name: str, contents: NatsContents, content: Content, read: Read, metrics: Metrics) -> None:
        self.content = content
        self._name = name
        self._contents = contents
        self._read = read
        self._metrics = metrics
        self._next: Content | None = None
        self._refused: tuple[int, tuple[Problem, ...]] = 0, ()
        metrics.runs(content.project.revision)

    def state(self) -> dict[str, Any]:
        """Return the revision that the process works by, and why it cannot work by the one in force if so."""
        told = {"revision": self.content.project.revision, "number": self.content.force.number}
        return told | {"problems": [problem.as_dict() for problem in self._refused[1]]}

    async def run(self, swap: Swap, after: Sequence[str] = ()) -> None:
        """Follow until cancelled."""
        await self._say(self.content)
        async for _ in self._contents.changes():
            try:
                await self._look(swap, after)
            except Unavailable as error:
                log.warning("content: %s", error)
            except Exception:
                log.exception("the change of content broke off and is made again")

    async def _look(self, swap: Swap, after: Sequence[str]) -> None:
        force = await self._contents.force()
        if force is None or force.number in (self.content.force.number, self._refused[0]):
            return
        for name in after:  # first of all: processes that load at once take each other's cores
            if await self._contents.runs(name) != force.number:
                return
        if self._next is None or self._next.force.number != force.number:
            try:
                self._next = await load(self._contents, force, self._read)
            except Refused as error:
                self._refused = force.number, error.problems
                log.error(
                    "revision %s cannot be loaded here, %s goes on: %s",
                    force.revision,
                    self.content.project.revision,
                    error,
                )
                return
        await swap(self._next)
        self.content, self._next, self._refused = self._next, None, (0, ())
        self._metrics.runs(force.revision)
        log.info("works by revision %s", force.revision)
        await self._say(self.content)

    async def _say(self, content: Content) -> None:
        while True:
            try:
                return await self._contents.say_runs(self._name, content.force.number)
            except Unavailable as error:
                log.warning("content: %s", error)
                await asyncio.sleep(1)
