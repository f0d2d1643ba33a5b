"""`crossdock up`: servers and roles of one installation under one supervisor. Called by `crossdock.cli.run`."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from crossdock.checking import check
from crossdock.kernel import settings
from crossdock.kernel.problems import Refused
from crossdock.kernel.settings import Settings
from crossdock.supervisor import datafolder, door, logform, logs, servers
from crossdock.supervisor.children import Child
from crossdock.supervisor.crew import Crew
from crossdock.supervisor.datafolder import Credentials
from crossdock.supervisor.door import Door
from crossdock.supervisor.report import Ready, Report
from crossdock.supervisor.runfile import RunFile
from crossdock.supervisor.servers import Server
from crossdock.supervisor.watching import Watching

Command = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """One installation: its project, its data folder, its settings and its secrets."""

    project: Path
    data: Path
    settings: Settings
    secrets: Credentials
    ports: Mapping[str, int]


def role_command(role: str) -> list[str]:
    """Return how a role is started."""
    return [sys.executable, "-m", "crossdock", role]


async def up(
    project: Path,
    data: Path,
    gateway_port: int | None = None,
    console_port: int | None = None,
    workers: int | None = None,
    json: bool = False,
    command: Command = role_command,
    watch: bool = True,
) -> int:
    """Run everything until SIGTERM or SIGINT, then drain; returns the exit code. `None` takes the setting."""
    report = Report(json)
    try:
        given = _override(_checked(project, report), gateway_port, console_port, workers)
        with datafolder.locked(data) as lock:
            here = _place(project, data, given)
            with door.listening(here.settings.gateway.host, here.settings.gateway.port) as gateway:
                return await _supervise(here, lock, gateway, report, command, watch)
    except Refused as refused:
        report.problems(refused.problems)
        return 1


def _checked(project: Path, report: Report) -> Settings:
    """Check content and settings, so that the problems of both are shown at once."""
    checked = check(project, os.environ)
    problems = list(checked.obstacles)
    chosen = Settings()
    try:
        chosen = settings.load(project, os.environ)
    except Refused as refused:
        told = {(problem.file, problem.line, problem.column) for problem in problems}
        problems += [one for one in refused.problems if (one.file, one.line, one.column) not in told]
    if problems:
        raise Refused(problems)
    report.advice(checked.problems)
    return chosen


def _place(project: Path, data: Path, given: Settings) -> Place:
    ports = datafolder.ports(data)
    chosen = _with_ports(given, set(ports.values()))
    return Place(project.resolve(), data.resolve(), chosen, datafolder.credentials(data), ports)


async def _supervise(here: Place, lock: int, listening: Door, report: Report, command: Command, watch: bool) -> int:
    embedded = _embedded(here)
    env = environment(here, embedded)
    gateway, console = here.settings.gateway, here.settings.console
    cert = str(here.project / console.tls.cert) if console.tls.cert else ""
    at = Ready(
        _url(gateway.host, gateway.port),
        _url(console.host, console.port, "https" if cert else "http"),
        here.secrets.ops_token,
        str(here.data),
        cert,
    )
    run = RunFile(here.data, at)
    crew = Crew(here.data, lock, run.update)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, crew.over.set)
    try:
        stages = roles(here.settings, env, command, listening)
        if await _start(crew, [embedded[name].child for name in embedded], stages):
            run.publish(crew.pids())
            await _serve(Watching(here.project, at, report), crew, lambda: report.ready(at), watch)
    finally:
        report.stopping(reversed(crew.pids()))
        run.remove()
        for one in listening:  # what connects now is refused, and does not wait for a gateway that never comes
            one.close()
        await crew.stop()
    if crew.fault:
        name = crew.fault.child.name
        report.gave_up(name, logs.path(here.data, name), logs.tail(here.data, name))
    return 1 if crew.fault else 0


async def _serve(watching: Watching, crew: Crew, ready: Callable[[], None], watch: bool) -> None:
    await watching.first()
    ready()
    looking = asyncio.create_task(watching.run()) if watch else None
    await crew.over.wait()
    if looking:
        looking.cancel()


async def _start(crew: Crew, embedded: list[Child], stages: list[list[Child]]) -> bool:
    for stage in [*([child] for child in embedded), *stages]:  # roles wait for the servers that they need
        crew.start(stage)
    return await crew.ready()


def _embedded(here: Place) -> dict[str, Server]:
    """Return the servers for which the settings name no address, in the order in which they start."""
    found = {}
    if not here.settings.nats.url:
        sync = here.settings.nats.sync_interval
        found[servers.NATS] = servers.nats(here.data, here.ports[servers.NATS], here.secrets, sync)
    if not here.settings.dedupe.url:
        found[servers.VALKEY] = servers.valkey(here.data, here.ports[servers.VALKEY], here.secrets)
    return found


def environment(here: Place, embedded: Mapping[str, Server]) -> dict[str, str]:
    """Return what every role finds in its environment."""
    chosen = here.settings
    return {
        "CROSSDOCK_PROJECT": str(here.project),
        "CROSSDOCK_DATA": str(here.data),
        "CROSSDOCK_NATS_URL": chosen.nats.url or embedded[servers.NATS].url,
        "CROSSDOCK_DEDUPE_URL": chosen.dedupe.url or embedded[servers.VALKEY].url,
        "CROSSDOCK_JOURNAL_URL": chosen.journal.url or f"sqlite:///{here.data / 'journal.db'}",
        "CROSSDOCK_OPS_TOKEN": here.secrets.ops_token,
        logform.VARIABLE: chosen.logs,
        "CROSSDOCK_GATEWAY_PORT": str(chosen.gateway.port),
        "CROSSDOCK_CONSOLE_PORT": str(chosen.console.port),
    }


def roles(chosen: Settings, env: Mapping[str, str], command: Command, listening: Door) -> list[list[Child]]:
    """Return the stages of roles: the gateway starts last and stops first, the console outlives the workers."""
    seats = range(chosen.workers)
    workers = [
        Child(f"worker-{seat}", tuple(command("worker")), {**env, "CROSSDOCK_SEAT": f"{seat}/{chosen.workers}"})
        for seat in seats
    ]
    ops, argv = Child("ops", tuple(command("ops")), env), tuple(command("gateway"))
    files, given = tuple(one.fileno() for one in listening), {**env, door.VARIABLE: door.told(listening)}
    several = chosen.gateway.processes
    gateways = [
        Child(f"gateway-{seat}", argv, {**given, "CROSSDOCK_SEAT": f"{seat}/{several}"}, files=files)
        for seat in range(several)
    ]
    return [[ops], workers, gateways if several > 1 else [Child("gateway", argv, given, files=files)]]


def _override(chosen: Settings, gateway_port: int | None, console_port: int | None, workers: int | None) -> Settings:
    if gateway_port is not None:
        chosen = replace(chosen, gateway=replace(chosen.gateway, port=gateway_port))
    if console_port is not None:
        chosen = replace(chosen, console=replace(chosen.console, port=console_port))
    return replace(chosen, workers=workers or chosen.workers)


def _with_ports(chosen: Settings, avoid: set[int]) -> Settings:
    gateway = _port("gateway", chosen.gateway.host, chosen.gateway.port, avoid)
    console = _port("console", chosen.console.host, chosen.console.port, {*avoid, gateway})
    return _override(chosen, gateway, console, None)


def _port(name: str, host: str, port: int, avoid: set[int]) -> int:
    if not port:
        return datafolder.free_port(avoid)
    if port in avoid or not datafolder.is_free(port, host):
        raise door.taken(name, port)
    return port


def _url(host: str, port: int, scheme: str = "http") -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    return f"{scheme}://{reachable}:{port}"
