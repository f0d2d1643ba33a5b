"""Makes texts that match a regular expression; the witness search and nobody else needs them."""

import random
import re
import re._constants as code  # type: ignore[import-not-found]  # the parser behind `re` has no other address
import re._parser as parser  # type: ignore[import-not-found]
import string
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

MOST_REPEATS = 40
_TRIES = 12
_PRINTABLE = string.ascii_letters + string.digits + "-_ .,:/@é"
_CLASSES = {"DIGIT": string.digits, "SPACE": " ", "WORD": string.ascii_letters + "_"}


@lru_cache(maxsize=512)
def matching(pattern: str) -> tuple[str, ...]:
    """Return a few texts that match, the shortest first; none for a pattern that Python does not read the same way."""
    try:
        tree = parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return ()
    dice = random.Random(pattern)
    made = {"".join(_texts(tree, _Shape(dice, widen))) for widen in (0, 0, 1, 2, *[4] * _TRIES)}
    return tuple(sorted((text for text in made if re.search(pattern, text)), key=lambda text: (len(text), text)))


class _Shape:
    """How one text is made: `widen` is how much longer than the least a repetition may be."""

    def __init__(self, dice: random.Random, widen: int) -> None:
        self.dice = dice
        self.widen = widen


def _texts(tree: Any, shape: _Shape) -> Iterator[str]:
    for operator, value in tree:
        make = _MAKERS.get(str(operator))
        yield make(value, shape) if make else ""  # anchors and look-around add no text


def _repeat(value: Any, shape: _Shape) -> str:
    least, most, tree = value
    count = shape.dice.randint(least, min(most, least + shape.widen)) if shape.widen else least
    return "".join("".join(_texts(tree, shape)) for _ in range(min(count, MOST_REPEATS)))


def _any_of(value: Any, shape: _Shape) -> str:
    members = [part for part in value if part[0] is not code.NEGATE]
    if len(members) < len(value):
        excluded = {chr(c) for part in members for c in _points(part)}
        return next((c for c in shape.dice.sample(_PRINTABLE, len(_PRINTABLE)) if c not in excluded), "")
    points = list(_points(shape.dice.choice(members)))
    return chr(shape.dice.choice(points)) if points else ""


def _points(part: Any) -> Iterator[int]:
    operator, value = part
    if operator is code.LITERAL:
        yield value
    elif operator is code.RANGE:
        yield from range(value[0], min(value[1], value[0] + 256) + 1)
    elif operator is code.CATEGORY:
        yield from map(ord, _category(value))


def _category(value: Any) -> str:
    name = str(value).rsplit("_", 1)[-1]
    known = _CLASSES.get(name, "")
    return "".join(c for c in _PRINTABLE if c not in known) if "_NOT_" in str(value) else known


def _branch(value: Any, shape: _Shape) -> str:
    return "".join(_texts(shape.dice.choice(value[1]), shape))


_MAKERS: dict[str, Callable[[Any, _Shape], str]] = {
    "LITERAL": lambda value, _: chr(value),
    "NOT_LITERAL": lambda value, shape: next(c for c in _PRINTABLE if c != chr(value)),
    "ANY": lambda _, shape: shape.dice.choice(string.ascii_lowercase),
    "IN": _any_of,
    "BRANCH": _branch,
    "SUBPATTERN": lambda value, shape: "".join(_texts(value[3], shape)),
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "POSSESSIVE_REPEAT": _repeat,
}
