"""JSONata expressions with limits, and the guard that keeps big integers exact through them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import jsonatapy

from crossdock.kernel.event import Event
from crossdock.kernel.jsonata_names import unknown_calls
from crossdock.kernel.problems import refuse

TIMEOUT_MS = 1000
MAX_STACK = 300
MAX_SEQUENCE = 100_000
_SAFE_INTEGER = 2**53
# JSONata computes in doubles. A bigger integer goes in as its digits between two noncharacters (which no
# valid input holds: see event.py) and comes out as the integer again where it stands alone.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_GUARDED = re.compile(f"{_OPEN}(-?[0-9]{{1,20}}){_CLOSE}")  # a query may hold longer ones, which int() refuses

Function = Callable[..., Any]


class View:
    """What an expression sees: the data as its root, the envelope as `$event`; big integers are guarded."""

    __slots__ = ("_bindings", "_event", "data", "guarded")

    def __init__(self, event: Event) -> None:
        self.data = guard(event.data) if event.exact else event.data
        self.guarded = event.exact
        self._event = event
        self._bindings: dict[str, Any] | None = None

    @property
    def bindings(self) -> dict[str, Any]:
        """The variables, made when the first expression asks for them."""
        if self._bindings is None:
            self._bindings = {"event": self._event.attributes()}
        return self._bindings


def view(event: Event) -> View:
    """Return the view of an event; made once and shared by all expressions that read it."""
    return View(event)


class Expression:
    """A compiled expression; `evaluate` is safe against endless and exploding ones."""

    def __init__(self, text: str, functions: Mapping[str, Function] | None = None) -> None:
        """Compile the text.

        Raises:
            Refused: `bad_expression`, `unknown_function`.
        """
        self.text = text
        # Giving the envelope costs more than a short expression; `$eval` may name it in text made while it runs.
        self._reads_event = "event" in text or "eval" in text
        try:
            self._compiled = jsonatapy.compile(text)._expr  # the wrapper adds a call per evaluation
            for name, function in (functions or {}).items():
                override = name == "lookup"  # JSONata's own $lookup(object, key) is kept for objects
                (self._compiled.register_override if override else self._compiled.register)(name, function)
        except ValueError as error:
            raise refuse("bad_expression", str(error), "JSONata: https://docs.jsonata.org") from None
        for name, nearest in unknown_calls(text, functions or {}):
            hint = f"did you mean ${nearest}()?" if nearest else "JSONata: https://docs.jsonata.org"
            raise refuse("unknown_function", f"${name}() is not known", hint)

    def evaluate(self, view: View) -> Any:
        """Return the value, `None` for nothing.

        Raises:
            Refused: `expression_failed` with the reason JSONata gives.
        """
        bindings = view.bindings if self._reads_event else None
        try:
            value = self._compiled.evaluate(view.data, bindings, TIMEOUT_MS, MAX_STACK, MAX_SEQUENCE)
        except ValueError as error:
            raise refuse("expression_failed", str(error), rule=self.text[:80]) from None
        return release(value) if view.guarded else value


def guard(value: Any) -> Any:
    """Return the value with each integer beyond 2^53 as guarded text."""
    if isinstance(value, dict):
        return {k: guard(v) for k, v in value.items()}
    if isinstance(value, list):
        return [guard(v) for v in value]
    if isinstance(value, int) and not -_SAFE_INTEGER <= value <= _SAFE_INTEGER:
        return f"{_OPEN}{value}{_CLOSE}"
    return value


def release(value: Any) -> Any:
    """Return the value with guarded text as integers again; inside longer text as plain digits."""
    if isinstance(value, dict):
        return {k: release(v) for k, v in value.items()}
    if isinstance(value, list):
        return [release(v) for v in value]
    if isinstance(value, str) and _OPEN in value:
        whole = _GUARDED.fullmatch(value)
        return int(whole[1]) if whole else _GUARDED.sub(r"\1", value)
    return value


def plain(value: Any) -> Any:
    """Return a function's argument as the digits it stands for."""
    return _GUARDED.sub(r"\1", value) if isinstance(value, str) and _OPEN in value else value
