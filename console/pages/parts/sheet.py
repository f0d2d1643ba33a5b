"""Tables: filter, sort, CSV, cards on a phone. See `sheet.js`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nicegui.element import Element

from console.pages.parts.basics import Mood, duration, mood, number, words

Cell = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and how it looks: `text`, `long`, `number`, `code`, `state`, `day` or `time`.

    `unit` is that of its values in a CSV, where the page tells them in words.
    """

    label: str
    kind: str = "text"
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: what identifies it, its cells, what can be done with it, and its name in the labels of these buttons."""

    key: str
    cells: Sequence[Cell]
    acts: Sequence[str] = ()
    name: str = ""
    mood: Mood = ""


def text(value: Any, href: str = "") -> Cell:
    """Return a cell with a text, which may be a link to a page of the console."""
    return {"text": str(value), "href": href} if href else {"text": str(value)}


def count(value: float | None) -> Cell:
    """Return a cell with a number; none is empty."""
    return {"text": "", "sort": -1} if value is None else {"text": number(value), "sort": value, "raw": value}


def lasting(milliseconds: float | None) -> Cell:
    """Return a cell with a duration, in a CSV in milliseconds; none is empty."""
    return {**count(milliseconds), "text": "" if milliseconds is None else duration(milliseconds)}


def when(at: int | None) -> Cell:
    """Return a cell with a time in Unix milliseconds; 0 and none are empty."""
    return {"at": at} if at else {"text": "", "sort": 0}


def state(word: str, looks: Mood | None = None) -> Cell:
    """Return a cell with a state or an outcome."""
    return {"text": words(word), "mood": mood(word) if looks is None else looks}


class Sheet(Element, component="sheet.js"):
    """A table whose rows are changed in place."""

    def __init__(
        self,
        caption: str,
        columns: Sequence[Column],
        empty: str,
        *,
        file: str = "",
        act: Callable[..., Any] | None = None,
    ) -> None:
        """Make the table; `file` is the name of the CSV, without which it is shown without filter and export.

        `act` is called with the name of what is to be done and the key of the row.
        """
        super().__init__()
        self.props["caption"], self.props["empty"], self.props["file"] = caption, empty, file
        self.props["columns"] = [asdict(column) for column in columns]
        self.props["filters"], self.props["rows"], self.props["more"] = bool(file), [], ""
        if act is not None:
            self.on("act", lambda event: act(event.args["act"], event.args["key"]))

    def fill(self, rows: Iterable[Row], more: str = "") -> None:
        """Show these rows; `more` says that there are others. Nothing is sent to the browser when nothing changed."""
        made = [
            {"key": row.key, "cells": list(row.cells), "acts": list(row.acts), "name": row.name, "mood": row.mood}
            for row in rows
        ]
        if made != self.props["rows"] or more != self.props["more"]:
            self.props["rows"], self.props["more"] = made, more
            self.update()
