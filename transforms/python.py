"""Maps that are Python functions, `map: python:carriers.normalise`, for what an expression cannot say."""

import inspect
import math
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from crossdock.kernel import jsontext, yamlfile
from crossdock.kernel.content import beginning, did_you_mean
from crossdock.kernel.expression import View
from crossdock.kernel.problems import Problem, Refused, refuse
from transforms.timelimit import TookTooLong, within

PREFIX = "python:"
_NAMED = re.compile(r"python:([a-z_][a-z0-9_]*)\.([A-Za-z_][A-Za-z0-9_]*)\Z")
_FILES = re.compile(rb"python:([a-z_][a-z0-9_]*)\.")
CALL_LIMIT = 1  # seconds, as an expression has
IMPORT_LIMIT = 5  # seconds
_MAX_NODES = 1_000_000
_NO_TEXT = re.compile("[\ud800-\udfff\ufdd0\ufdd1]")  # halves of a character, and what `expression` marks numbers with


@dataclass(frozen=True, slots=True)
class PythonMap:
    """A function `(data, event)` of a module beside the content; both are copies that it may change."""

    name: str
    file: str
    function: Callable[[Any, dict[str, Any]], Any]

    def evaluate(self, view: View) -> Any:
        """Return what the function makes of an event.

        Raises:
            Refused: `transform_failed` with the function, and the line in which it failed.
        """
        event = view.event
        call = partial(self.function, jsontext.own_loads(jsontext.dumps(event.data)), event.attributes())
        try:
            value = within(CALL_LIMIT, call)
        except TookTooLong as error:
            told = f"{self.name} took longer than {CALL_LIMIT} s{self._line(error)}"
            raise refuse("transform_failed", told, rule=self.name) from None
        except (Exception, SystemExit) as error:
            told = f"{self.name}: {type(error).__name__}: {error}"[:300] + self._line(error)
            raise refuse("transform_failed", told, rule=self.name) from None
        if wrong := _not_json(value):
            raise refuse("transform_failed", f"{self.name} gives {wrong}", rule=self.name)
        return value

    def _line(self, error: BaseException) -> str:
        line = _last_line(error, self.file)
        return f" ({self.file}:{line})" if line else ""


def load(text: str, folder: Path, root: Path) -> PythonMap:
    """Return the function that `python:<module>.<function>` names, of a module directly in the folder.

    Raises:
        Refused: `bad_value`, `missing_file`, `outside`, `too_large`, `bad_python`, `unknown_function`.
    """
    named = _NAMED.match(text.strip())
    if not named:
        raise refuse("bad_value", f"{text.strip()[:80]} names no function", "python:carriers.normalise, of carriers.py")
    path = folder / f"{named[1]}.py"
    if not path.is_file():
        raise refuse("missing_file", f"there is no {folder.name}/{path.name}")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise refuse("outside", f"{path.name} is not inside {folder.name}/", "copy the file there")
    file = path.relative_to(root).as_posix()
    if path.stat().st_size > yamlfile.MAX_BYTES:
        raise Refused([Problem("too_large", f"larger than {yamlfile.MAX_BYTES >> 20} MiB").at(file)])
    module = _module(path, file)
    function = getattr(module, named[2], None)
    if not inspect.isfunction(function):
        own = [name for name, value in vars(module).items() if inspect.isfunction(value)]
        raise refuse("unknown_function", f"{file} has no function {named[2]}", did_you_mean(named[2], own))
    _check_signature(function, f"{named[1]}.{named[2]}", file)
    return PythonMap(f"{named[1]}.{named[2]}", file, function)


def modules(folder: Path) -> list[Path]:
    """Return the modules that the content files of a folder name; engine modules may lie there too."""
    named = {name.decode() for path in folder.rglob("*.yaml") for name in _FILES.findall(beginning(path))}
    return [path for name in sorted(named) if (path := folder / f"{name}.py").is_file()]


def _module(path: Path, file: str) -> ModuleType:
    """Run a module from its text: without a cache of it, which tells changes of one second not apart."""
    module = ModuleType(path.stem)
    try:
        code = compile(path.read_bytes(), file, "exec")
        within(IMPORT_LIMIT, partial(exec, code, module.__dict__))
    except SyntaxError as error:
        where = error.lineno or 1, error.offset or 1
        raise Refused([Problem("bad_python", str(error.msg)).at(file, *where)]) from None
    except TookTooLong as error:
        problem = Problem("bad_python", f"its import took longer than {IMPORT_LIMIT} s", "only define functions there")
        raise Refused([problem.at(file, _last_line(error, file) or 1)]) from None
    except (Exception, SystemExit) as error:
        problem = Problem("bad_python", f"{type(error).__name__}: {error}"[:300], "the module fails when it is loaded")
        raise Refused([problem.at(file, _last_line(error, file) or 1)]) from None
    return module


def _last_line(error: BaseException, file: str) -> int | None:
    """Return the line of a file in which an exception arose, None if it did elsewhere."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return lines[-1] if lines else None


def _check_signature(function: Callable[..., Any], name: str, file: str) -> None:
    try:
        inspect.signature(function).bind({}, {})
    except TypeError as error:
        problem = Problem("bad_python", f"{name} does not take (data, event): {error}", "def normalise(data, event):")
        raise Refused([problem.at(file, function.__code__.co_firstlineno)]) from None
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        problem = Problem("bad_python", f"{name} is async or a generator", "return the new data")
        raise Refused([problem.at(file, function.__code__.co_firstlineno)])


def _not_json(value: Any) -> str:
    """Say what in a value JSON cannot hold exactly, nothing if it can."""
    level, seen = [value], 0
    for _ in range(jsontext.MAX_DEPTH + 1):
        seen += len(level)
        if seen > _MAX_NODES:
            return f"more than {_MAX_NODES} values"
        if wrong := next(filter(None, map(_wrong, level)), ""):
            return wrong
        containers = [node for node in level if isinstance(node, (dict, list))]
        if not containers:
            return ""
        level = [child for node in containers for child in (node.values() if isinstance(node, dict) else node)]
    return f"what is nested deeper than {jsontext.MAX_DEPTH} levels"


def _wrong(node: Any) -> str:
    """Say what is wrong with one value, not with those in it."""
    if isinstance(node, dict):
        if not all(type(key) is str for key in node):
            return "an object with a key that is not text"
        return next(filter(None, map(_unwritable, node)), "")
    if isinstance(node, float) and not math.isfinite(node):
        return f"{node}, which JSON cannot hold"
    if isinstance(node, int) and not -(2**63) <= node < 2**64:
        return "an integer of more than 64 bits; give it as text"
    if node is not None and not isinstance(node, list) and type(node) not in (bool, int, float, str):
        return f"a {type(node).__name__}, which is not JSON; give a decimal or a time as text"
    return _unwritable(node) if isinstance(node, str) else ""


def _unwritable(text: str) -> str:
    """Say which character of a text no event holds."""
    found = None if text.isascii() else _NO_TEXT.search(text)
    return f"a text with the character U+{ord(found[0]):04X}, which no event can hold" if found else ""
