"""The commands `connector list` and `connector check`; `crossdock.cli.app` registers them."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.kinds import open_connector
from connectors.port import Outside
from connectors.reading import load
from connectors.spec import ConnectorSpec
from crossdock.cli.output import PROBLEMS, JsonOption, ProjectOption, counted, show
from crossdock.cli.projects import load_or_exit, require_content
from crossdock.kernel.problems import Incomplete, Problem, Unavailable
from crossdock.project import Project
from crossdock.supervisor.outside import Outward

Here = Path()
group = typer.Typer(no_args_is_help=True, help="Destinations and polled origins: what there is, what answers.")
NamesArgument = Annotated[list[str] | None, typer.Argument(help="The connectors to look at; all if none is named.")]


@group.command("list")
def list_(project: ProjectOption = Here, json: JsonOption = False) -> None:
    """List all connectors: their kind, the routes that lead to them and the sources that poll them.

    Example: crossdock connector list
    """
    loaded = load_or_exit(project, json)
    items = [_listed(loaded, spec) for _, spec in sorted(loaded.connectors.items())]
    columns = ["connector", "kind", "routes", "polled by", "description"]
    rows = [
        [one["connector"], one["kind"], ", ".join(one["routes"]), ", ".join(one["sources"]), one["description"]]
        for one in items
    ]
    show({"items": items}, json, columns, rows)


@group.command()
def check(names: NamesArgument = None, project: ProjectOption = Here, json: JsonOption = False) -> None:
    """Reach connectors as a worker would, from here: name, address, encryption, password, table, stream.

    Nothing is delivered and nothing is taken. No installation has to run; variables that connector files name are
    those of this shell. Exit 1 when one does not answer as it should.

    Example: crossdock connector check erp
    """
    require_content(project)
    specs, problems = _read(project)
    unknown = [name for name in names or () if name not in specs]
    if unknown and not problems:
        raise typer.BadParameter(f"no connector {unknown[0]}; known: {', '.join(sorted(specs))}")
    wanted = [spec for name, spec in sorted(specs.items()) if not names or name in names]
    items = asyncio.run(_check(wanted))
    if unknown or not names:
        first = {problem.file: problem for problem in reversed(problems)}
        items += [_item(Path(p.file).stem, "", False, f"{p.message} ({p.file}:{p.line})") for p in first.values()]
    rows = [[one["connector"], one["kind"], "ok" if one["ok"] else "wrong", one["detail"]] for one in items]
    show({"items": items}, json, ["connector", "kind", "state", "detail"], rows)
    if wrong := sum(not one["ok"] for one in items):
        if not json:
            typer.echo(f"{counted(wrong, 'connector')} of {len(items)} cannot be used from here", err=True)
        raise typer.Exit(PROBLEMS)


def _listed(project: Project, spec: ConnectorSpec) -> dict[str, Any]:
    return {
        "connector": spec.name,
        "kind": spec.kind,
        "routes": [one.name for one in project.routes.values() if one.connector == spec.name],
        "sources": [one.name for one in project.sources.values() if one.poll and one.poll.connector == spec.name],
        "description": spec.description,
    }


def _read(root: Path) -> tuple[dict[str, ConnectorSpec], Sequence[Problem]]:
    """Return the connectors whose files say all that is needed here, and what is wrong with the others."""
    try:
        return load(root, os.environ), ()
    except Incomplete as error:
        return error.found, error.problems


async def _check(specs: Sequence[ConnectorSpec]) -> list[dict[str, Any]]:
    client = await _own_broker()
    outside = Outward(client)
    try:
        return list(await asyncio.gather(*(_checked(spec, outside) for spec in specs)))
    finally:
        if client is not None:
            await client.close()


async def _checked(spec: ConnectorSpec, outside: Outside) -> dict[str, Any]:
    begun, connector = time.monotonic(), open_connector(spec, outside)
    try:
        result = await connector.probe()
    finally:
        await connector.close()
    milliseconds = round((time.monotonic() - begun) * 1000)
    return _item(spec.name, spec.kind, result.outcome == "delivered", result.detail, milliseconds)


def _item(name: str, kind: str, ok: bool, detail: str, milliseconds: int = 0) -> dict[str, Any]:
    return {"connector": name, "kind": kind, "ok": ok, "detail": detail, "milliseconds": milliseconds}


async def _own_broker() -> Any:
    url = os.environ.get("CROSSDOCK_NATS_URL", "")
    if not url:
        return None
    from crossdock.adapters import nats  # noqa: PLC0415  only where there is one

    try:
        return await nats.connect(url, "connector-check")
    except Unavailable:
        return None


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(group, name="connector")
