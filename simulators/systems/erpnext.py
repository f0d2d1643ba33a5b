"""ERPNext 15: documents by REST, as `/api/resource/<doctype>` of the Frappe framework takes them.

Stricter than the real one in one thing: that one passes over fields that it does not know.
"""

from typing import Any

from simulators.systems.fields import CLOCK, DATE, FLAG, NUMBER, TEXT, Fault, fault, listed, one_of, record
from simulators.systems.serving import Answer, Call

KEY, SECRET = "erpnext-key", "erpnext-secret"
_UNIQUE = "custom_crossdock_key"

_HEAD = {"doctype": TEXT, "docstatus": FLAG, "company": TEXT, "posting_date": DATE, "posting_time": CLOCK}
_MORE = {"set_posting_time": FLAG, "remarks": TEXT, _UNIQUE: TEXT}
_BATCH = {"batch_no": TEXT, "use_serial_batch_fields": FLAG}
_RECEIVED = record(
    {"item_code": TEXT, "qty": NUMBER, "warehouse": TEXT}, {"uom": TEXT, "purchase_order": TEXT, **_BATCH}
)
_ENTERED = record(
    {"item_code": TEXT, "qty": NUMBER},
    {"uom": TEXT, "s_warehouse": TEXT, "t_warehouse": TEXT, "allow_zero_valuation_rate": FLAG, **_BATCH},
)
_COUNTED = record({"item_code": TEXT, "warehouse": TEXT, "qty": NUMBER}, {"valuation_rate": NUMBER})
DOCTYPES = {
    "Purchase Receipt": record(
        {**_HEAD, "supplier": TEXT, "items": listed(_RECEIVED)}, {**_MORE, "supplier_delivery_note": TEXT}
    ),
    "Stock Entry": record(
        {
            **_HEAD,
            "stock_entry_type": one_of("Material Receipt", "Material Issue", "Material Transfer"),
            "items": listed(_ENTERED),
        },
        _MORE,
    ),
    "Stock Reconciliation": record(
        {**_HEAD, "purpose": one_of("Stock Reconciliation", "Opening Stock"), "items": listed(_COUNTED)}, _MORE
    ),
}


class ErpNext:
    """Holds documents; items that it does not know are refused, and so is a key that it has."""

    def __init__(self, unknown_items: tuple[str, ...] = ()) -> None:
        self.taken: list[Any] = []
        self._unknown = unknown_items

    def answer(self, call: Call) -> Answer:
        """Answer as the document API does."""
        if call.headers.get("authorization") != f"token {KEY}:{SECRET}":
            return _refused(401, "AuthenticationError", "Invalid authorization")
        if call.path == "/api/method/frappe.auth.get_logged_user":
            return Answer(200, {"message": "crossdock@example.com"})
        doctype = call.path.removeprefix("/api/resource/")
        if call.method != "POST" or doctype not in DOCTYPES:
            return _refused(404, "DoesNotExistError", f"DocType {doctype} not found")
        return self._insert(doctype, call.json())

    def _insert(self, doctype: str, document: Any) -> Answer:
        if found := fault(DOCTYPES[doctype], document):
            return _refused(417, *_said(doctype, found))
        missing = next((line["item_code"] for line in document["items"] if line["item_code"] in self._unknown), "")
        if missing:
            return _refused(417, "LinkValidationError", f"Could not find Row #1: Item Code: {missing}")
        key = document.get(_UNIQUE)
        if key and key in [one.get(_UNIQUE) for one in self.taken]:
            return _refused(417, "UniqueValidationError", f"{doctype}: {_UNIQUE} must be unique")
        self.taken.append(document)
        return Answer(200, {"data": {**document, "name": f"DOC-{len(self.taken):05}"}})


def _said(doctype: str, found: Fault) -> tuple[str, str]:
    if found.kind == "missing":
        return "MandatoryError", f"[{doctype}]: {found.place}"
    return "ValidationError", f"{doctype}: {found.place} is {found.kind}"


def _refused(status: int, kind: str, text: str) -> Answer:
    messages = '["{\\"message\\": \\"' + text + '\\"}"]'
    return Answer(
        status, {"exception": f"frappe.exceptions.{kind}: {text}", "exc_type": kind, "_server_messages": messages}
    )
