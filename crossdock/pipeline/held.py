"""The deliveries in a lane's hands: by sequence, and by key in the order of the stream."""

from collections import OrderedDict, deque
from collections.abc import Iterable

from crossdock.kernel.stream import Message
from crossdock.pipeline.delivery import Delivery

RUNNABLE = 1000  # deliveries taken from the stream beyond those that wait for a retry, their own or their key's
MOST = 10_000  # deliveries of a lane in memory
REMEMBERED = 20_000  # sequences settled lately: a lost acknowledgement does not send them again


class Held:
    """What a lane has taken and not yet given back; a key that waits for a retry does not count against the others."""

    def __init__(self) -> None:
        self._by_seq: dict[int, Delivery] = {}
        self._keys: dict[str, deque[Delivery]] = {}
        self._parked: set[str] = set()
        self._settled: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_seq)

    def messages(self) -> list[Message]:
        """Return the latest hand-out of each."""
        return [delivery.message for delivery in self._by_seq.values()]

    def room(self, limit: int) -> int:
        """Return how many more may be taken when `limit` may be under way."""
        waiting = sum(len(self._keys[key]) for key in self._parked)
        return min(limit - len(self._by_seq) + waiting, MOST - len(self._by_seq))

    def again(self, message: Message) -> bool:
        """Tell whether this is a second hand-out of something held, and remember the newer one for the answer."""
        held = self._by_seq.get(message.seq)
        if held is not None:
            held.message = message
        return held is not None

    def is_settled(self, seq: int) -> bool:
        """Tell whether this was brought to its end lately."""
        return seq in self._settled

    def take(self, delivery: Delivery) -> None:
        """Hold a delivery."""
        self._by_seq[delivery.message.seq] = delivery

    def line_up(self, delivery: Delivery) -> bool:
        """Put a delivery behind others of its key; true when it is the first, so that someone must work on the key."""
        queue = self._keys.setdefault(delivery.key, deque())
        queue.append(delivery)
        return len(queue) == 1

    def first(self, key: str) -> Delivery | None:
        """Return the delivery whose turn it is, or None when the key has none left."""
        queue = self._keys.get(key)
        return queue[0] if queue else None

    def next(self, key: str) -> None:
        """End the turn of the first of a key."""
        queue = self._keys[key]
        queue.popleft()
        if not queue:
            del self._keys[key]

    def park(self, key: str, parked: bool) -> None:
        """Note that a key waits for a retry, or does so no more."""
        (self._parked.add if parked else self._parked.discard)(key)

    def release(self, deliveries: Iterable[Delivery]) -> None:
        """Let go of what is recorded and acknowledged."""
        for delivery in deliveries:
            self._by_seq.pop(delivery.message.seq, None)
            self._settled[delivery.message.seq] = None
        while len(self._settled) > REMEMBERED:
            self._settled.popitem(last=False)
