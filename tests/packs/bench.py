"""A project with one pack, in front of the simulator of its system: content in memory, the connector over real HTTP."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

from connectors.kinds import open_connector
from connectors.port import Outside, Result
from crossdock.cli.adding import Addition
from crossdock.cli.pack import packs
from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.pipeline.delivery import idempotency_key
from crossdock.project import Project, load
from crossdock.trial.rehearsal import Rehearsal
from simulators.systems.serving import Answer, Simulator, System, running


class Delivered(NamedTuple):
    """What came of one event on one route."""

    route: str
    event: str
    result: Result


class Bench:
    """A project and the simulator that its connectors reach."""

    def __init__(self, project: Project, simulator: Simulator) -> None:
        self.project = project
        self.simulator = simulator
        self._rehearsal = Rehearsal(project)

    async def deliver(self, event: Event) -> list[Delivered]:
        """Deliver a canonical event on every route that takes it, once."""
        made = []
        for route in self.project.matching(event, ""):
            asked = self.project.as_asked(route, event)
            if route.when is not None and route.when.evaluate(view(asked)) is not True:
                continue
            form = self.project.form_of(route)
            connector = open_connector(self.project.connectors[route.connector], cast("Outside", None))
            try:
                result = await connector.deliver(form(asked, "") if form else asked, idempotency_key(route.name, event))
            finally:
                await connector.close()
            made.append(Delivered(route.name, event.id, result))
        return made

    def instead(self, *answers: Answer) -> None:
        """Let the system answer otherwise for a while."""
        self.simulator.instead.extend(answers)


def added(root: Path, pack: str) -> Path:
    """Add a pack to a new project, with the networks of simulators, unless that was done."""
    if root.is_dir():
        return root
    root.mkdir()
    found = packs()[pack]
    Addition(pack, found.own(), found.along(), found.needs).place(root)
    for path in (root / "connectors").glob("*.yaml"):
        path.write_text(path.read_text() + "networks: [127.0.0.0/8]\n")
    return root


@asynccontextmanager
async def bench(root: Path, pack: str, system: System, env: Mapping[str, str]) -> AsyncIterator[Bench]:
    """Serve a system and load a project with the pack for it; URL in `env` stands for where the system is."""
    async with running(system) as simulator:
        filled = {name: text.replace("URL", simulator.url) for name, text in env.items()}
        yield Bench(load(added(root, pack), filled), simulator)


def canonical(type_: str, data: Mapping[str, Any], id_: str = "e-1") -> Event:
    """Return an event as the process step makes it."""
    return Event(id_, "/test", type_, dict(data), "2026-03-02T06:00:00Z", extensions={"partner": "stores"})
