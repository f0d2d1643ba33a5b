"""The command `plan`; `crossdock.cli.app` registers it."""

import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from crossdock.checking import check
from crossdock.cli.output import PROBLEMS, JsonOption, ProjectOption, counted, printable, write_json, write_problems
from crossdock.cli.projects import load_or_exit
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption
from crossdock.contenttest import Arrival
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.units import DURATION, seconds
from crossdock.plan.base import base_folder
from crossdock.plan.changes import Change, affected, changes
from crossdock.plan.effects import EFFECTS, NEWLY_FAILING, Effects, effects, summed
from crossdock.plan.past import Get, fetch_past, read_past
from crossdock.plan.told import told
from crossdock.project import Project, load
from crossdock.trial.differences import Difference
from crossdock.trial.rehearsal import Stored

Here = Path()
SHOWN = 8  # differences of one piece or example
MOST = 10_000
Past = Sequence[Stored | Arrival]
AgainstOption = Annotated[str, typer.Option("--against", help="A folder, git:REVISION, or running: what is in force.")]
EventsOption = Annotated[
    str, typer.Option("--events", help="Replay these: a file, or of an installation 500 (the newest), 24h, or a time.")
]


def plan(
    project: ProjectOption = Here,
    against: AgainstOption = "git:HEAD",
    events: EventsOption = "",
    data: DataOption = DATA,
    ops: OpsOption = "",
    token: TokenOption = "",
    json: JsonOption = False,
) -> None:
    """Say what a change of content does: what differs, whom it touches, what becomes of past events by it.

    Events of the past are taken in memory through both revisions and nothing is sent: those of a file with a JSON
    document a line, or of a running installation. Exit 1 if one newly fails, or if `apply` would not take the content.

    Examples: crossdock plan; crossdock plan --against running --events 24h; crossdock plan --events events.jsonl
    """
    candidate = load_or_exit(project, json)
    obstacles = check(project, {}, strict_env=False).obstacles
    get = _getter(ops, token, data)
    try:
        past = _past(events, get)
        with base_folder(project, against, get) as folder:
            base = load(folder, {}, strict_env=False, tests=False)
            found = changes(base, candidate)
            touched = affected(found, base, candidate)
            most = len(past) if Path(events).is_file() else MOST
            replayed = effects(base, candidate, past[:most]) if past else Effects()
            replayed.cut = len(past) > most
    except Refused as error:
        write_problems(error.problems, json)
        raise typer.Exit(PROBLEMS) from None
    if json:
        write_json(_document(base, candidate, found, touched, replayed) | _refused(obstacles))
    else:
        _show(base, candidate, found, touched, replayed)
        _show_refused(obstacles, project)
    if obstacles or replayed.counts[NEWLY_FAILING]:
        raise typer.Exit(PROBLEMS)


def _refused(obstacles: Sequence[Problem]) -> dict[str, Any]:
    return {"problems": [problem.as_dict() for problem in obstacles]}


def _show_refused(obstacles: Sequence[Problem], root: Path) -> None:
    if obstacles:
        typer.echo("it cannot go live:")
        write_problems(obstacles, False, root)


def _getter(ops: str, token: str, data: Path) -> Get:
    return lambda path: Remote(ops, token, data).call("GET", path)  # an installation is looked for only when asked


def _past(events: str, get: Get) -> Past:
    if not events:
        return ()
    if Path(events).is_file():
        return read_past(Path(events))
    number = int(events) if events.isdecimal() else 0
    since = 0 if number else _since(events)
    return list(fetch_past(get, since, min(number or MOST + 1, MOST + 1)))


def _since(text: str) -> int:
    """Return Unix milliseconds of a time or of an age."""
    try:
        moment = time.time() - seconds(text) if re.match(DURATION, text) else _moment(text)
    except ValueError:
        message = f"{text!r} is no file, and neither a number, an age as 24h nor a time as 2026-11-20T00:00:00Z"
        raise typer.BadParameter(message, param_hint="--events") from None
    return int(moment * 1000)


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an offset is missing")
    return moment.timestamp()


def _document(
    base: Project, candidate: Project, found: list[Change], touched: dict[str, list[str]], replayed: Effects
) -> dict[str, Any]:
    return {
        "base": base.revision,
        "candidate": candidate.revision,
        "changes": [
            {**one.piece._asdict(), "change": one.what, "differences": _as_dicts(one.differences), **_verdict(one)}
            for one in found
        ],
        "affected": touched,
        "events": {effect: replayed.counts[effect] for effect in EFFECTS},
        "cut": replayed.cut,
        "examples": {
            effect: {
                "id": one.id, "source": one.source, "type": one.type,
                "differences": _as_dicts(one.differences), "of": dict(summed(replayed.kinds[effect])),
            }
            for effect, one in replayed.examples.items()
        },
    }  # fmt: skip


def _verdict(change: Change) -> dict[str, Any]:
    if change.comparison is None:
        return {}
    return {"compared_with": change.against, **asdict(change.comparison)}


def _as_dicts(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    return [difference.as_dict("before", "after") for difference in differences]


def _show(
    base: Project, candidate: Project, found: list[Change], touched: dict[str, list[str]], replayed: Effects
) -> None:
    typer.echo(f"{base.revision} -> {candidate.revision}: {counted(len(found), 'change')}")
    if not found and base.revision != candidate.revision:
        typer.echo("the files differ in comments or layout only")
    for change in found:
        typer.echo(f"{change.what:>9}  {change.piece.kind} {change.piece.name}{_said(change)}")
        _show_differences(change.differences)
    for kind, names in touched.items():
        if names:
            typer.echo(f"touches {kind}: {', '.join(names)}")
    if not replayed.counts:
        typer.echo("no events were replayed: name them with --events")
        return
    cut = "; there are more, which are left out" if replayed.cut else ""
    typer.echo(f"{counted(replayed.counts.total(), 'event')} through both{cut}:")
    for effect in EFFECTS:
        if number := replayed.counts[effect]:
            of = ", ".join(f"{name} {count}" for name, count in summed(replayed.kinds[effect]))
            typer.echo(f"{number:>9}  {effect.replace('_', ' ')}: {printable(of)}")
            if effect in replayed.examples:
                typer.echo(f"           such as {printable(replayed.examples[effect].id)}")
                _show_differences(replayed.examples[effect].differences)


def _said(change: Change) -> str:
    """Say of a schema whether old and new data fit both versions."""
    found = change.comparison
    if found is None:
        return ""
    broken = [word for word, holds in (("backward", found.backward), ("forward", found.forward)) if not holds]
    whys = "".join(f"; {one.change}: {one.why}" for one in found.changes if one.breaks)
    holds = f"not {' and '.join(broken)}" if broken else "fully"
    before = "what it was" if change.piece.name.endswith(f"@{change.against}") else change.against
    return f": {holds} compatible with {before}{whys}"


def _show_differences(differences: Sequence[Difference]) -> None:
    said = list(told(differences))
    for line in (line for lines in said[:SHOWN] for line in lines):
        typer.echo(f"           {printable(line)}")
    if len(said) > SHOWN:
        typer.echo(f"           and {len(said) - SHOWN} more; see --json")


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(plan)
