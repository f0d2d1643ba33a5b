"""Moments as people and partners write them, in exact microseconds; called by lookups."""

import re
from datetime import UTC, datetime, timedelta

_WRITTEN = re.compile(
    r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:(?P<second>\d{2})(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?)?\Z", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(microseconds=1)


def microseconds(text: object) -> int:
    """Return microseconds since 1970 of a date, or of a date and time; both are UTC unless they say their offset.

    Raises:
        ValueError: it is neither.
    """
    written = _WRITTEN.match(text) if isinstance(text, str) else None
    if written is None:
        raise ValueError(f"{str(text)[:40]!r} is neither a date nor a time, such as 2026-11-01 or 2026-11-01T06:00:00Z")
    plain = written[0].upper()
    if written["second"] == "60":  # a leap second, which RFC 3339 allows and datetime does not know
        plain = plain[:17] + "59" + plain[19:]
    moment = datetime.fromisoformat(plain)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _STEP
