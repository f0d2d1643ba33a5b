"""The `schema` commands: compare versions, check all of them, infer one from samples."""

import json as text
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from crossdock.cli.output import PROBLEMS, JsonOption, ProjectOption, counted, table, write_json, write_problems
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused
from schemas import evolution, inference, registry
from schemas.bounded import compare_within
from schemas.compatibility import Change, Comparison
from schemas.contentmodel import ContentModel
from schemas.spec import MAX_BYTES, compile_schema, uri

HERE = Path()
MAX_SHOWN = 200
schema_app = typer.Typer(no_args_is_help=True, help="Versions of event types: compare, check, infer.")
Model = Annotated[
    ContentModel | None,
    typer.Option(
        "--content-model", help="What fields that a version does not name mean.", show_default="as schema.yaml"
    ),
]
MOST_BAD = 10  # samples that are told


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(schema_app, name="schema")


@schema_app.command("diff")
def schema_diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A file, or type@version.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A file, or type@version.")],
    content_model: Model = None,
    project: ProjectOption = HERE,
    json: JsonOption = False,
) -> None:
    """Say whether two versions read each other's documents, with a witness for each break; exit 1 if one way does not.

    Example: crossdock schema diff pos.sale@1.0 pos.sale@1.1 --content-model lenient
    """
    try:
        model = content_model or _model(new, project)
        found = compare_within(_schema(old, project, "OLD"), _schema(new, project, "NEW"), model)
    except Refused as error:
        raise typer.BadParameter(str(error)) from None
    if json:
        shown = {"backward": found.backward, "forward": found.forward, "changes": list(map(asdict, found.changes))}
        typer.echo(text.dumps(shown, indent=2, ensure_ascii=False))
    else:
        _show(found)
    if not (found.backward and found.forward):
        raise typer.Exit(PROBLEMS)


@schema_app.command("check")
def schema_check(
    type_: Annotated[str, typer.Argument(metavar="[TYPE]", help="Only this type.")] = "",
    project: ProjectOption = HERE,
    json: JsonOption = False,
) -> None:
    """Compare all versions of all types as their schema.yaml demands; exit 1 if a promise is broken.

    Example: crossdock schema check pos.sale
    """
    try:
        known = registry.load(project.resolve())
        if type_ and not known.versions(type_):
            raise typer.BadParameter(f"no schema for the type {type_}", param_hint="TYPE")
        verdicts = list(evolution.verdicts(known, (type_,) if type_ else known.types()))
    except Refused as error:
        write_problems(error.problems, json)
        raise typer.Exit(PROBLEMS) from None
    problems = [problem for verdict in verdicts for problem in evolution.told(verdict, project.resolve())]
    if json:
        write_json({"versions": list(map(_row, verdicts)), "problems": [problem.as_dict() for problem in problems]})
    else:
        table(list(_ROW), [list(_row(one).values()) for one in verdicts])
        write_problems(problems, False)
    if problems:
        raise typer.Exit(PROBLEMS)


@schema_app.command("new")
def schema_new(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="The event type that the samples are data of.")],
    samples: Annotated[list[Path], typer.Argument(help="JSON files, or JSON Lines.", exists=True, dir_okay=False)],
    version: Annotated[str, typer.Option(help="Its version, <major>.<minor>.")] = "1.0",
    write: Annotated[bool, typer.Option("--write", help="Write schemas/TYPE/VERSION.json, if there is none.")] = False,
    project: ProjectOption = HERE,
) -> None:
    """Infer a schema from sample documents and show it, or write it into the project.

    Example: crossdock schema new carrier.scan scans.jsonl --write
    """
    path = project / registry.FOLDER / type_ / f"{version}.json"
    if not registry.is_name(type_, version):
        raise typer.BadParameter("a type is a-z, 0-9, _ and dots; a version <major>.<minor>", param_hint="TYPE")
    if write and path.exists():
        raise typer.BadParameter(f"{path} is there already; give another --version", param_hint="TYPE")
    given = [inference.data_of(document) for sample in samples for document in _documents(sample)]
    if not given:
        raise typer.BadParameter("there is no document in the samples", param_hint="SAMPLE")
    if envelopes := sum(is_envelope for _, is_envelope in given):
        typer.echo(f"{counted(envelopes, 'sample')} in a CloudEvents envelope: only the data is looked at", err=True)
    number = counted(len(given), "sample")
    made = inference.named(inference.infer(data for data, _ in given), type_, uri(type_, version), number)
    compile_schema(made)
    shown = text.dumps(made, indent=2, ensure_ascii=False)
    if not write:
        typer.echo(shown)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(shown + "\n")
    typer.echo(f"wrote {path} from {number}")


