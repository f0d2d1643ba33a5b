"""Differences of content in lines for people: of a text the lines that changed, of a list what came and went."""

from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import ndiff
from itertools import groupby

from crossdock.trial.differences import NOTHING, Difference, shown

_SHORT = 80  # letters of a text that is told as a value
Group = tuple[str, str]


def told(differences: Iterable[Difference]) -> Iterator[list[str]]:
    """Yield the lines of each difference; those of one list of plain values are one."""
    for (what, pointer), group in groupby(differences, _place):
        found = list(group)
        if pointer.endswith("/*"):
            place = f"{what} {pointer[:-2]}".strip()
            yield [f"{place}: {_of_list(found)}"]
            continue
        for one in found:
            yield _of_text(one) or [one.change()]


def _place(difference: Difference) -> Group:
    """Return where a difference is; an item of a list is at `/*`."""
    parent, _, last = difference.pointer.rpartition("/")
    ends = (difference.expected, difference.got)
    plain = all(value is NOTHING or isinstance(value, str | int | float) for value in ends)
    return difference.what, f"{parent}/*" if plain and last.isdecimal() else difference.pointer


def _of_list(differences: Iterable[Difference]) -> str:
    """Say what came and went; what only moved up or down is neither."""
    pairs = [(one.expected, one.got) for one in differences]
    before = Counter(shown(old) for old, _ in pairs if old is not NOTHING)
    after = Counter(shown(new) for _, new in pairs if new is not NOTHING)
    gone, come = (before - after).elements(), (after - before).elements()
    parts = [*(f"{text} is gone" for text in gone), *(f"{text} is new" for text in come)]
    return ", ".join(parts) or "in another order"


def _of_text(difference: Difference) -> list[str]:
    """Return the lines of a text that changed, with `-` before what was and `+` before what is."""
    old, new = difference.expected, difference.got
    if not (isinstance(old, str) and isinstance(new, str)) or len(max(old, new, key=len)) <= _SHORT:
        return []
    changed = [line.rstrip() for line in ndiff(old.splitlines(), new.splitlines()) if line[:1] in "+-"]
    return [f"{difference.what} {difference.pointer}:".strip(), *(f"  {line}" for line in changed)]
