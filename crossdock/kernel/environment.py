"""Values from the environment in content files, for the loaders of connectors and settings; never for expressions."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Document, Path_

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
UNSET = "http://unset.invalid"  # what a check takes for a variable that is not set there


class FromEnvironment(str):
    """Text that holds values of environment variables; its repr, and so every error message, shows their names."""

    written: str

    def __new__(cls, value: str, written: str) -> "FromEnvironment":
        """Return the text `value` that the file has as `written`."""
        text = super().__new__(cls, value)
        text.written = written
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
    missing = tuple(name for name in _VARIABLE.findall(text) if not env.get(name))
    return _VARIABLE.sub(lambda match: env.get(match[1], ""), text), missing


def _expand(document: Document, path: Path_, value: Any, env: Mapping[str, str], problems: list[Problem]) -> Any:
    if isinstance(value, dict):
        return {key: _expand(document, (*path, key), child, env, problems) for key, child in value.items()}
    if isinstance(value, list):
        return [_expand(document, (*path, i), child, env, problems) for i, child in enumerate(value)]
    if not isinstance(value, str) or not (names := _VARIABLE.findall(value)):
        return value
    for name in (name for name in names if name not in env):
        hint = "set the variable, or write the value out"
        problems.append(document.problem(path, "missing_variable", f"the environment has no {name!r}", hint))
    return FromEnvironment(_VARIABLE.sub(lambda match: env.get(match[1], UNSET), value), value)
