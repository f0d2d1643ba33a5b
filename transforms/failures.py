"""What the functions of maps refuse; only the name and the text of an exception come back through JSONata."""

from typing import Any, ClassVar

from crossdock.kernel.expression import plain


class Failure(Exception):
    """A value that a function does not take; `code` and `hint` become those of the problem."""

    code: ClassVar[str]
    hint: ClassVar[str] = ""


class MissingRowError(Failure):
    """A key that a lookup table does not have."""

    code = "lookup_missing"


class AwaitedRowError(Failure):
    """A key that a lookup table does not have and that the event shall wait for."""

    code = "lookup_waiting"


class UnknownCodeError(Failure):
    """A value that a code list does not have."""

    code = "unknown_code"
    hint = "add it to `codes`, or give $code a third argument for what is not in the list"


class NotDecimalError(Failure):
    """A value that is not a decimal number, or a result that cannot be written as one."""

    code = "not_decimal"
    hint = 'a decimal number is a text such as "12.50", or a number, of at most 60 digits on each side of the point'


class UnitError(Failure):
    """A unit that is not known, or two that nothing connects."""

    code = "bad_unit"
    hint = 'units are UN/ECE codes or names such as kg, l, each and case; packs need {"each_per_case": 12}'


class Gs1Error(Failure):
    """A text that is no GS1 key or element string."""

    code = "bad_gs1"
    hint = "see the GS1 General Specifications, sections 3 and 7"


class TimeTextError(Failure):
    """A text that is not the time or date a function needs."""

    code = "bad_time"
    hint = "an instant is 2026-03-29T01:30:00Z or with an offset, a local time has none"


class ZoneError(Failure):
    """A time zone that does not exist."""

    code = "unknown_zone"
    hint = "zones are IANA names such as Europe/Berlin"


class LocalTimeError(Failure):
    """A local time that a zone's clocks skip or show twice."""

    code = "ambiguous_time"
    hint = 'say which is meant: $instant(text, zone, "earlier") or "later"'


class NotTextError(Failure):
    """A value that is neither text nor a whole number."""

    code = "not_text"
    hint = "give a text or a whole number"


class BadArgumentError(Failure):
    """An argument that is none of those a function has."""

    code = "bad_arguments"


BY_NAME: dict[str, type[Failure]] = {
    one.__name__: one
    for one in (
        MissingRowError,
        AwaitedRowError,
        UnknownCodeError,
        NotDecimalError,
        UnitError,
        Gs1Error,
        TimeTextError,
        ZoneError,
        LocalTimeError,
        NotTextError,
        BadArgumentError,
    )
}


def shown(value: Any) -> str:
    """Return a value as messages name it."""
    return "nothing" if value is None else repr(plain(value))[:80]


def text(value: Any) -> str:
    """Return a text, or a whole number as its digits.

    Raises:
        NotTextError: for anything else.
    """
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise NotTextError(f"{shown(value)} is not a text")
    return str(value)
