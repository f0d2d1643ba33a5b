"""The line of a content file that a problem is about, with a mark below it; shown by `write_problems`."""

from itertools import islice
from pathlib import Path

from crossdock.kernel.problems import CONCEALED, Problem
from crossdock.kernel.secretlike import secret_lines
from crossdock.kernel.within import leads_out

_WIDTH = 96
_BEFORE = 60  # columns shown before the mark of a long line


def excerpt(problem: Problem, root: Path) -> str:
    """Return the line and the mark, indented; nothing where there is no such line, or a secret may stand in it."""
    line = _line(root / problem.file, problem.line, root) if problem.file and problem.line else ""
    if not line.strip() or problem.message == CONCEALED:
        return ""
    start = max(0, problem.column - 1 - _BEFORE) if len(line) > _WIDTH else 0
    shown = "".join(char if char.isprintable() else " " for char in line[start : start + _WIDTH])
    number = f"{problem.line:>6} | "
    return f"{number}{shown.rstrip()}\n{' ' * (len(number) - 2)}| {' ' * (problem.column - 1 - start)}^"


def _line(path: Path, number: int, root: Path) -> str:
    if leads_out(path, root) or not path.is_file():  # nobody asked for what stands there; a device has no end
        return ""
    try:
        with path.open(errors="replace") as opened:
            lines = [text.rstrip("\n") for text in islice(opened, number)]
    except OSError:
        return ""
    return lines[-1] if len(lines) == number and number - 1 not in secret_lines(lines) else ""
