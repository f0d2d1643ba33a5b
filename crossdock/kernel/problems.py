"""Problems: errors as values, shown the same way in `check`, HTTP answers, dead letters and the console."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

CONCEALED = "the value does not fit"  # the message of a problem whose value and line may be a secret


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a stable code, where it is, what it is and what to do about it.

    The place is `file:line:column` for content files and a JSON pointer (RFC 6901) for payloads.
    `rule` names the schema keyword that was broken, if one was.
    """

    code: str
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    pointer: str = ""
    rule: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.file else self.pointer
        return "  ".join(part for part in (place, self.code, self.message, self.hint) if part)

    def at(self, file: str, line: int = 1, column: int = 1) -> "Problem":
        """Return the same problem, placed in a content file."""
        return replace(self, file=file, line=line, column=column)

    def as_dict(self) -> dict[str, Any]:
        """Return all fields, in the shape of `check --format json`."""
        return asdict(self)

    def as_error(self) -> dict[str, str]:
        """Return the member of an RFC 9457 `errors` list: pointer, rule, message."""
        return {"pointer": self.pointer, "rule": self.rule or self.code, "message": self.message}


class Refused(Exception):
    """Input or content that is wrong; carries every problem found, never none."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class Incomplete(Refused):
    """Content some of which is wrong; `found` is what could be read all the same, so that it can be compared."""

    def __init__(self, problems: Iterable[Problem], found: Any) -> None:
        super().__init__(problems)
        self.found = found


class Unavailable(Exception):
    """A server that Crossdock stands on does not answer; the same act may succeed later."""


def refuse(code: str, message: str, hint: str = "", *, pointer: str = "", rule: str = "") -> Refused:
    """Return a `Refused` with one problem."""
    return Refused([Problem(code, message, hint, pointer=pointer, rule=rule)])
