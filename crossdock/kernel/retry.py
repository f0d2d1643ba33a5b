"""How long to wait before the next attempt; the deliver lanes and the route specs use it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """When to try again: pauses grow from `first` to `most` until the delivery is `age` old. All in seconds."""

    age: float = 24 * 3600.0
    first: float = 2.0
    most: float = 600.0


def delay(retry: Retry, attempt: int, random: float) -> float:
    """Return the seconds to wait after the failed attempt (from 1): doubling, jittered between half and full.

    `random` is in [0, 1]; it spreads the deliveries that failed together.
    """
    doublings = min(attempt - 1, 62)  # beyond that every cap is reached, and 2.0**1024 overflows
    return min(retry.most, retry.first * 2.0**doublings) * (0.5 + random / 2)
