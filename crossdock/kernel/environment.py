"""Values from the environment or a file in content files, for connectors and settings; never for expressions."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Document, Path_

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_FILE = "file:"  # `${file:/run/secrets/erp}` is what that file holds
_MOST = 64 << 10  # bytes of such a file
UNSET = "http://unset.invalid"  # what a check takes for a variable that is not set there


class FromEnvironment(str):
    """Text that holds values of environment variables; its repr, and so every error message, shows their names."""

    written: str

    def __new__(cls, value: str, written: str) -> "FromEnvironment":
        """Return the text `value` that the file has as `written`."""
        text = super().__new__(cls, value)
        text.written = re.sub(r"\$\{file:[^}]*\}", "${file}", written)  # where secrets lie is nobody's business
        return text

    def __repr__(self) -> str:
        return repr(self.written)


def has_variable(value: Any) -> bool:
    """Tell whether a value is text with a `${NAME}` in it."""
    return isinstance(value, str) and _VARIABLE.search(value) is not None


def expand(document: Document, env: Mapping[str, str]) -> Document:
    """Return the document with each `${NAME}` in a string value replaced; keys stay as they are.

    Raises:
        Refused: `missing_variable` for every variable that is not set.
    """
    filled, problems = fill(document, env)
    if problems:
        raise Refused(problems)
    return filled


def fill(document: Document, env: Mapping[str, str]) -> tuple[Document, list[Problem]]:
    """Return the document as `expand` does, with a placeholder for each variable that is not set, and these."""
    problems: list[Problem] = []
    value = _expand(document, (), document.value, env, problems)
    return replace(document, value=value), problems


def expand_known(text: str, env: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return a text with each `${NAME}` replaced, and the names that are not set or empty."""
    found = {name: _value(name, env) for name in _VARIABLE.findall(text)}
    missing = tuple(name for name, value in found.items() if not value)
    return _VARIABLE.sub(lambda match: found[match[1]] or "", text), missing


def named(text: str, given: Iterable[Any]) -> str:
    """Return a text made of these values with the name of the variable that is not set for each placeholder in it."""
    unset = [one for one in given if isinstance(one, FromEnvironment) and UNSET in one]
    names = {name for one in unset for name in _VARIABLE.findall(one.written)}
    return text.replace(UNSET, f"${{{names.pop() if len(names) == 1 else '...'}}}")


def _value(name: str, env: Mapping[str, str]) -> str | None:
    """Return what a name stands for, None for nothing; a file without the line break at its end."""
    if name in env or not name.startswith(_FILE):
        return env.get(name)
    try:
        with Path(name.removeprefix(_FILE)).open("rb") as opened:
            return opened.read(_MOST).decode().rstrip("\r\n")
    except (OSError, ValueError):
        return None


def _expand(document: Document, path: Path_, value: Any, env: Mapping[str, str], problems: list[Problem]) -> Any:
    if isinstance(value, dict):
        return {key: _expand(document, (*path, key), child, env, problems) for key, child in value.items()}
    if isinstance(value, list):
        return [_expand(document, (*path, i), child, env, problems) for i, child in enumerate(value)]
    if not isinstance(value, str) or not (names := _VARIABLE.findall(value)):
        return value
    found = {name: _value(name, env) for name in names}
    for name in (name for name, text in found.items() if text is None):
        problems.append(document.problem(path, "missing_variable", *_missing(name)))
    return FromEnvironment(_VARIABLE.sub(lambda match: _or_unset(found[match[1]]), value), value)


def _or_unset(text: str | None) -> str:
    return UNSET if text is None else text


def _missing(name: str) -> tuple[str, str]:
    if name.startswith(_FILE):
        return "a file of ${file:...} cannot be read", "it exists, is text, and whoever runs Crossdock may read it"
    return f"the environment has no {name!r}", "set the variable, or write the value out"
