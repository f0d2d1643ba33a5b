"""NetSuite: item receipts as transformations of purchase orders, by the REST record API."""

import re
from typing import Any

from simulators.systems.fields import DATE, NUMBER, TEXT, TRUTH, WHOLE, fault, listed, record
from simulators.systems.serving import Answer, Call
from simulators.systems.tokens import KeyClient

CLIENT = KeyClient("netsuite-client", "netsuite-certificate", "rest_webservices", "netsuite-token")
TOKENS = "/services/rest/auth/oauth2/v1/token"
_PATH = re.compile(r"/services/rest/record/v1/purchaseOrder/([0-9]+)/!transform/itemReceipt")
_LINE = record({"orderLine": WHOLE, "quantity": NUMBER, "itemReceive": TRUTH}, {"location": record({"id": TEXT})})
RECEIPT = record({"item": record({"items": listed(_LINE)})}, {"externalId": TEXT, "tranDate": DATE, "memo": TEXT})


class NetSuite:
    """Holds receipts; purchase orders that it does not have are not found."""

    def __init__(self, orders: tuple[str, ...] = ("1841", "1842")) -> None:
        self.taken: list[Any] = []
        self._orders = orders

    def answer(self, call: Call) -> Answer:
        """Answer as the record API does: 204 without a body when a record was made."""
        if call.path == TOKENS:
            return CLIENT.give(call)
        if not CLIENT.proven(call):
            return _refused(401, "Unauthorized", "INVALID_LOGIN", "Invalid login attempt.")
        found = _PATH.fullmatch(call.path)
        if not found or found[1] not in self._orders:
            return _refused(404, "Not Found", "NONEXISTENT_ID", "The record instance does not exist.")
        document = call.json()
        if wrong := fault(RECEIPT, document):
            code = "INVALID_CONTENT" if wrong.kind == "unknown" else "USER_ERROR"
            return _refused(
                400, "Bad Request", code, f"Error while accessing a resource: {wrong.place} is {wrong.kind}."
            )
        if document.get("externalId") in [one.get("externalId") for one in self.taken]:
            return _refused(400, "Bad Request", "DUP_RCRD", "This record already exists.")
        self.taken.append(document)
        return Answer(204, "", {"location": f"/services/rest/record/v1/itemReceipt/{9000 + len(self.taken)}"})


def _refused(status: int, title: str, code: str, detail: str) -> Answer:
    kind = "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html"
    details = [{"detail": detail, "o:errorCode": code}]
    return Answer(status, {"type": kind, "title": title, "status": status, "o:errorDetails": details})
