"""What errors of databases mean for a delivery."""

import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from connectors.port import Fault, Outcome

_PERMANENT_CLASSES = ("0A", "21", "22", "23", "42", "44")  # of SQLSTATE: data, constraints, names, rights, checks
_LOCKED_BY_OTHERS = {"55P03"}
_MYSQL_PERMANENT = {
    1054,
    1064,
    1142,
    1143,
    1146,
    1292,
    1364,
    1366,
    1406,
    1264,
    1265,
    1048,
    1062,
    1216,
    1452,
    3819,
    4025,
}
_MYSQL_AGAIN = {1205, 1213, 1020, 2006, 2013, 1290, 1792, 1836, 1040, 1053}  # locks, lost connections, read only, full
_SQLITE_PERMANENT = {
    sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_RANGE, sqlite3.SQLITE_NOTADB,
}  # fmt: skip


def fault_of(error: Exception) -> Fault:
    """Return the fault of an error that came before anything was committed."""
    return Fault(_outcome(error), f"{_kind(error)}: {said(error)}")


def said(error: Exception) -> str:
    """Return what is wrong, in the words of the driver: its first line, as the others may quote the statement."""
    original = getattr(error, "orig", None) or error
    arguments: tuple[Any, ...] = original.args
    text = str(arguments[1]) if len(arguments) > 1 and isinstance(arguments[0], int) else str(original)
    lines = text.strip().splitlines()
    return lines[0] if lines else type(original).__name__


def _kind(error: Exception) -> str:
    return type(getattr(error, "orig", None) or error).__name__


def _outcome(error: Exception) -> Outcome:
    if not isinstance(error, DBAPIError):
        return "retry" if isinstance(error, SQLAlchemyError | OSError) else "permanent"
    return "permanent" if not error.connection_invalidated and _is_permanent(error) else "retry"


def _is_permanent(error: DBAPIError) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", None)  # none where the driver itself refuses a value
        return code is None or code & 0xFF in _SQLITE_PERMANENT
    if state := getattr(original, "sqlstate", None):
        return state[:2] in _PERMANENT_CLASSES and state not in _LOCKED_BY_OTHERS
    number = original.args[0] if original is not None and original.args else None
    if number in _MYSQL_AGAIN:
        return False
    return number in _MYSQL_PERMANENT or _kind(error) in ("DataError", "IntegrityError", "ProgrammingError")
