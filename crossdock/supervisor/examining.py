"""Looks at one dead letter with the content in force and the one that it failed by. Called by the operations API."""

from collections.abc import Callable, Mapping
from typing import Any

from crossdock.kernel.problems import Refused
from crossdock.project import Project
from crossdock.supervisor.trials import Trials
from dlq.record import DeadLetter


class Examining:
    """See `console.desk.Examiner`; `project` gives the content in force.

    What it needs is imported when somebody asks, as most never do.
    """

    def __init__(self, trials: Trials, project: Callable[[], Project]) -> None:
        self._trials = trials
        self._project = project

    async def since(self, letter: DeadLetter) -> dict[str, Any]:
        """See `Examiner.since`."""
        from crossdock.plan.examine import changes, examine, passed, rules  # noqa: PLC0415

        project, bundle = await self._trials.in_force(self._project().revision)
        now = bundle.files
        try:
            kept = await self._trials.kept(letter.revision)
        except Refused:
            kept = None
        before, then = (kept[0], kept[1].files) if kept else (project, now)

        def look() -> dict[str, Any]:
            names = passed(before, then, letter) | passed(project, now, letter)
            found = {"changed": changes(then, now, names), "at": rules(before, then, letter)}
            return {**found, "then": examine(before, then, letter) if kept else None}

        told = {"revision": letter.revision, "now": project.revision, "kept": kept is not None}
        return {**told, **await self._trials.run(look)}

    async def edited(self, letter: DeadLetter, made: DeadLetter) -> dict[str, Any]:
        """See `Examiner.edited`."""
        from crossdock.plan.examine import differences, examine  # noqa: PLC0415

        project, bundle = await self._trials.in_force(self._project().revision)
        found = await self._trials.run(lambda: examine(project, bundle.files, made))
        return {**found, "changes": differences(letter, made)}

    async def case(self, letter: DeadLetter, wish: Mapping[str, Any]) -> dict[str, Any]:
        """See `Examiner.case`."""
        from crossdock.plan.case import Wish, case_of  # noqa: PLC0415

        project, _ = await self._trials.in_force(self._project().revision)
        return await self._trials.run(lambda: case_of(project, letter, Wish(**wish)))
