"""Dialogs: they trap the focus, Escape closes them, and what is asked for stands in them first."""

from collections.abc import Sequence
from dataclasses import dataclass

from nicegui import ui

from console.pages.parts.basics import button, tag

NO: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """What a person is asked for; `wide` is for sentences, `most` the longest text."""

    name: str
    label: str
    value: str = ""
    required: bool = False
    wide: bool = False
    most: int = 300
    kind: str = "text"  # of the HTML input


async def ask(
    title: str, lines: Sequence[str] = (), fields: Sequence[Field] = (), *, act: str = "Go on", danger: bool = False
) -> dict[str, str] | None:
    """Ask a person; return the values of the fields, or None when the dialog was closed."""
    given = {field.name: field.value for field in fields}
    with ui.context.client.content:  # not in what its button stands in, which may be drawn anew meanwhile
        dialog = ui.dialog()
    with dialog, tag("div", classes="dialog", role="document"):
        heading = tag("h2", title)
        dialog.props["aria-labelledby"] = heading.html_id
        for line in lines:
            tag("p", line)
        missing = tag("p", "", "field-error", role="alert")

        def done() -> None:
            empty = next((field for field in fields if field.required and not given[field.name].strip()), None)
            missing.text = f"{empty.label}: say something." if empty else ""
            if empty is None:
                dialog.submit(given)

        for field in fields:
            _field(field, given)
        with tag("div", classes="dialog-acts"):
            button("Cancel", dialog.close, "plain")
            button(act, done, "danger" if danger else "main")
    answer = await dialog
    if not dialog.is_deleted:  # with the page, which was left
        dialog.delete()
    return dict(answer) if answer is not None else NO


def _field(field: Field, given: dict[str, str]) -> None:
    with tag("div", classes="labelled"):
        made = tag("textarea" if field.wide else "input", classes="field", maxlength=field.most, autocomplete="off")
        made.props["rows" if field.wide else "type"] = 3 if field.wide else field.kind
        made.props["value"] = field.value
        if field.required:
            made.props["aria-required"] = "true"
        tag("label", field.label, **{"for": made.html_id}).move(target_index=0)

        def keep(event: object) -> None:
            given[field.name] = str(getattr(event, "args", ""))

        made.on("input", keep, js_handler="(typed) => emit(typed.target.value)")
