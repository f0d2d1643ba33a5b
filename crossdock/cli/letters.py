"""Commands for one dead letter: `dlq show` and `edit`."""

import json as jsonlib
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from crossdock.cli.operate import asked_for, dlq_app
from crossdock.cli.output import JsonOption, confirm, printable, show, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption, fail

letters_app = typer.Typer()
LetterId = Annotated[str, typer.Argument(help="The id, as `dlq list` shows it.")]
RevealOption = Annotated[str, typer.Option(help="Why you need personal fields; the audit log keeps it.")]
_FACTS = (
    "id", "state", "problem", "stage", "partner", "source", "route", "event_id", "type", "key", "reason", "detail",
    "edit",
)  # fmt: skip


def register(_: typer.Typer) -> None:
    """Add the commands of this file to those of `dlq`."""
    dlq_app.add_typer(letters_app)


@letters_app.command("show")
def dlq_show(
    letter_id: LetterId, reveal: RevealOption = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Show one dead letter: as it came, as it was made, what was sent and answered, which rule failed, what changed.

    Example: crossdock dlq show dl-0123456789ab
    """
    found = Remote(ops, token, data).call("GET", f"{path_of(letter_id)}?{urllib.parse.urlencode({'reveal': reveal})}")
    if json:
        write_json(found)
        return
    for name in _FACTS:
        if found.get(name):
            _line(name, found[name])
    if found.get("gone"):
        _line("content", "past its retention")
        return
    _show_content(found)
    for one in found["problems"]:
        _show_rule(one)
    for one in found["rules"]:
        _show_rule(one)
    _show_changes(found["changes"])


def _show_content(found: Mapping[str, Any]) -> None:
    original = found["original"]
    if "at" in original:
        told = ", personal fields are covered" if original["masked"] else ""
        _line("original", f"{original['bytes']} bytes, {when(original['at'])}{told}")
        typer.echo(printable(original.get("text", original.get("base64", ""))))
    else:
        _line("original", "past its retention" if original["gone"] else "too large to be shown")
    if found["canonical"]:
        _line("canonical", found["canonical"]["type"])
        _document(found["canonical"]["data"])
    if sent := found["sent"]:
        _line("sent", f"{sent['method']} {sent['url']}")
        typer.echo("".join(printable(f"{name}: {value}\n") for name, value in sent["headers"].items()), nl=False)
        _document(sent["body"])
    if answer := found["answer"]:
        _line("answer", str(answer["status"]))
        typer.echo("".join(printable(f"{name}: {value}\n") for name, value in answer["headers"].items()), nl=False)
        typer.echo(printable(answer["body"]))
    for step in found["steps"]:
        who = f" by {step['who']}" if step["who"] else ""
        _line("step", f"{when(step['at'])}  {step['stage']} {step['outcome']}{who}  {step['detail']}".rstrip())


def _show_rule(one: Mapping[str, Any]) -> None:
    place = f"{one['file']}:{one['line']}" if one.get("file") else ""
    told = (one.get("pointer", ""), one.get("code", ""), one.get("message", ""), place)
    _line("rule", "  ".join(part for part in told if part))
    if one.get("text"):
        typer.echo(printable(f"    {one['text'].strip()}"))


def _show_changes(changes: Mapping[str, Any]) -> None:
    if changes["revision"] == changes["now"]:
        return
    _line("changed", f"failed by revision {changes['revision']}, now {changes['now']} is in force")
    if not changes["kept"]:
        typer.echo("    what it failed by is not kept any more")
    for one in changes["changed"]:
        typer.echo(printable(f"    {one['what']} {one['file']}"))
        typer.echo("".join(printable(f"      {line}\n") for line in one["lines"]), nl=False)


@letters_app.command("edit")
def dlq_edit(  # noqa: PLR0913, PLR0917  an option for each thing to say
    letter_id: LetterId,
    patch: Annotated[str, typer.Option(help="The JSON Patch (RFC 6902), or @FILE that holds it.")],
    why: Annotated[str, typer.Option(help="Why it is changed; the journal and the audit log keep it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come of it and send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Change a dead letter's event by a patch and send it again; the original stays as it was.

    Paths are those of the event as a CloudEvent in JSON, such as /data/store. It is tried dry first and shown.

    Example: crossdock dlq edit dl-0123456789ab --patch @fix.json --why "the till sent the wrong store"
    """
    remote, operations = Remote(ops, token, data), _patch(patch)
    if dry_run or not yes:
        tried = _ask(remote, letter_id, {"patch": operations, "why": why, "dry_run": True})
        if dry_run and json:
            write_json(tried)
        else:
            _show_dry(tried)
        if dry_run:
            raise typer.Exit(bool(tried["problems"]))
        confirm("Send it so?")
    done = _ask(remote, letter_id, {"patch": operations, "why": why})
    if not asked_for(done, json):
        columns = ["id", "event_id", "edit", "outcome", "reason"]
        show(done, json, columns, [[done.get(column, "") for column in columns]])


def _patch(text: str) -> Any:
    """Return the patch with its numbers as they are written, as only the installation may judge them."""
    try:
        raw = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
        jsonlib.loads(raw)
    except OSError as error:
        raise typer.BadParameter(str(error), param_hint="--patch") from None
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--patch") from None
    return orjson.Fragment(raw)


def _ask(remote: Remote, letter_id: str, wanted: Mapping[str, Any]) -> Any:
    status, answer = remote.send("POST", f"{path_of(letter_id)}/edit", orjson.dumps(wanted))
    if status not in {200, 202}:
        for problem in answer.get("problems", ()):
            typer.echo(printable(f"{problem['pointer']}  {problem['code']}  {problem['message']}"), err=True)
        fail(str(answer["detail"]))
    return answer


def _show_dry(tried: Mapping[str, Any]) -> None:
    for one in tried["changes"]:
        before, after = (jsonlib.dumps(one[key]) if key in one else "nothing" for key in ("before", "after"))
        _line("change", f"{one['pointer']}: {before} becomes {after}")
    for one in tried["requests"]:
        _line("request", f"{one['route']}: {one['method']} {one['url']}")
        _document(one["body"])
    for one in tried["problems"]:
        _show_rule(one)
    if not tried["requests"] and not tried["problems"]:
        _line("request", "none: no route takes it")


def path_of(letter_id: str) -> str:
    """Return where the operations API has a dead letter."""
    return f"/ops/v1/dead-letters/{urllib.parse.quote(letter_id, safe='')}"


def _line(name: str, text: str) -> None:
    typer.echo(printable(f"{name:>10}  {text}"))


def _document(value: Any) -> None:
    typer.echo(printable(jsonlib.dumps(value, indent=2, ensure_ascii=False)))
