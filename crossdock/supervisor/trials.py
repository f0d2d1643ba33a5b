"""The thread in which events are tried with content, and the projects that are used there and nowhere else."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from crossdock import bundle as bundles
from crossdock.adapters.contents import NatsContents
from crossdock.bundle import Bundle
from crossdock.kernel.problems import Unavailable
from crossdock.project import Project

_T = TypeVar("_T")

KEPT = 2  # projects that are ready: that in force and one to compare it with


class Trials:
    """One thread, as compiled expressions belong to the thread that made them; what is tried there waits its turn."""

    def __init__(self, contents: NatsContents, env: Mapping[str, str]) -> None:
        self._contents = contents
        self._env = env
        self._thread = ThreadPoolExecutor(1, "trials")
        self._ready: OrderedDict[str, tuple[Project, Bundle]] = OrderedDict()

    async def run(self, act: Callable[[], _T]) -> _T:
        """Do something with the projects of this thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    async def kept(self, revision: str) -> tuple[Project, Bundle] | None:
        """Return the content of a revision, None when it is not kept any more.

        Raises:
            Refused: this version of Crossdock cannot load it.
            Unavailable: the broker does not answer.
        """
        if revision in self._ready:
            self._ready.move_to_end(revision)
            return self._ready[revision]
        found = await self._contents.bundle(revision) if revision else None
        if found is None:
            return None
        self._ready[revision] = await self.run(lambda: found.load(self._env)), found
        while len(self._ready) > KEPT:
            self._ready.popitem(last=False)
        return self._ready[revision]

    async def in_force(self, revision: str) -> tuple[Project, Bundle]:
        """Return the content in force.

        Raises:
            Unavailable: the broker does not answer, or has it no more.
        """
        found = await self.kept(revision)
        if found is None:
            raise Unavailable(f"the files of revision {revision} are gone from the broker; apply them again")
        return found

    async def given(self, archive: bytes) -> Project:
        """Return the content of an archive that somebody sent.

        Raises:
            Refused: it could not go in force.
        """
        return await self.run(lambda: bundles.decode(archive).load(self._env))
