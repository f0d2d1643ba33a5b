"""JSONata expressions with limits, and the guard that keeps big integers exact through them."""

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import jsonatapy

from crossdock.kernel.event import Event
from crossdock.kernel.jsonata_bounds import bounded, may_explode
from crossdock.kernel.jsonata_names import unknown_calls
from crossdock.kernel.problems import refuse

TIMEOUT_MS = 1000
MAX_STACK = 300
MAX_SEQUENCE = 100_000
MAX_PADDED = 65_536  # characters
_SAFE_INTEGER = 2**53
# JSONata computes in doubles. A bigger integer goes in as its digits between two noncharacters (which no
# valid input holds: see event.py) and comes out as the integer again where it stands alone.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_GUARDED = re.compile(f"{_OPEN}(-?[0-9]{{1,20}}){_CLOSE}")  # a query may hold longer ones, which int() refuses

# JSONata's own $lookup(object, key) is kept for objects.
_OVERRIDDEN = {"lookup", "pad", "encodeUrl", "encodeUrlComponent"}
_OURS = "host function raised ValueError: "

Function = Callable[..., Any]


class View:
    """What an expression sees: the data as its root, the envelope as `$event`, in routes who sent it as `$source`.

    Big integers are guarded. `source` is the name of the Crossdock source, empty where nobody knows it.
    """

    __slots__ = ("_bindings", "_source", "data", "event", "guarded")

    def __init__(self, event: Event, source: str = "") -> None:
        self.data = guard(event.data) if event.exact else event.data
        self.guarded = event.exact
        self.event = event
        self._source = source
        self._bindings: dict[str, Any] | None = None

    @property
    def bindings(self) -> dict[str, Any]:
        """The variables, made when the first expression asks for them."""
        if self._bindings is None:
            self._bindings = {"event": self.event.attributes()}
        return self._bindings

    @property
    def source(self) -> dict[str, str]:
        """The source that took the event: its name and its partner."""
        return {"name": self._source, "partner": str(self.event.extensions.get("partner", ""))}


def view(event: Event, source: str = "") -> View:
    """Return the view of an event; made once and shared by all expressions that read it."""
    return View(event, source)


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
        self._reads_source = "$source" in text or "eval" in text
        self._functions = functions or {}
        try:
            compiled = self._compile()
        except ValueError as error:
            raise refuse("bad_expression", str(error), "JSONata: https://docs.jsonata.org") from None
        # What is compiled belongs to the thread that did it; content is also loaded in others, to be used in this one.
        self._compiled = compiled if threading.current_thread() is threading.main_thread() else None
        for name, nearest in unknown_calls(text, functions or {}):
            hint = f"did you mean ${nearest}()?" if nearest else "JSONata: https://docs.jsonata.org"
            raise refuse("unknown_function", f"${name}() is not known", hint)

    def _compile(self) -> Any:
        text = self.text
        compiled = jsonatapy.compile(text)._expr  # the wrapper adds a call per evaluation
        if may_explode(text):
            compiled = jsonatapy.compile(bounded(text))._expr
        for name, function in {**self._functions, **_MENDED}.items():
            if name in text or "eval" in text:  # each function that is registered costs every evaluation
                override = name in _OVERRIDDEN
                (compiled.register_override if override else compiled.register)(name, function)
        return compiled

    def evaluate(self, view: View) -> Any:
        """Return the value, `None` for nothing.

        Raises:
            Refused: `expression_failed` with the reason JSONata gives.
        """
        bindings = view.bindings if self._reads_event else None
        if self._reads_source:
            bindings = {**(bindings or {}), "source": view.source}
        compiled = self._compiled
        if compiled is None:
            compiled = self._compiled = self._compile()
        try:
            value = compiled.evaluate(view.data, bindings, TIMEOUT_MS, MAX_STACK, MAX_SEQUENCE)
        except ValueError as error:
            raise refuse("expression_failed", str(error).removeprefix(_OURS), rule=self.text[:80]) from None
        return release(value) if view.guarded else value


def _pad(value: Any, width: Any, filler: Any = " ") -> str | None:
    """Pad as JSONata does, which would end the process where memory does."""
    if value is None:
        return None
    text, fill = str(plain(value)), str(plain(filler)) or " "
    missing = abs(int(width)) - len(text)
    if abs(width) > MAX_PADDED:
        raise ValueError(f"$pad makes texts of at most {MAX_PADDED} characters")
    more = (fill * missing)[: max(missing, 0)]
    return text + more if width > 0 else more + text


def _encode(safe: str) -> Function:
    """Percent-encode as ECMAScript does, which JSONata takes; jsonatapy 2.2 encodes what RFC 3986 leaves alone."""
    return lambda value: None if value is None else quote(str(plain(value)), safe=safe)


_LEFT_ALONE = "-_.!~*'()"
_MENDED: dict[str, Function] = {
    "pad": _pad,
    "encodeUrl": _encode(_LEFT_ALONE + ";,/?:@&=+$#"),
    "encodeUrlComponent": _encode(_LEFT_ALONE),
}


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
