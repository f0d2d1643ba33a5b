"""SAP: IDocs in XML by the service `idoc_xml`."""

import xml.etree.ElementTree as ET

from simulators.systems.sap import CLIENT, PASSWORD, USER
from simulators.systems.serving import Answer, Call

_HEAD = "PSTNG_DATE DOC_DATE REF_DOC_NO BILL_OF_LADING GR_GI_SLIP_NO PR_UNAME HEADER_TXT"
_CONTROL = "TABNAM DIRECT IDOCTYP MESTYP SNDPOR SNDPRT SNDPRN RCVPOR RCVPRT RCVPRN"
_ITEM = "MATERIAL PLANT STGE_LOC BATCH MOVE_TYPE ENTRY_QNT ENTRY_UOM PO_NUMBER PO_ITEM MVT_IND MOVE_PLANT MOVE_STLOC"
SEGMENTS = {  # the fields that a segment may have, and those that it must have
    "EDI_DC40": ({*_CONTROL.split(), "MANDT", "DOCNUM", "ARCKEY"}, {*_CONTROL.split()}),
    "E1BP2017_GM_HEAD_01": ({*_HEAD.split()}, {"PSTNG_DATE", "DOC_DATE"}),
    "E1BP2017_GM_CODE": ({"GM_CODE"}, {"GM_CODE"}),
    "E1BP2017_GM_ITEM_CREATE": ({*_ITEM.split(), "ITEM_TEXT"}, {"MATERIAL", "PLANT", "MOVE_TYPE", "ENTRY_QNT"}),
}


class IdocXml:
    """Takes IDocs of the type MBGMCR03; what the application makes of them is told in SAP only (WE02)."""

    def __init__(self) -> None:
        self.taken: list[ET.Element] = []

    def answer(self, call: Call) -> Answer:
        """Answer as `/sap/bc/idoc_xml` does: 200 for what can be stored."""
        if call.basic() != f"{USER}:{PASSWORD}" or call.query.get("sap-client") != CLIENT:
            return Answer(401, "<html><body>Logon failed</body></html>", {"www-authenticate": "Basic"})
        if call.path != "/sap/bc/idoc_xml" or "xml" not in call.headers.get("content-type", ""):
            return Answer(404, "<html><body>Service cannot be reached</body></html>")
        try:
            document = ET.fromstring(call.body)
        except ET.ParseError as error:
            return Answer(500, f"<html><body>XML parsing: {error}</body></html>")
        if wrong := _idoc_fault(document):
            return Answer(500, f"<html><body>EDISDEF: {wrong}</body></html>")
        self.taken.append(document)
        return Answer(200, "")


def _idoc_fault(document: ET.Element) -> str:
    idoc = document.find("IDOC")
    if document.tag != "MBGMCR03" or idoc is None or idoc.get("BEGIN") != "1":
        return "the document is no IDoc MBGMCR03"
    for segment in idoc.iter():
        if segment.tag not in SEGMENTS:
            if segment.tag not in ("IDOC", "E1MBGMCR") and segment.get("SEGMENT"):
                return f"segment {segment.tag} is unknown"
            continue
        known, needed = SEGMENTS[segment.tag]
        names = {field.tag for field in segment}
        if wrong := sorted(names - known) or sorted(needed - names):
            return f"field {wrong[0]} of segment {segment.tag}"
    lacking = [name for name in SEGMENTS if idoc.find(f".//{name}") is None]
    return f"segment {lacking[0]} is missing" if lacking else ""
