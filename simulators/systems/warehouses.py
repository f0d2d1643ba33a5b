"""Warehouse systems: one that takes tXML, one with a plain REST API, and GreaterWMS."""

import re
import xml.etree.ElementTree as ET
from typing import Any

from simulators.systems.fields import TEXT, TRUTH, WHOLE, fault, listed, one_of, record, text
from simulators.systems.serving import Answer, Call

HEADER = {"Source", "Action_Type", "Reference_ID", "Message_Type", "Company_ID"}
ASN = {"ASNID", "DestinationFacilityAliasID", "ASNDetail"}
XML_USER, XML_PASSWORD = "crossdock", "wms-password"
REST_TOKEN = "wms-token"
GREATER_TOKEN, GREATER_OPERATOR = "greater-token", "1"


class TxmlWarehouse:
    """Takes tXML messages; answers all of them with HTTP 200 and a Response that tells what it makes of them."""

    def __init__(self, facilities: tuple[str, ...] = ("DC01", "DC02")) -> None:
        self.taken: list[ET.Element] = []
        self._facilities = facilities

    def answer(self, call: Call) -> Answer:
        """Answer a message."""
        if call.basic() != f"{XML_USER}:{XML_PASSWORD}":
            return Answer(401, "")
        try:
            message = ET.fromstring(call.body)
        except ET.ParseError as error:
            return _txml(1, f"not XML: {error}")
        if wrong := self._wrong(message):
            return _txml(1, wrong)
        self.taken.append(message)
        return _txml(0, "")

    def _wrong(self, message: ET.Element) -> str:
        header = {field.tag for field in message.findall("Header/*")}
        if message.tag != "tXML" or header != HEADER:
            return f"Header: {', '.join(sorted(header ^ HEADER))}"
        asn = message.find("Message/ASN")
        if asn is None or (missing := ASN - {field.tag for field in asn}):
            return f"ASN: {', '.join(sorted(ASN if asn is None else missing))} missing"
        if asn.findtext("DestinationFacilityAliasID") not in self._facilities:
            return f"facility {asn.findtext('DestinationFacilityAliasID')} is unknown"
        quantities = [detail.findtext("Quantity/ShippedQty") or "" for detail in asn.findall("ASNDetail")]
        return "" if all(map(str.isdigit, quantities)) else "ShippedQty is missing"


def _txml(error: int, detail: str) -> Answer:
    inner = f"<Error_Type>{error}</Error_Type><Response_Details><Description>{detail}</Description></Response_Details>"
    return Answer(200, f"<tXML><Response>{inner}</Response></tXML>", {"content-type": "text/xml"})


SHIPMENT = record(
    {
        "kind": one_of("inbound-shipments"),
        "number": text(64),
        "warehouse": TEXT,
        "replaces": TRUTH,
        "lines": listed(
            record({"line": TEXT, "quantity": WHOLE, "unit": TEXT}, {"sku": TEXT, "order": TEXT, "lot": TEXT})
        ),
    },
    {"supplier": TEXT, "expectedAt": TEXT, "containers": {"type": "array", "items": TEXT}},
)
_MOVED = record(
    {"sku": TEXT, "quantity": WHOLE, "unit": TEXT, "fromState": TEXT, "toState": TEXT},
    {"fromPlace": TEXT, "toPlace": TEXT},
)
MOVEMENT = record(
    {"kind": one_of("stock-movements"), "number": text(160), "warehouse": TEXT, "lines": listed(_MOVED)},
    {"destination": TEXT},
)


KINDS = {"inbound-shipments": SHIPMENT, "stock-movements": MOVEMENT}


class RestWarehouse:
    """Keeps what is put under its number; what has been received is not changed any more."""

    def __init__(self, received: tuple[str, ...] = ()) -> None:
        self.held: dict[str, Any] = {}
        self._received = received

    @property
    def taken(self) -> list[Any]:
        """What is held."""
        return list(self.held.values())

    def answer(self, call: Call) -> Answer:
        """Answer with problem details."""
        if call.headers.get("authorization") != f"Bearer {REST_TOKEN}":
            return _problem(401, "unauthorized", "the token is not known")
        found = re.fullmatch(r"/v1/([a-z-]+)/(.+)", call.path)
        if call.method != "PUT" or not found or found[1] not in KINDS:
            return _problem(404, "not-found", call.path)
        document = call.json()
        if wrong := fault(KINDS[found[1]], document):
            return _problem(422, "invalid", f"{wrong.place} is {wrong.kind}")
        if found[2] != document["number"] or found[2] in self._received:
            return _problem(409, "already-received" if found[2] in self._received else "mismatch", found[2])
        self.held[call.path] = document
        return Answer(204)


def _problem(status: int, kind: str, detail: str) -> Answer:
    return Answer(status, {"type": kind, "status": status, "detail": detail})


STEPS = {
    "/asn/list/": record({"creater": TEXT}),
    "/asn/detail/": record(
        {"asn_code": TEXT, "supplier": TEXT, "goods_code": listed(TEXT), "goods_qty": listed(WHOLE), "creater": TEXT}
    ),
}


class GreaterWms:
    """Opens ASNs under numbers of its own and takes their goods; its framework answers exceptions with 200 or 500."""

    def __init__(self, suppliers: tuple[str, ...] = ("ACME",)) -> None:
        self.taken: list[Any] = []
        self.opened: list[str] = ["ASN00000001"]
        self._suppliers = suppliers

    def answer(self, call: Call) -> Answer:
        """Answer as the app `asn` does."""
        if call.headers.get("token") != GREATER_TOKEN or call.headers.get("operator") != GREATER_OPERATOR:
            return Answer(200, {"detail": "User Token Does Not Exist", "status_code": 500})
        if call.path not in STEPS:
            return Answer(404, {"detail": "Not found."})
        asked = call.json()
        if wrong := fault(STEPS[call.path], asked):
            return Answer(400, {wrong.name: [f"This field is {wrong.kind}."]})
        return self._open(asked) if call.path == "/asn/list/" else self._bring(asked)

    def _open(self, asked: Any) -> Answer:
        self.taken.append(asked)
        self.opened.append(f"ASN{len(self.opened) + 1:08}")
        return Answer(200, {"id": len(self.opened), "asn_code": self.opened[-1], "asn_status": 1, **asked})

    def _bring(self, asked: Any) -> Answer:
        if asked["asn_code"] not in self.opened:
            return Answer(500, {"detail": "ASN Code does not exists"})
        if asked["supplier"] not in self._suppliers:
            return Answer(500, {"detail": "Supplier does not exists"})
        self.taken.append(asked)
        return Answer(200, {"detail": "success"})
