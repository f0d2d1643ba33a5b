"""Durations and sizes as people write them in YAML: `15s`, `24h`, `256KiB`, `500/s`."""

import re

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

DURATION = r"^\d+(ms|s|m|h|d|w)$"
SIZE = r"^\d+(B|KiB|MiB|GiB)$"
RATE = r"^\d+/s$"


def seconds(text: str) -> float:
    """Return the seconds of a duration that matches `DURATION`."""
    number, unit = re.findall(r"\d+|\D+", text)
    return int(number) * _SECONDS[unit]


def duration(length: float) -> str:
    """Return seconds as people write them, in the largest unit that leaves a whole number."""
    fitting = [(unit, one) for unit, one in _SECONDS.items() if length >= one and round(length / one, 6) % 1 == 0]
    unit, one = fitting[-1] if fitting else ("s", 1)
    return f"{length / one:g}{unit}"


def size(text: str) -> int:
    """Return the bytes of a size that matches `SIZE`."""
    number, unit = re.findall(r"\d+|\D+", text)
    return int(number) * _BYTES[unit]
