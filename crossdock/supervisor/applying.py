"""Puts content in force: checks all of it, finds where new routes begin and what removed ones leave, waits for all."""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from crossdock import bundle as bundles
from crossdock.adapters.contents import NatsContents
from crossdock.bundle import Bundle
from crossdock.inforce import InForce, Leaving, Word
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Problem, Refused, refuse
from crossdock.pipeline.recorder import now_ms
from crossdock.project import Project
from crossdock.supervisor import following
from routes.spec import BEGINNING, NOW, Route

log = logging.getLogger(__name__)

TOOK_OVER_WITHIN = 20.0  # seconds to wait for all processes; they go over later if one of them is away
LOOK_EVERY = 0.05
ALWAYS = (following.OPS, "worker-0")  # there is no installation without, though their first report may not be heard yet


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a change: the revision in force now, and who does not work by it yet."""

    revision: str
    changed: bool
    waiting: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `apply --json`."""
        return {"revision": self.revision, "changed": self.changed, "waiting": list(self.waiting)}


class Applying:
    """The one place of an installation where content is put in force; `reports` are those of all processes."""

    def __init__(
        self,
        contents: NatsContents,
        env: Mapping[str, str],
        metrics: Metrics,
        reports: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._contents = contents
        self._env = env
        self._metrics = metrics
        self._reports = reports
        self._turn = asyncio.Lock()

    async def apply(self, archive: bytes, word: Word | None) -> Applied:
        """Put the files of a project in force, and wait until every process works by them.

        Raises:
            Refused: with everything that is wrong; what was in force goes on.
            Unavailable: the broker does not answer.
        """
        async with self._turn:
            try:
                bundle = await asyncio.to_thread(bundles.decode, archive)
                project = await asyncio.to_thread(self._checked, bundle)
                force = await self._put(bundle, project, word)
            except Refused as error:
                await self._reject(archive, error)
                raise
        return await self._taken_over(force, changed=True) if force else Applied(bundle.revision, changed=False)

    async def files(self) -> bytes:
        """Return the files in force as `apply` takes them.

        Raises:
            Unavailable: the broker does not answer.
        """
        force = await self._contents.force()
        bundle = await self._contents.bundle(force.revision) if force else None
        return bundle.encode() if bundle else b""

    async def state(self) -> dict[str, Any]:
        """Return what is in force, who works by what, which routes are leaving, and what was rejected last.

        Raises:
            Unavailable: the broker does not answer.
        """
        force = await self._contents.force()
        return {
            "revision": force.revision if force else "",
            "at": force.at if force else 0,
            "processes": self._reports(),
            "leaving": {name: one.word for name, one in force.leaving.items()} if force else {},
            "rejected": await self._contents.rejected(),
        }

    async def _put(self, bundle: Bundle, project: Project, word: Word | None) -> InForce | None:
        """Replace what is in force; None when it is this already."""
        while True:
            force = await self._contents.force()
            assert force is not None  # this process runs by it
            if force.revision == bundle.revision:
                await self._contents.reject(None)
                return None
            before = await following.load(self._contents, force, partial(Bundle.load, env=self._env))
            wanted = InForce(
                bundle.revision,
                now_ms(),
                await self._starts(before.project, project, force),
                await self._leaving(before.project, project, force, word),
                force.number,
            )
            await self._contents.store(bundle)
            made = await self._contents.put_in_force(wanted)
            if made is not None:
                await self._contents.reject(None)
                await self._contents.forget(
                    {made.revision, force.revision, *(one.revision for one in made.leaving.values())}
                )
                return made

    def _checked(self, bundle: Bundle) -> Project:
        if not bundle.files:
            raise refuse("no_content", "there is no file in it, which would end every source and route", _EMPTY_HINT)
        from crossdock.checking import check  # noqa: PLC0415  what a check needs beyond a start, most never ask for

        try:
            with tempfile.TemporaryDirectory(prefix="crossdock-") as folder:
                bundle.lay_out(Path(folder))
                found = check(Path(folder), self._env)
        except Refused:
            raise
        except Exception as error:  # whatever the files have in them, the person who applies them hears of it
            log.exception("the check of revision %s broke off", bundle.revision)
            raise refuse("check_failed", f"the check broke off: {type(error).__name__}: {error}", _BROKE_HINT) from None
        if found.obstacles:
            raise Refused(found.obstacles)
        return found.project

    async def _starts(self, before: Project, project: Project, force: InForce) -> dict[str, int]:
        """Return where routes begin: those that stay as they did, new ones where they say."""
        kept = {name: seq for name, seq in force.starts.items() if name in project.routes}
        new = [route for name, route in project.routes.items() if name not in before.routes]
        return kept | {route.name: await self._start(route) for route in new}

    async def _start(self, route: Route) -> int:
        if route.start == BEGINNING:
            return 1
        if route.start == NOW:
            return await self._contents.newest() + 1
        return await self._contents.since(datetime.fromisoformat(route.start))

    async def _leaving(
        self, before: Project, project: Project, force: InForce, word: Word | None
    ) -> dict[str, Leaving]:
        """Return what is left of routes that are gone now or went before.

        Raises:
            Refused: `route_has_work` or `route_is_leaving`.
        """
        newest = await self._contents.newest()
        still = await self._still_leaving(force)
        problems = [
            Problem("route_is_leaving", f"what is left of the route {name} that was removed is not done", _WAIT_HINT)
            for name in sorted(still.keys() & project.routes.keys())
        ]
        for name in sorted(before.routes.keys() - project.routes.keys()):
            waiting = await self._contents.waiting(name)
            if waiting and word is None:
                spot = before.routes[name].spot
                problems.append(
                    spot.problem((), "route_has_work", f"{waiting} events wait for the route {name}", _WORK_HINT)
                )
            still[name] = Leaving(force.revision, word or "drain", newest)
        if problems:
            raise Refused(problems)
        return still

    async def _still_leaving(self, force: InForce) -> dict[str, Leaving]:
        """Return those with something left, and those of which a worker may not know yet that they go.

        What a worker carries stands in the broker: its report and the record it runs are not heard while it restarts.
        """
        carried = await self._contents.carried() if force.leaving else frozenset[str]()
        leaving = force.leaving.items()
        return {name: one for name, one in leaving if name in carried or await self._contents.waiting(name)}

    def _processes(self) -> set[str]:
        return {*self._reports(), *ALWAYS}

    async def _reject(self, archive: bytes, error: Refused) -> None:
        self._metrics.content_rejected.inc()
        problems = [problem.as_dict() for problem in error.problems[:100]]
        await self._contents.reject({"at": now_ms(), "problems": problems})

    async def _taken_over(self, force: InForce, *, changed: bool) -> Applied:
        """Wait a while until all processes that were heard lately work by it."""
        until = asyncio.get_running_loop().time() + TOOK_OVER_WITHIN
        while True:
            behind = [name for name in self._processes() if await self._contents.runs(name) < force.number]
            if not behind or asyncio.get_running_loop().time() > until:
                return Applied(force.revision, changed, tuple(sorted(behind)))
            await asyncio.sleep(LOOK_EVERY)


_WAIT_HINT = "apply again when it is, or give the new route another name"
_WORK_HINT = "say --removed drain to deliver them before it ends, or --removed discard to give them up"
_EMPTY_HINT = "apply the folder of a project"
_BROKE_HINT = "run `crossdock check` on these files, and see the log of the operations side"
