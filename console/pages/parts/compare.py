"""What was beside what is, place by place; and documents in which places are marked."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from console.pages.parts.basics import empty, tag
from crossdock.kernel.marked import marked
from crossdock.kernel.problems import Problem

LONGEST = 4000  # characters of one value
MOST = 200  # places


def show_changes(changes: Iterable[Mapping[str, Any]], label: str) -> None:
    """Show differences, each with `pointer`, `before` and `after`, and `what` it is of; what is not there has none."""
    told = list(changes)
    if not told:
        empty("There is no difference.")
        return
    with tag("div", classes="sheet-body", tabindex=0, role="region", aria_label=label), tag("table", classes="compare"):
        tag("caption", label, "hidden")
        with tag("thead"), tag("tr"):
            for heading in ("Place", "Before", "After"):
                tag("th", heading, scope="col")
        with tag("tbody"):
            for one in told[:MOST]:
                _row(one)
    if len(told) > MOST:
        tag("p", f"{len(told) - MOST:,} more are not shown.", "quiet")


def _row(one: Mapping[str, Any]) -> None:
    with tag("tr"):
        tag("th", " ".join(filter(None, (one.get("what", ""), one["pointer"]))) or "the whole", "mono", scope="row")
        for name in ("before", "after"):
            with tag("td", data_label=name.capitalize()):
                tag("pre", _text(one[name])) if name in one else tag("span", "nothing", "quiet")


def _text(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… {len(text) - LONGEST:,} more characters"


def show_marked(value: Any, problems: Iterable[Mapping[str, Any]], label: str) -> None:
    """Show a document with the places that problems are about; what is far from all of them is left out."""
    about = [Problem(one.get("code", ""), one.get("message", ""), pointer=one["pointer"]) for one in problems]
    with tag("pre", classes="code-block", tabindex=0, role="region", aria_label=label):
        for is_marked, line in marked(value, about):
            tag("mark" if is_marked else "span", f"{line}\n")
