"""What caused a dead letter, as far as many have it in common: by that they are one problem."""

import hashlib
import re
from typing import NamedTuple

from journal import entry

_POINTER = re.compile(r"/\S*")
_INDEX = re.compile(r"(?<=/)\d+(?=/|$)")
_STATUS = re.compile(r"HTTP \d{3}\b")
_LONGEST = 120
_BAR = "|"  # no name of content and no code holds one


class Cause(NamedTuple):
    """The step, its route (or else the source), the code, and the place in the event or the status of the target.

    Places in a list are alike: `/lines/0/gtin` and `/lines/7/gtin` are `/lines/*/gtin`.
    """

    stage: str
    name: str
    reason: str
    place: str

    def text(self) -> str:
        """Return it as it is stored."""
        return _BAR.join(self)


def cause_of(stage: str, name: str, reason: str, detail: str) -> Cause:
    """Return the cause of a failure; its detail begins with a JSON pointer or has the target's status, if either."""
    if stage == entry.DELIVER and (status := _STATUS.search(detail)):
        return Cause(stage, name, reason, status[0])
    pointer = _POINTER.match(detail)
    return Cause(stage, name, reason, _INDEX.sub("*", pointer[0])[:_LONGEST] if pointer else "")


def read(text: str) -> Cause:
    """Return what `text` was made of."""
    return Cause(*text.split(_BAR, 3))


def problem_id(text: str) -> str:
    """Return the id of the problem that all dead letters of a cause are."""
    return "pr-" + hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
