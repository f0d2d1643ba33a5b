"""How one document became another, line by line."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from console.pages.parts.basics import empty, tag

MOST_LINES = 4000  # of a document; longer ones would take long
AROUND = 3  # lines that stay, shown before and after a change


class Piece(NamedTuple):
    """Lines of which all came, went or stayed (`ins`, `del`, `span`); whether lines before them are left out."""

    kind: str
    lines: tuple[str, ...]
    after_gap: bool = False


async def show_diff(old: Any, new: Any, label: str) -> None:
    """Show how a document became another; numbers as they are written."""
    texts = [json.dumps(one, indent=2, ensure_ascii=False).splitlines() for one in (old, new)]
    if max(map(len, texts)) > MOST_LINES:
        empty(f"More than {MOST_LINES:,} lines: too many to compare here.")
        return
    found = await asyncio.to_thread(lambda: list(pieces(*texts)))
    if not found:
        empty("There is no difference.")
        return
    with tag("pre", classes="code-block diff", tabindex=0, role="region", aria_label=label):
        for piece in found:
            if piece.after_gap:
                tag("span", "⋯\n", "gap", aria_hidden="true")
            sign = {"ins": "+ ", "del": "- "}.get(piece.kind, "  ")
            tag(piece.kind, "".join(f"{sign}{line}\n" for line in piece.lines))


def pieces(old: list[str], new: list[str]) -> Iterator[Piece]:
    """Yield what changed, with the lines around it."""
    for number, group in enumerate(SequenceMatcher(None, old, new).get_grouped_opcodes(AROUND)):
        after_gap = number > 0 or group[0][1] > 0
        for word, start, end, first, last in group:
            if word == "equal":
                yield Piece("span", tuple(old[start:end]), after_gap)
                after_gap = False
                continue
            for kind, lines in (("del", old[start:end]), ("ins", new[first:last])):
                if lines:
                    yield Piece(kind, tuple(lines), after_gap)
                    after_gap = False


def show_lines(lines: Iterable[str], label: str, *, more: bool = False) -> None:
    """Show the lines of a unified diff as the API tells them."""
    kinds = {"+": "ins", "-": "del"}
    with tag("pre", classes="code-block diff", tabindex=0, role="region", aria_label=label):
        for line in lines:
            tag("span", "⋯\n", "gap") if line.startswith("@@") else tag(kinds.get(line[:1], "span"), f"{line}\n")
        if more:
            tag("span", "⋯ more lines differ\n", "gap")
