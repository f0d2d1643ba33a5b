"""What devices and partners send, made from a seed: called by `simulators.devices`, by tests and by the benchmark.

Each generator yields posts without end: a list of CloudEvents envelopes that the device sends at once.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from simulators.maker import Envelope, Maker

Post = list[Envelope]

STORES = ("0017", "0042", "0058", "0103", "0121", "0144")
WAREHOUSES = ("DC-01", "DC-02")
REPEATED = 0.03  # share of posts that are sent again
FIRST_TRANSACTION = 2**53 + 1  # beyond what a double holds: it must arrive unchanged
PARCEL = ("pre_transit", "in_transit", "in_transit", "out_for_delivery", "delivered")
UPS_TYPES = {"pre_transit": "M", "in_transit": "I", "out_for_delivery": "I", "delivered": "D", "failure": "X"}


def till(make: Maker, store: str) -> Iterator[Post]:
    """Sales and some returns of one store; now and then a till sends the same receipt two or three times."""
    while True:
        event = _return(make, store) if make.random.random() < 0.08 else _sale(make, store)
        yield [event]
        while make.random.random() < REPEATED:
            yield [event]


def _sale(make: Maker, store: str) -> Envelope:
    data = _receipt(make, store, "sold_at")
    data["amount"] = str(sum((Decimal(line["price"]) * line["qty"] for line in data["lines"]), Decimal(0)))
    if make.random.random() < 0.4:
        return make.event("pos.sale", "1.0", data)
    data["till"] = str(make.random.randint(1, 9))
    if make.random.random() < 0.6:
        data["customer"] = f"C-{make.random.randint(1, 400)}"
    return make.event("pos.sale", "1.1", data)


def _return(make: Maker, store: str) -> Envelope:
    data = _receipt(make, store, "returned_at")
    data["sale_receipt"], data["receipt"] = data["receipt"], "R" + data["receipt"]
    for line in data["lines"]:
        line["condition"] = make.random.choice(["resellable", "resellable", "inspect", "damaged"])
    return make.event("pos.return", "1.0", data)


def _receipt(make: Maker, store: str, when: str) -> dict[str, Any]:
    prices = {item.gtin: str(item.price) for item in make.items}
    number = make.number()
    return {
        "store": store,
        "receipt": f"{make.run}-{number}",
        when: make.time(),
        "transaction": FIRST_TRANSACTION + 2 * number,
        "currency": "EUR",
        "lines": [{**line, "price": prices[line["gtin"]]} for line in make.lines(4, large=0.08)],
    }


def handheld(make: Maker, site: str) -> Iterator[Post]:
    """Scans of one site: single ones while online, up to 200 at once after being offline."""
    while True:
        size = make.random.choice([1, 1, 1, 2, 5, 12]) if make.random.random() < 0.9 else make.random.randint(40, 200)
        post = [_scan(make, site) for _ in range(size)]
        yield post
        if make.random.random() < REPEATED:  # the answer was lost on the way out of the radio shadow
            yield post


def _scan(make: Maker, site: str) -> Envelope:
    kind = make.random.choices(["receipt", "putaway", "count", "transfer"], [4, 4, 2, 1])[0]
    number = f"{make.run}-{make.device}-{make.number()}"
    data: dict[str, Any] = {"device": make.device, "site": site, "scanned_at": make.time(), "lines": make.lines(3)}
    if kind == "receipt":
        data |= {"receipt": number, "shipment": f"ASN-{make.run}-{make.random.randint(1, 40)}"}
        for line in data["lines"]:
            line.update(uom="case", condition=make.random.choice(["good", "good", "good", "hold", "damaged"]))
    elif kind == "putaway":
        data["task"] = number
        _put(make, data)
    elif kind == "count":
        data["count"] = number
    else:
        data |= {"transfer": number, "to_site": make.random.choice([s for s in STORES if s != site])}
    return make.event(f"handheld.{kind}", "1.0", data)


def _put(make: Maker, data: dict[str, Any]) -> None:
    pickup = make.random.random() < 0.25
    if pickup:
        data["order"] = f"WEB-{make.run}-{make.random.randint(1, 500)}"
    for line in data["lines"]:
        place = f"A-{make.random.randint(1, 30):02}"
        line.update({"to": "PICKUP-1", "state": "pickup_ready"} if pickup else {"from": "DOCK-1", "to": place})


def supplier(make: Maker) -> Iterator[Post]:
    """Advance ship notices, one a post."""
    shipment = 0
    while True:
        shipment += 1
        yield [make.event("supplier.asn", "1.0", _notice(make, f"ASN-{make.run}-{shipment}"))]


def _notice(make: Maker, shipment: str) -> dict[str, Any]:
    now = make.time()
    return {
        "shipmentIdentifier": shipment,
        "shipmentConfirmationType": "Original",
        "shipmentConfirmationDate": now,
        "shippedDate": now,
        "transportationDetails": {"carrierScac": "ACMX", "transportationMode": "Road"},
        **({"estimatedDeliveryDate": now[:10] + "T23:00:00Z"} if make.random.random() < 0.7 else {}),
        "sellingParty": {"partyId": "ACME"},
        "shipFromParty": {"partyId": "ACME-WEST"},
        "shipToParty": {"partyId": make.random.choice(WAREHOUSES)},
        "shippedItems": [
            {
                "itemSequenceNumber": str(place),
                "vendorProductIdentifier": line["gtin"],
                "shippedQuantity": {"amount": line["qty"], "unitOfMeasure": "Cases"},
                "itemDetails": {"purchaseOrderNumber": f"PO-{make.run}-{make.number()}"},
            }
            for place, line in enumerate(make.lines(6), 1)
        ],
    }


def easypost(make: Maker) -> Iterator[Post]:
    """Parcels under way, as EasyPost tells it; each one's messages come in order, mixed with those of others."""
    for code, status in _parcels(make, "EZ"):
        detail = {"object": "TrackingDetail", "message": status.replace("_", " "), "status": status}
        place = {"object": "TrackingLocation", "city": "ORLANDO", "state": "FL", "country": "US", "zip": "32809"}
        tracker = {"object": "Tracker", "tracking_code": code, "status": status, "carrier": "USPS", "signed_by": None}
        details = [{**detail, "datetime": make.time(), "tracking_location": place}]
        data = {"object": "Event", "description": "tracker.updated", "result": {**tracker, "tracking_details": details}}
        yield [make.event("easypost.tracker", "1.0", data)]


def ups(make: Maker) -> Iterator[Post]:
    """Parcels under way, as UPS Track Alert tells it."""
    for code, status in _parcels(make, "1Z"):
        now = make.time()
        day, clock = now[:10].replace("-", ""), now[11:19].replace(":", "")
        scan = {"type": UPS_TYPES[status], "code": "OT" if status == "out_for_delivery" else "", "description": status}
        data = {"trackingNumber": code, "gmtActivityDate": day, "gmtActivityTime": clock, "activityStatus": scan}
        data["actualDeliveryDate"] = day if status == "delivered" else ""
        yield [make.event("ups.track_alert", "1.0", data)]


def _parcels(make: Maker, prefix: str) -> Iterator[tuple[str, str]]:
    under_way: dict[str, int] = {}
    while True:
        if len(under_way) < 20:
            under_way[f"{prefix}{make.random.randrange(10**6):06}{make.number():010}"] = 0
        code = make.random.choice(list(under_way))
        step = under_way.pop(code)
        yield code, "failure" if make.random.random() < 0.03 else PARCEL[step]
        if step + 1 < len(PARCEL):
            under_way[code] = step + 1
