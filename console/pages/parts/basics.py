"""The smallest parts: tags, times, badges, facts, tiles. Texts are set as text, never parsed as markup."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

Mood = Literal["", "good", "warn", "bad"]

_GOOD = ("delivered", "routed", "accepted", "resolved", "closed", "done", "answering", "live", "sent")
_WARN = (
    "retried", "waiting", "replayed", "replaying", "half_open", "paused", "full", "unknown", "acknowledged", "running",
    "planned", "quarantined", "slow", "being tried", "behind",
)  # fmt: skip
_BAD = ("dead_lettered", "open", "regressed", "overdue", "not answering", "away")
_MOODS: dict[str, Mood] = {
    **dict.fromkeys(_GOOD, "good"), **dict.fromkeys(_WARN, "warn"), **dict.fromkeys(_BAD, "bad"),
}  # fmt: skip


class Moment(Element, component="moment.js"):
    """A time in Unix milliseconds, told as how long ago it is and, on hover and focus, exactly."""

    def __init__(self, at: int, before: str = "") -> None:
        """Show a time, and words before it."""
        super().__init__()
        self.props["at"], self.props["before"] = at, before

    def set(self, at: int) -> None:
        """Show another time."""
        self.props["at"] = at
        self.update()


def tag(kind: str, text: str = "", /, classes: str = "", **attributes: Any) -> TextElement:
    """Return an HTML element with a text; `aria_label` is written `aria-label`."""
    made = TextElement(tag=kind, text=text)
    if classes:
        made.classes(classes)
    for attribute, value in attributes.items():
        made.props[attribute.rstrip("_").replace("_", "-")] = value
    return made


def button(text: str, act: Callable[..., Any], kind: str = "", label: str = "") -> TextElement:
    """Return a button; `kind` is `main`, `plain`, `danger` or empty, `label` what it is called if not its text."""
    made = tag("button", text, f"button {kind}", type="button", **({"aria_label": label} if label else {}))
    made.on("click", act)
    return made


def link(text: str, href: str, classes: str = "") -> TextElement:
    """Return a link to a page of the console."""
    return tag("a", text, classes, href=href)


def words(text: str) -> str:
    """Return a word of the API as people read it."""
    return text.replace("_", " ")


def mood(word: str) -> Mood:
    """Return how a state or outcome is to be seen."""
    return _MOODS.get(word, "")


def badge(word: str, looks: Mood | None = None) -> TextElement:
    """Return a state or outcome as a badge, whose colour only repeats what its text says."""
    return tag("span", words(word), f"badge {mood(word) if looks is None else looks}")


def number(value: float) -> str:
    """Return a number as people read it: 12,345 or 0.4 or 0.0083."""
    if 0 < value < 0.1:
        return f"{value:.2g}" if value > 0.0001 else "0"
    return f"{value:,.1f}" if isinstance(value, float) and 0 < value < 10 else f"{round(value):,}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 event`, `2 events`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(milliseconds: float) -> str:
    """Return a duration as people read it: 12 ms, 3.4 s, 5 min, 2 h, 3 d."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if milliseconds >= size * 2:
            return f"{milliseconds / size:.0f} {unit}"
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"


def section(title: str, *, level: int = 2) -> Element:
    """Return a section with a heading, to be filled with `with`."""
    made = tag("section", classes="section")
    with made:
        heading = tag(f"h{level}", title)
        made.props["aria-labelledby"] = heading.html_id
    return made


def facts(pairs: Iterable[tuple[str, Any]]) -> Element:
    """Return names with their values: texts, or functions that make elements; what is empty is left out."""
    made = tag("dl", classes="facts")
    with made:
        for name, value in pairs:
            if value in ("", None):
                continue
            with tag("div"):
                tag("dt", name)
                with tag("dd", "" if callable(value) else str(value)):
                    if callable(value):
                        value()
    return made


def empty(text: str) -> TextElement:
    """Return the words that stand where there is nothing."""
    return tag("p", text, "empty")


class Tile:
    """A figure with its name, changed in place."""

    def __init__(self, name: str, href: str = "") -> None:
        with tag("a" if href else "div", classes="tile", **({"href": href} if href else {})) as self._box:
            tag("span", name, "tile-name")
            self._figure = tag("span", "–", "tile-figure")
            self._note = tag("span", "", "tile-note")

    def set(self, figure: str, note: str = "", looks: Mood = "") -> None:
        """Show a figure, a note under it, and how it is to be seen."""
        self._figure.text, self._note.text = figure, note
        self._box.classes(replace=f"tile {looks}")


def fieldset(label: str, name: str, value: str, **attributes: Any) -> Element:
    """Return a labelled field of a form that the browser sends itself."""
    with tag("div", classes="labelled") as made:
        given = tag("input", classes="field", name=name, value=value, autocomplete="off", spellcheck="false")
        for attribute, held in attributes.items():
            given.props[attribute] = held
        tag("label", label, **{"for": given.html_id}).move(target_index=0)
    return made


def choice(label: str, name: str, value: str, options: Iterable[tuple[str, str]]) -> Element:
    """Return a labelled list to choose from, of values and their texts, in a form that the browser sends itself."""
    with tag("div", classes="labelled") as made:
        with tag("select", classes="field", name=name) as given:
            for option, text in options:
                made_option = tag("option", text, value=option)
                if option == value:
                    made_option.props["selected"] = True
        tag("label", label, **{"for": given.html_id}).move(target_index=0)
    return made
