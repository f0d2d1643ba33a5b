"""SAP S/4HANA: goods movements by OData V2."""

from typing import Any

from multidict import CIMultiDict

from simulators.systems.fields import DECIMAL, Fault, fault, listed, one_of, record, text
from simulators.systems.serving import Answer, Call

USER, PASSWORD, CLIENT = "CROSSDOCK", "sap-password", "100"
ODATA = "/sap/opu/odata/sap/API_MATERIAL_DOCUMENT_SRV/"
_MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT00:00:00$"}
_ITEM = record(
    {"Material": text(40), "Plant": text(4), "GoodsMovementType": text(3), "QuantityInEntryUnit": DECIMAL},
    {
        "StorageLocation": text(4),
        "Batch": text(10),
        "GoodsMovementRefDocType": one_of("", "B", "F", "L"),
        "PurchaseOrder": text(10),
        "PurchaseOrderItem": text(5),
        "EntryUnit": text(3),
        "IssuingOrReceivingPlant": text(4),
        "IssuingOrReceivingStorageLoc": text(4),
        "MaterialDocumentItemText": text(50),
    },
)
DOCUMENT = record(
    {
        "PostingDate": _MOMENT,
        "GoodsMovementCode": one_of("01", "02", "03", "04", "05", "06", "07"),
        "to_MaterialDocumentItem": listed(_ITEM),
    },
    {"DocumentDate": _MOMENT, "ReferenceDocument": text(16), "MaterialDocumentHeaderText": text(25)},
)


class S4Hana:
    """Books material documents; what `refusals` names by material it refuses with that code and message."""

    def __init__(self, refusals: dict[str, tuple[str, str]] | None = None) -> None:
        self.taken: list[Any] = []
        self._refusals = refusals or {}
        self._session = 1

    def end_sessions(self) -> None:
        """Let tokens that were given be good no more."""
        self._session += 1

    def answer(self, call: Call) -> Answer:
        """Answer as SAP Gateway does, with its CSRF check: a token is good with the cookies that came with it."""
        if call.basic() != f"{USER}:{PASSWORD}" or call.query.get("sap-client") != CLIENT:
            return Answer(401, "<html><body>Logon failed</body></html>", {"www-authenticate": "Basic"})
        cookies, token = f"SAP_SESSIONID_S4H_{CLIENT}=session-{self._session}%3d", f"token-{self._session}=="
        if call.method in ("GET", "HEAD") and call.path == ODATA:
            asked = call.headers.get("x-csrf-token", "").lower() == "fetch"
            return Answer(200, {"d": {"EntitySets": []}}, _session(cookies, token) if asked else {})
        if call.headers.get("x-csrf-token") != token or cookies not in call.headers.get("cookie", "").split("; "):
            return Answer(403, "CSRF token validation failed", {"x-csrf-token": "Required"})
        if call.method != "POST" or call.path != f"{ODATA}A_MaterialDocumentHeader":
            return _refused(404, "/IWFND/MED/170", "No service found")
        return self._post(call.json())

    def _post(self, document: Any) -> Answer:
        if found := fault(DOCUMENT, document):
            return _refused(400, *_said(found))
        items = document["to_MaterialDocumentItem"]
        refusal = next((self._refusals[item["Material"]] for item in items if item["Material"] in self._refusals), None)
        if refusal:
            return _refused(400, *refusal)
        if any(item["GoodsMovementType"] == "101" and "PurchaseOrder" not in item for item in items):
            return _refused(400, "M7/001", "Check table: entry PurchaseOrder is missing")
        self.taken.append(document)
        return Answer(
            201, {"d": {**document, "MaterialDocumentYear": "2026", "MaterialDocument": f"49{len(self.taken):08}"}}
        )


def _session(cookies: str, token: str) -> CIMultiDict[str]:
    given = (f"sap-usercontext=sap-client={CLIENT}; path=/", f"{cookies}; path=/; HttpOnly")
    return CIMultiDict([("x-csrf-token", token), *(("set-cookie", cookie) for cookie in given)])


def _said(found: Fault) -> tuple[str, str]:
    if found.kind == "unknown":
        return "/IWCOR/CX_DS_EP_PROPERTY_ERROR", f"Property '{found.name}' is invalid"
    return "/IWBEP/CM_MGW_RT/022", f"{found.place} is {found.kind}"


def _refused(status: int, code: str, message: str) -> Answer:
    details = [{"code": code, "message": message, "severity": "error", "target": ""}]
    inner = {"transactionid": "0", "timestamp": "20260302000000", "errordetails": details}
    return Answer(status, {"error": {"code": code, "message": {"lang": "en", "value": message}, "innererror": inner}})
