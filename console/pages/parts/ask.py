"""Dialogs: they trap the focus, Escape closes them, and what is asked for stands in them first."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from nicegui import ui
from nicegui.element import Element

from console.pages.parts.basics import button, tag

NO: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """What a person is asked for; `wide` is for sentences, `most` the longest text, `options` all it may be."""

    name: str
    label: str
    value: str = ""
    required: bool = False
    wide: bool = False
    most: int = 300
    kind: str = "text"  # of the HTML input
    options: tuple[str, ...] = ()
    many: bool = False  # of the options, joined by commas


async def ask(
    title: str,
    lines: Sequence[str] = (),
    fields: Sequence[Field] = (),
    *,
    act: str = "Go on",
    danger: bool = False,
    attempt: Callable[[dict[str, str]], Awaitable[str]] | None = None,
) -> dict[str, str] | None:
    """Ask a person; return the values of the fields, or None when the dialog was closed.

    An `attempt` to do it that fails says why: that is shown, and the person may correct what was given.
    """
    given = {field.name: field.value for field in fields}
    with ui.context.client.content:  # not in what its button stands in, which may be drawn anew meanwhile
        dialog = ui.dialog()
    with dialog, tag("div", classes="dialog", role="document"):
        heading = tag("h2", title)
        dialog.props["aria-labelledby"] = heading.html_id
        for line in lines:
            tag("p", line)
        missing = tag("p", "", "field-error", role="alert")

        async def go() -> None:
            empty = next((field for field in fields if field.required and not given[field.name].strip()), None)
            missing.text = f"{empty.label}: say something." if empty else await attempt(given) if attempt else ""
            if not missing.text:
                dialog.submit(given)

        for field in fields:
            _field(field, given)
        with tag("div", classes="dialog-acts"):
            button("Cancel", dialog.close, "plain")
            button(act, _once(go), "danger" if danger else "main")
    answer = await dialog
    if not dialog.is_deleted:  # with the page, which was left
        dialog.delete()
    return dict(answer) if answer is not None else NO


def _once(act: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Return an act of which a second click, while it goes on, is none."""
    busy = False

    async def once() -> None:
        nonlocal busy
        if not busy:
            busy = True
            await act()
            busy = False

    return once


def _field(field: Field, given: dict[str, str]) -> None:
    if field.many:
        _many(field, given)
        return
    with tag("div", classes="labelled"):
        made = _options(field) if field.options else _line(field)
        if field.required:
            made.props["aria-required"] = "true"
        tag("label", field.label, **{"for": made.html_id}).move(target_index=0)

        def keep(event: object) -> None:
            given[field.name] = str(getattr(event, "args", ""))

        made.on("input", keep, js_handler="(typed) => emit(typed.target.value)")


def _line(field: Field) -> Element:
    made = tag("textarea" if field.wide else "input", classes="field", maxlength=field.most, autocomplete="off")
    made.props["rows" if field.wide else "type"] = 3 if field.wide else field.kind
    made.props["value"] = field.value
    return made


def _options(field: Field) -> Element:
    with tag("select", classes="field") as made:
        for option in field.options:
            shown = tag("option", option, value=option)
            if option == field.value:
                shown.props["selected"] = True
    return made


def _many(field: Field, given: dict[str, str]) -> None:
    chosen = [one for one in field.options if one in field.value.split(",")]

    def turn(option: str, event: object) -> None:
        chosen.append(option) if getattr(event, "args", False) else chosen.remove(option)
        given[field.name] = ",".join(chosen)

    with tag("fieldset", classes="options"):
        tag("legend", field.label)
        for option in field.options:
            with tag("label"):
                made = tag("input", type="checkbox")
                if option in chosen:
                    made.props["checked"] = True
                tag("span", option)
            made.on("change", partial(turn, option), js_handler="(turned) => emit(turned.target.checked)")