_ROW = ("type", "old", "new", "compatibility", "content_model", "backward", "forward", "fine")


def _row(verdict: evolution.Verdict) -> dict[str, Any]:
    about, found = verdict.about, verdict.comparison
    told = (about.compatibility, about.content_model.value, found.backward, found.forward, not verdict.broken())
    return dict(zip(_ROW, (verdict.type, verdict.old, verdict.new, *told), strict=True))


def _schema(named: str, project: Path, hint: str) -> Any:
    path = Path(named)
    if path.is_file():
        if path.stat().st_size > MAX_BYTES:
            raise typer.BadParameter(f"{named} is larger than {MAX_BYTES >> 10} KiB", param_hint=hint)
        return jsontext.loads(path.read_bytes())
    type_, _, version = named.partition("@")
    if not version:
        raise typer.BadParameter(f"{named} is neither a file nor type@version", param_hint=hint)
    return registry.load(project.resolve()).schema(type_, version)


def _model(named: str, project: Path) -> ContentModel:
    """Return what the `schema.yaml` of the newer version's type says; `strict` for a file."""
    type_, _, version = named.partition("@")
    is_file = Path(named).is_file() or not version
    return ContentModel.strict if is_file else registry.load(project.resolve()).about(type_).content_model


def _documents(path: Path) -> list[Any]:
    raw = path.read_bytes()
    texts = [(1, raw)] if path.suffix == ".json" else [
        (number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()
    ]  # fmt: skip
    documents, wrong = [], []
    for number, one in texts:
        try:
            documents.append(jsontext.loads(one))
        except Refused as error:
            wrong += [problem.at(path.name, *_place(one, number)) for problem in error.problems]
    if wrong:
        write_problems(wrong[:MOST_BAD], False)
        raise typer.BadParameter(f"{counted(len(wrong), 'sample')} of {path.name} cannot be read", param_hint="SAMPLE")
    return documents


def _place(raw: bytes, line: int) -> tuple[int, int]:
    """Return line and column where a sample that begins at a line stops being JSON; its beginning if it does not."""
    try:
        text.loads(raw)
    except text.JSONDecodeError as error:
        return line + error.lineno - 1, error.colno
    except (ValueError, RecursionError):
        pass
    return line, 1


def _show(found: Comparison) -> None:
    for name, holds in (("backward", found.backward), ("forward", found.forward)):
        typer.echo(f"{name + ':':10}{'yes' if holds else 'NO'}")
    for change in found.changes:
        typer.echo("")
        typer.echo(f"{_verdict(change):18}{change.pointer or '(root)'}  {change.change}")
        typer.echo(f"{'':18}{change.why}")
        if change.breaks and change.proven:
            shown = text.dumps(change.witness, ensure_ascii=False)
            typer.echo(f"{'':18}witness: {shown if len(shown) <= MAX_SHOWN else shown[:MAX_SHOWN] + '...'}")


def _verdict(change: Change) -> str:
    if not change.breaks:
        return "fine"
    return f"breaks {' '.join(change.breaks)}{'' if change.proven else '?'}"
