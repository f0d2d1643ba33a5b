"""How long the next sign-in has to wait after failed ones, of a name and of an address."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from crossdock.kernel.accesssettings import LockoutLimits

MOST = 10_000  # names and addresses that are remembered


@dataclass(slots=True)
class _Count:
    failures: int = 0
    until: float = 0.0  # when the next may be tried
    last: float = 0.0


class Lockout:
    """Counts sign-ins as failed until they are known to be good, so that many at once get no more tries than one."""

    def __init__(self, limits: LockoutLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._counts: dict[str, _Count] = {}

    def begin(self, name: str, address: str) -> float:
        """Count one more try; return 0, or the seconds to wait, and then it is not counted and must not be made."""
        now = self._clock()
        counts = self._of(name, address)
        wait = max(count.until for count, _ in counts) - now
        if wait > 0:
            return wait
        for count, most in counts:
            count.failures, count.last = count.failures + 1, now
            over = count.failures - most
            if over >= 0:
                count.until = now + min(self._limits.most, 2.0 ** min(over, 30))
        return 0.0

    def good(self, name: str, address: str) -> None:
        """Forget what failed of a name, and of its address this one try, which was good."""
        self.undecided(name, address)
        self._counts.pop(_by_name(name), None)

    def undecided(self, name: str, address: str) -> None:
        """Take a try back that could not be made."""
        for count, most in self._of(name, address):
            count.failures = max(0, count.failures - 1)
            if count.failures < most:
                count.until = 0.0

    def _of(self, name: str, address: str) -> list[tuple[_Count, int]]:
        now = self._clock()
        limits = ((_by_name(name), self._limits.failures), (_by_address(address), self._limits.address_failures))
        return [(self._count(key, now), most) for key, most in limits]

    def _count(self, key: str, now: float) -> _Count:
        count = self._counts.get(key)
        if count is None or now - count.last > 2 * self._limits.most:
            count = _Count(last=now)
        self._counts.pop(key, None)
        if len(self._counts) >= MOST:
            self._make_room(now)
        self._counts[key] = count  # at the end: those who tried last are forgotten last
        return count

    def _make_room(self, now: float) -> None:
        """Forget the oldest who need not wait, or else the oldest."""
        free = (key for key, count in self._counts.items() if count.until <= now)
        del self._counts[next(free, next(iter(self._counts)))]


def _by_name(name: str) -> str:
    return f"name {name}"


def _by_address(address: str) -> str:
    """Return what counts as one address: of IPv6 the network of 64 bits, which one subscriber has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return f"address {address}"
    if isinstance(parsed, IPv6Address):
        return f"address {parsed.ipv4_mapped or parsed.packed[:8].hex()}"
    return f"address {parsed}"
