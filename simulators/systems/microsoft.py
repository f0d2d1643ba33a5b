"""Systems of Microsoft: journals of Business Central by OData `$batch`, and tasks of Planner by Graph."""

import re
from typing import Any
from urllib.parse import unquote

from simulators.systems.fields import DATE, NUMBER, TEXT, fault, one_of, record, text
from simulators.systems.serving import Answer, Call
from simulators.systems.tokens import Client

BC = Client("bc-client", "bc-secret", "https://api.businesscentral.dynamics.com/.default", "bc-token", in_body=True)
GRAPH = Client("graph-client", "graph-secret", "https://graph.microsoft.com/.default", "graph-token", in_body=True)
_LINE = {
    "Journal_Template_Name": text(10), "Journal_Batch_Name": text(10), "Posting_Date": DATE, "Document_No": text(20),
    "Item_No": text(20), "Location_Code": text(10), "Quantity": NUMBER,
}  # fmt: skip
_MORE = {"Unit_of_Measure_Code": text(10), "Description": text(100), "Bin_Code": text(20), "Variant_Code": text(10)}
PAGES = {
    "ItemJournalLines": record(
        {**_LINE, "Entry_Type": one_of("Purchase", "Sale", "Positive Adjmt.", "Negative Adjmt.")}, _MORE
    ),
    "ItemReclassJournalLines": record({**_LINE, "New_Location_Code": text(10)}, {**_MORE, "New_Bin_Code": text(20)}),
}
_URL = re.compile(r"Company\('([^']+)'\)/(\w+)")
TASK = record(
    {"planId": TEXT, "title": text(255)},
    {
        "bucketId": TEXT,
        "dueDateTime": TEXT,
        "priority": {"type": "integer", "minimum": 0, "maximum": 10},
        "percentComplete": {"type": "integer", "minimum": 0, "maximum": 100},
        "assignments": {"type": "object"},
    },
)


class BusinessCentral:
    """Holds journal lines; a batch with the header `Isolation: snapshot` is one transaction."""

    def __init__(self, unknown_items: tuple[str, ...] = ()) -> None:
        self.taken: list[Any] = []
        self._unknown = unknown_items

    def answer(self, call: Call) -> Answer:
        """Answer a `$batch` with 200 and an answer for each request."""
        if call.path == "/token":
            return BC.give(call)
        if not BC.proven(call):
            return Answer(401, {"error": {"code": "Authentication_InvalidCredentials", "message": "not authenticated"}})
        if call.path != "/ODataV4/$batch" or call.headers.get("isolation") != "snapshot":
            return Answer(404, {"error": {"code": "BadRequest_ResourceNotFound", "message": f"no {call.path}"}})
        asked = (call.json() or {}).get("requests", [])
        made = [self._line(one) for one in asked]
        if all(status == 201 for status, _ in made):
            self.taken += [body for _, body in made]
        answers = [
            {"id": one["id"], "status": status, "headers": {}, "body": body}
            for one, (status, body) in zip(asked, made, strict=True)
        ]
        return Answer(200, {"responses": answers})

    def _line(self, asked: Any) -> tuple[int, Any]:
        found = _URL.fullmatch(unquote(asked["url"]))
        if not found or found[2] not in PAGES or asked["method"] != "POST":
            return 404, _error("BadRequest_ResourceNotFound", f"Resource not found for the segment '{asked['url']}'.")
        if wrong := fault(PAGES[found[2]], asked["body"]):
            return 400, _error(
                "BadRequest", f"The property '{wrong.name}' is {wrong.kind} on the type 'NAV.{found[2]}'."
            )
        if asked["body"]["Item_No"] in self._unknown:
            told = "The field Item No. contains a value that cannot be found in the related table (Item)."
            return 400, _error("Internal_InvalidTableRelation", told)
        return 201, asked["body"]


class Planner:
    """Holds tasks of the plans that there are."""

    def __init__(self, plans: tuple[str, ...] = ("xqQg5FS2LkCp935s-FIFm2QAFkHM",)) -> None:
        self.taken: list[Any] = []
        self._plans = plans

    def answer(self, call: Call) -> Answer:
        """Answer as Microsoft Graph does."""
        if call.path == "/token":
            return GRAPH.give(call)
        if not GRAPH.proven(call):
            return Answer(401, _error("InvalidAuthenticationToken", "Access token is empty or has expired."))
        if call.method != "POST" or call.path != "/v1.0/planner/tasks":
            return Answer(404, _error("ResourceNotFound", "Resource not found for the segment."))
        task = call.json()
        if wrong := fault(TASK, task):
            return Answer(400, _error("BadRequest", f"Schema validation has failed: '{wrong.name}' is {wrong.kind}."))
        if task["planId"] not in self._plans:
            return Answer(404, _error("", "The requested item is not found."))
        self.taken.append(task)
        return Answer(201, {**task, "id": f"task-{len(self.taken)}"})


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
