"""How a role writes its log: a line of text, or one JSON object a line, for each record. Called when a role starts."""

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

JSON, TEXT = "json", "text"
VARIABLE = "CROSSDOCK_LOGS"
BOUND = ("event", "route", "source", "partner", "connector", "alert")  # what `extra` of a record may name
_LONGEST = 16_384  # characters of a message or an error
_PASSWORD = re.compile(r"(://)[^/\s@]*@")


def begin(form: str, process: str) -> None:
    """Write all that this process says as `form` has it: records, warnings, and errors that nobody caught."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines(process) if form == JSON else _TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("asyncssh").setLevel(logging.WARNING)  # which tells each connection and file at INFO
    logging.getLogger("httpx").setLevel(logging.WARNING)  # which tells each look of an open page, and for what
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def line(form: str, process: str, message: str) -> str:
    """Return what the supervisor says in the log of a child."""
    record = logging.LogRecord("crossdock", logging.ERROR, "", 0, message, None, None)
    return _JsonLines(process).format(record) if form == JSON else f"crossdock: {_visible(message)}"


class _JsonLines(logging.Formatter):
    """One object a line, in ASCII: what is text of others cannot begin a line or steer a terminal."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _safe(_message(record)),
            "process": self._process,
        }
        said |= {name: _safe(str(record.__dict__[name])) for name in BOUND if name in record.__dict__}
        if error := _error(self, record):
            said["error"] = _safe(error)
        return json.dumps(said)


class _TextLines(logging.Formatter):
    """A line of text, and the lines of an error below it, none of which looks like a record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s ")

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        record.asctime = self.formatTime(record)
        told = self.formatMessage(record) + _visible(_safe(_message(record)))
        error = _safe(_error(self, record)).splitlines()
        return "\n".join([told, *(f"  {_visible(one)}" for one in error)])


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # arguments that do not fit their text: better the text alone than nothing
        return str(record.msg)


def _error(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = [formatter.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
    return "\n".join([*parts, *([formatter.formatStack(record.stack_info)] if record.stack_info else [])])


def _safe(text: str) -> str:
    """Return text of a bounded length without the passwords of addresses."""
    shown = _PASSWORD.sub(r"\1***@", text)
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…"


def _visible(text: str) -> str:
    """Return text on one line, its control characters made visible."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("crossdock").critical("the process ends by an error", exc_info=(kind, error, trace))


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        what = (told.exc_type, told.exc_value, told.exc_traceback)
        logging.getLogger("crossdock").error("a thread ended by an error", exc_info=what)
