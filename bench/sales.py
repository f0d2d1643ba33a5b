"""The load: sales of about 600 bytes, the same for the same salt; called by the measures."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import orjson

PARTNER, SOURCE = "bench", "tills"
TARGETS = ("erp", "wms", "oms")
BIG = 5  # quantity of a line from which the WMS wants the sale
UNITS = ("EA", "EA", "CS", "KG")
BROKEN_CURRENCY = "ZZZ"  # fits the raw schema, not the canonical one

_NEAR, _FAR = 20, 2000  # places after the first at which a repeat comes; half of them near


@dataclass(frozen=True, slots=True)
class Sale:
    """One event as it is sent, and which targets are to get it: none when it is broken."""

    id: str
    body: bytes
    targets: frozenset[str]
    broken: bool


@dataclass(frozen=True, slots=True)
class Load:
    """Messages in the order in which they come: each a sale, and whether it was there before."""

    sales: Sequence[Sale]
    messages: Sequence[tuple[Sale, bool]]

    @property
    def repeats(self) -> int:
        """How many messages repeat an earlier one."""
        return len(self.messages) - len(self.sales)

    @property
    def broken(self) -> frozenset[str]:
        """The ids that must become dead letters."""
        return frozenset(sale.id for sale in self.sales if sale.broken)


def wanted(sales: Collection[Sale]) -> dict[str, frozenset[str]]:
    """Return the ids that each target must get, once."""
    return {name: frozenset(sale.id for sale in sales if name in sale.targets) for name in TARGETS}


def make_load(salt: int, messages: int, repeats: float = 0.0, broken: int = 0) -> Load:
    """Return `messages` messages, of which a share repeats earlier ones and some number is broken."""
    dice = random.Random(salt)
    unique = messages - int(messages * repeats)
    bad = frozenset(dice.sample(range(unique), broken))
    sales = [make_sale(dice, salt, number, broken=number in bad) for number in range(unique)]
    again = dice.sample([number for number in range(unique) if number not in bad], messages - unique)
    places = [(float(number), sale, False) for number, sale in enumerate(sales)]
    for number in again:
        distance = dice.randint(1, _NEAR if dice.random() < 0.5 else _FAR)
        places.append((number + distance + 0.5, sales[number], True))
    places.sort(key=lambda place: place[0])
    return Load(sales, [(sale, repeat) for _, sale, repeat in places])


def make_sale(dice: random.Random, salt: int, number: int, *, broken: bool = False) -> Sale:
    """Return one sale: a third have a big line, a third have a customer."""
    big, known = dice.random() < 1 / 3, dice.random() < 1 / 3
    quantities = [dice.randint(1, BIG - 1) for _ in range(3)]
    if big:
        quantities[dice.randrange(3)] = dice.randint(BIG, BIG + 20)
    cents = [dice.randint(99, 9999) for _ in quantities]
    store = f"{dice.randrange(400):04}"
    data = {
        "store": store,
        "receipt": f"R-20261121-{store}-{number:08}",
        "lines": [
            {
                "gtin": f"{dice.randrange(4 * 10**12, 5 * 10**12):014}",
                "sku": f"SKU-{dice.randrange(10**6):06}-WINTER-JACKET-BLUE-{line:02}",
                "qty": quantity,
                "uom": dice.choice(UNITS),
                "price": _money(price),
            }
            for line, (quantity, price) in enumerate(zip(quantities, cents, strict=True))
        ],
        "total": _money(sum(q * c for q, c in zip(quantities, cents, strict=True))),
        "currency": BROKEN_CURRENCY if broken else "EUR",
        "customer": f"C-{dice.randrange(10**8):08}" if known else None,
    }
    name = sale_id(salt, number)
    targets = frozenset(("erp", *(["wms"] if big else []), *(["oms"] if known else [])))
    return Sale(name, orjson.dumps(envelope(name, data)), frozenset() if broken else targets, broken)


def reference(sale: Sale) -> dict[str, object]:
    """Return what must stand in a delivery of this sale; the peers' harness demands the same of the peers."""
    event = orjson.loads(sale.body)
    data = event["data"]
    names = {"sku": "item", "gtin": "gtin", "qty": "quantity", "uom": "unit", "price": "amount"}
    return {
        "event_id": event["id"],
        "event_type": "inventory.sold",
        "occurred_at": event["time"],
        "location": f"STORE-{data['store']}",
        "lines": [{ours: line[theirs] for theirs, ours in names.items()} for line in data["lines"]],
        "line_count": len(data["lines"]),
        "total": data["total"],
        "business_key": f"{data['store']}/{data['receipt']}",
    }


def sale_id(salt: int, number: int) -> str:
    """Return an id in the form of a UUID."""
    return f"{salt & 0xFFFFFFFF:08x}-0000-4000-8000-{number:012x}"


def envelope(name: str, data: object) -> dict[str, object]:
    """Return a structured CloudEvent."""
    return {
        "specversion": "1.0",
        "id": name,
        "type": "pos.sale",
        "source": "pos/store-0042/till-3",
        "time": "2026-11-21T10:11:12.345Z",
        "datacontenttype": "application/json",
        "data": data,
    }


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
