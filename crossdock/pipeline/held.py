"""The deliveries of a route that are on their way: by sequence, and by key in the order of the stream."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

from crossdock.pipeline.delivery import Delivery

RUNNABLE = 1000  # deliveries taken from the stream beyond those that wait for a retry, their own or their key's
LEAST = 100  # room below which a lane counts as full: small batches cost more for each event
MOST = 10_000  # deliveries of a lane in memory
REMEMBERED = 20_000  # sequences settled lately: a lost acknowledgement does not send them again


class Held:
    """What a lane has taken and not yet given back; a key that waits for a retry does not count against the others."""

    def __init__(self) -> None:
        self._by_seq: dict[int, Delivery] = {}
        self._keys: dict[str, deque[Delivery]] = {}
        self._parked: dict[str, int] = {}  # how many of a key wait
        self._waiting = 0
        self._settled: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_seq)

    @property
    def waiting(self) -> int:
        """How many wait for a retry or another event, or behind one of their key that does."""
        return self._waiting

    def oldest(self) -> Delivery | None:
        """Return what was taken first."""
        return next(iter(self._by_seq.values()), None)

    def first(self) -> int:
        """Return the lowest sequence in hand, 0 for none; what comes again is taken after what is newer."""
        return min(self._by_seq, default=0)

    def room(self, limit: int) -> int:
        """Return how many more may be taken when `limit` may be under way."""
        held = len(self._by_seq)
        return min(limit - held + self._waiting, MOST - held)

    def get(self, seq: int) -> Delivery | None:
        """Return the delivery of a sequence that is still held."""
        return self._by_seq.get(seq)

    def is_settled(self, seq: int) -> bool:
        """Tell whether this was brought to its end lately."""
        return seq in self._settled

    def take(self, delivery: Delivery) -> bool:
        """Hold a delivery; true when nothing of its key is before it, so that it may be tried."""
        self._by_seq[delivery.message.seq] = delivery
        if not delivery.key:
            return True
        queue = self._keys.setdefault(delivery.key, deque())
        queue.append(delivery)
        self._waiting += delivery.key in self._parked
        return len(queue) == 1

    def next(self, key: str) -> Delivery | None:
        """End the turn of the first of a key; return the one whose turn it is now, which may be parked."""
        queue = self._keys.get(key)
        if not queue:
            return None
        queue.popleft()
        self._waiting -= key in self._parked
        if queue:
            return queue[0]
        del self._keys[key]
        return None

    def park(self, delivery: Delivery) -> None:
        """Note that a delivery waits, and its key with it."""
        delivery.parked = True
        if not delivery.key:
            self._waiting += 1
        else:
            many = self._parked.get(delivery.key, 0)
            self._parked[delivery.key] = many + 1
            self._waiting += 0 if many else len(self._keys[delivery.key])

    def unpark(self, delivery: Delivery) -> None:
        """Note that it waits no more."""
        delivery.parked = False
        if not delivery.key:
            self._waiting -= 1
        elif self._parked[delivery.key] > 1:
            self._parked[delivery.key] -= 1
        else:
            del self._parked[delivery.key]
            self._waiting -= len(self._keys[delivery.key])

    def head(self, key: str) -> Delivery | None:
        """Return whose turn it is of a key."""
        queue = self._keys.get(key)
        return queue[0] if queue else None

    def bring_forward(self, key: str, wanted: Callable[[Delivery], bool]) -> Delivery | None:
        """Let those of a key that somebody at its head waits for go before it; return the first of them."""
        queue = self._keys[key]
        found = [delivery for delivery in queue if wanted(delivery)]
        if not found:
            return None
        self._keys[key] = deque([*found, *(delivery for delivery in queue if not wanted(delivery))])
        return found[0]

    def parked_keys(self) -> list[tuple[Delivery, int]]:
        """Return of each key that waits the first and how many are behind it, the longest queue first."""
        found = [(self._keys[key][0], len(self._keys[key]) - 1) for key in self._parked]
        return sorted(found, key=lambda one: -one[1])

    def deliveries(self) -> Iterable[Delivery]:
        """Return all, oldest first."""
        return self._by_seq.values()

    def settle(self, deliveries: Iterable[Delivery]) -> None:
        """Let go of what is recorded."""
        for delivery in deliveries:
            self._by_seq.pop(delivery.message.seq, None)
            self._settled[delivery.message.seq] = None
        while len(self._settled) > REMEMBERED:
            self._settled.popitem(last=False)

    def remember(self, before: "Held") -> None:
        """Know what was brought to its end before this took its place."""
        self._settled = before._settled  # to copy it would stop the loop for milliseconds
