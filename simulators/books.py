"""What each simulated target does with an event it believes; called by `simulators.targets`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Data = dict[str, Any]

REQUIRED: Mapping[str, tuple[str, ...]] = {  # fields a target insists on, by event type
    "inventory.sold": ("location", "document", "amount", "currency", "lines"),
    "inventory.returned": ("location", "document", "amount", "currency", "lines"),
    "inventory.received": ("location", "document", "lines"),
    "inventory.counted": ("location", "document", "lines"),
    "inventory.moved": ("location", "document", "lines"),
    "shipment.announced": ("shipment", "destination", "lines"),
    "shipment.tracked": ("shipment", "carrier", "status"),
}


def missing(kind: str, data: Any) -> list[str]:
    """Return what a target finds wrong with an event, nothing if it is fine."""
    if kind not in REQUIRED:
        return [f"unknown event type {kind!r}"]
    if not isinstance(data, dict):
        return ["the body is not an object"]
    return [f"{name} is missing" for name in REQUIRED[kind] if name not in data]


def _no_change(_state: Data, _data: Data) -> None:
    """Take note of an event that changes nothing here."""


def _add(state: Data, location: str, line: Data, kind: str, quantity: int) -> None:
    stock = state.setdefault("stock", {}).setdefault(location, {}).setdefault(line["item"], {})
    stock[kind] = stock.get(kind, 0) + quantity


def _sold(state: Data, data: Data) -> None:
    for line in data["lines"]:
        _add(state, data["location"], line, "available", -line["quantity"])


def _put_in(state: Data, data: Data) -> None:
    for line in data["lines"]:
        _add(state, data["location"], line, line["state"], line["quantity"])


def _counted(state: Data, data: Data) -> None:
    for line in data["lines"]:
        _add(state, data["location"], line, line["state"], 0)
        state["stock"][data["location"]][line["item"]][line["state"]] = line["quantity"]


def _moved(state: Data, data: Data) -> None:
    goes_to = data.get("to_location") or data["location"]
    for line in data["lines"]:
        _add(state, data["location"], line, line["from_state"], -line["quantity"])
        _add(state, goes_to, line, line["to_state"], line["quantity"])


def _expected(state: Data, data: Data) -> None:
    pieces = sum(line["quantity"] for line in data["lines"])
    state.setdefault("expected", {})[data["shipment"]] = {"destination": data["destination"], "quantity": pieces}


def _received(state: Data, data: Data) -> None:
    shipment = state.setdefault("received", {}).setdefault(data.get("shipment", data["document"]), {})
    shipment[data["document"]] = sum(line["quantity"] for line in data["lines"])


def _refill(state: Data, data: Data) -> None:
    state.setdefault("refill", {}).setdefault(data["location"], []).append(data["document"])


def _shipment(state: Data, data: Data) -> None:
    state.setdefault("shipments", {})[data["shipment"]] = data.get("status", "announced")


def _order(state: Data, data: Data) -> None:
    order = {"customer": data.get("customer", ""), "amount": data["amount"], "returns": []}
    state.setdefault("orders", {})[data["document"]] = order


def _return(state: Data, data: Data) -> None:
    unknown = {"customer": data.get("customer", ""), "amount": "", "returns": []}
    order = state.setdefault("orders", {}).setdefault(data.get("sale", data["document"]), unknown)
    order["returns"].append(data["amount"])


def _pickup(state: Data, data: Data) -> None:
    state.setdefault("pickups", {})[data.get("order", data["document"])] = data["location"]


Booking = Callable[[Data, Data], None]

BOOKINGS: Mapping[str, Mapping[str, Booking]] = {
    "erp": {
        "inventory.sold": _sold,
        "inventory.returned": _put_in,
        "inventory.received": _put_in,
        "inventory.counted": _counted,
        "inventory.moved": _moved,
        "shipment.announced": _shipment,
        "shipment.tracked": _shipment,
    },
    "wms": {
        "inventory.sold": _refill,
        "inventory.received": _received,
        "shipment.announced": _expected,
        "shipment.tracked": _shipment,
    },
    "oms": {
        "inventory.sold": _order,
        "inventory.returned": _return,
        "inventory.moved": _pickup,
        "shipment.announced": _shipment,
        "shipment.tracked": _shipment,
    },
}


@dataclass(slots=True)
class Books:
    """The state of one target: stock for the ERP, expected and received for the WMS, orders for the OMS."""

    target: str
    state: Data = field(default_factory=dict)

    def book(self, kind: str, data: Data) -> None:
        """Let one event have its effect."""
        BOOKINGS.get(self.target, {}).get(kind, _no_change)(self.state, data)

    def order_key(self, kind: str, data: Data) -> str:
        """Return the key by which this target wants events in order."""
        if kind.startswith("shipment."):
            return str(data["shipment"])
        if self.target == "oms":
            return str(data.get("sale") or data.get("order") or data["document"])
        return str(data["location"])
