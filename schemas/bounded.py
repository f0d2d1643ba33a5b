"""Compares two versions in bounded time: what may take long is compared in a process of its own, which can be ended."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crossdock.kernel.problems import Refused, refuse
from schemas.compatibility import Change, Comparison, compare
from schemas.contentmodel import ContentModel
from schemas.unchanged import without_unchanged
from schemas.unrolled import effort, is_recursive, weight

SECONDS = 1.8
_LIGHT = 12  # ways through the alternatives, which multiply the work
_SMALL = 60  # subschemas and numbers, for each of which a search may be made
_SHORT = 20_000  # characters of a schema
_TOO_LONG = f"proving it takes longer than {SECONDS:g} s: fewer alternatives or changes at once would help"
_ROOT = Path(__file__).parents[1]


def compare_within(old: Any, new: Any, model: ContentModel = ContentModel.strict) -> Comparison:
    """Compare two versions as `compare` does; what is not known after 1.8 s counts as broken, and says so.

    Raises:
        Refused: as `compare` does.
    """
    old, new = without_unchanged(old, new, model)
    if all(map(_is_light, (old, new))):
        return compare(old, new, model)
    asked = json.dumps({"old": old, "new": new, "model": model.value})
    command = [sys.executable, "-m", "schemas.bounded"]
    paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
    try:
        done = subprocess.run(
            command, input=asked, capture_output=True, text=True, timeout=SECONDS, check=False,
            env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        return _told(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        unknown = Change("", "the changes together", ("backward", "forward"), _TOO_LONG, proven=False)
        return Comparison(False, False, (unknown,))


def _is_light(schema: Any) -> bool:
    """Tell whether comparing a schema cannot take long."""
    ways = weight(schema) <= _LIGHT and effort(schema) < 1000
    return ways and _is_small(schema) and not is_recursive(schema)


def _is_small(schema: Any) -> bool:
    """Tell whether a schema has few values, each of which may cost a search."""
    waiting, seen = [schema], 0
    while waiting and seen <= _SMALL:
        node = waiting.pop()
        if isinstance(node, dict) and "const" in node:
            continue  # as `without_unchanged` leaves what is the same
        seen += not isinstance(node, str)
        waiting += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return seen <= _SMALL and len(json.dumps(schema)) <= _SHORT


def _told(answer: dict[str, Any]) -> Comparison:
    if "refused" in answer:
        raise refuse(*answer["refused"])
    changes = (Change(**{**one, "breaks": tuple(one["breaks"])}) for one in answer["changes"])
    return Comparison(answer["backward"], answer["forward"], tuple(changes))


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return asdict(compare(asked["old"], asked["new"], ContentModel(asked["model"])))
    except Refused as error:
        first = error.problems[0]
        return {"refused": [first.code, first.message, first.hint]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_answer(json.load(sys.stdin))))
