"""What every simulated device needs to make events from a seed; called by `simulators.events`."""

import csv
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

Envelope = dict[str, Any]

ROOT = Path(__file__).parent.parent
UNKNOWN_GTIN = "9520123499999"
WRONG = 0.01  # share of events that are wrong
_NEEDED = {  # a field without which the event is refused, by type
    "pos.sale": "receipt",
    "pos.return": "receipt",
    "handheld.receipt": "site",
    "handheld.putaway": "site",
    "handheld.count": "site",
    "handheld.transfer": "to_site",
    "supplier.asn": "shipToParty",
    "easypost.tracker": "result",
    "ups.track_alert": "trackingNumber",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One article: what is scanned and what it costs."""

    gtin: str
    price: Decimal


def catalogue() -> list[Item]:
    """Return the items of the shipped lookup table, each with a made-up price."""
    with (ROOT / "transforms/lookups/items.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Item(row["gtin"], Decimal(119 + 230 * i) / 100) for i, row in enumerate(rows)]


class Maker:
    """Names and times the events of one device; `run` keeps the ids of two days apart."""

    def __init__(self, device: str, seed: int, run: str = "run", start: datetime | None = None) -> None:
        self.random = random.Random(f"{seed}/{device}")
        self.device = device
        self.run = run
        self.items = catalogue()
        self._time = start or datetime(2026, 3, 2, 8, tzinfo=UTC)
        self._number = 0

    def number(self) -> int:
        """Return the next number, unique for the device."""
        self._number += 1
        return self._number

    def time(self) -> str:
        """Return the time of the next fact, a little after the last one."""
        self._time += timedelta(milliseconds=self.random.randint(20, 2000))
        return self._time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def event(self, kind: str, version: str, data: dict[str, Any]) -> Envelope:
        """Return the data in an envelope; one in a hundred is wrong."""
        envelope = {
            "specversion": "1.0",
            "id": f"{self.run}-{self.device}-{self.number()}",
            "source": f"urn:crossdock:simulators:{self.device}",
            "type": kind,
            "time": self.time(),
            "dataschema": f"crossdock:/{kind}/{version}",
            "datacontenttype": "application/json",
            "data": data,
        }
        if self.random.random() < WRONG:
            spoil(envelope, refused=self.random.random() < 0.5)
        return envelope

    def lines(self, most: int, *, large: float = 0.0) -> list[dict[str, Any]]:
        """Return scanned lines of different items; a share of them is large."""
        chosen = self.random.sample(self.items, self.random.randint(1, most))
        return [{"gtin": item.gtin, "qty": self._quantity(large)} for item in chosen]

    def _quantity(self, large: float) -> int:
        return self.random.randint(5, 12) if self.random.random() < large else self.random.randint(1, 3)


def spoil(envelope: Envelope, *, refused: bool) -> None:
    """Make an event wrong: the gateway must refuse it, or the lookup must not find what it names."""
    data, kind = envelope["data"], envelope["type"]
    if refused:
        del data[_NEEDED[kind]]
    elif kind == "easypost.tracker":
        data["result"]["status"] = "teleported"
    elif kind == "ups.track_alert":
        data["activityStatus"] = {"type": "Q", "code": "??", "description": "Teleported"}
    elif kind == "supplier.asn":
        data["shippedItems"][0]["vendorProductIdentifier"] = UNKNOWN_GTIN
    else:
        data["lines"][0]["gtin"] = UNKNOWN_GTIN
