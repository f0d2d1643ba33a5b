"""Odoo: creates pickings, by the JSON-2 API of version 19 or by the JSON-RPC of the web client before."""

from typing import Any

from simulators.systems.fields import TEXT, WHOLE, Fault, Schema, fault, listed, record
from simulators.systems.serving import Answer, Call

API_KEY, DATABASE, SESSION = "odoo-key", "retail", "odoo-session"
_MODEL = "stock.picking"
_PLACES = {"location_id": WHOLE, "location_dest_id": WHOLE}


def _picking(moves: str, move: Schema) -> Schema:
    command = {"type": "array", "prefixItems": [{"const": 0}, {"const": 0}, move], "minItems": 3, "maxItems": 3}
    return record(
        {"picking_type_id": WHOLE, **_PLACES, moves: listed(command)}, {"origin": TEXT, "scheduled_date": TEXT}
    )


_MOVE = {"product_id": WHOLE, "product_uom_qty": {"type": "number"}, **_PLACES}
PICKING_19 = _picking("move_ids", record(_MOVE))
PICKING_17 = _picking("move_ids_without_package", record({"name": TEXT, **_MOVE}))


class Odoo:
    """Holds pickings; products that it does not know are refused."""

    def __init__(self, unknown_products: tuple[int, ...] = ()) -> None:
        self.taken: list[Any] = []
        self._unknown = unknown_products

    def answer(self, call: Call) -> Answer:
        """Answer as one of the two APIs does."""
        if call.path == f"/json/2/{_MODEL}/create":
            return self._json2(call)
        if call.path == f"/web/dataset/call_kw/{_MODEL}/create":
            return self._rpc(call)
        if call.path in ("/web/version", "/web/health"):
            return Answer(200, {"version": "19.0"} if call.path == "/web/version" else {"status": "pass"})
        return Answer(404, _error("werkzeug.exceptions.NotFound", f"no such URL: {call.path}"))

    def _json2(self, call: Call) -> Answer:
        if call.headers.get("authorization", "").lower() != f"bearer {API_KEY}":
            return Answer(401, _error("werkzeug.exceptions.Unauthorized", "Invalid apikey"))
        if call.headers.get("x-odoo-database") != DATABASE:
            return Answer(404, _error("werkzeug.exceptions.NotFound", "no such database"))
        created = (call.json() or {}).get("vals_list")
        if not isinstance(created, list):
            return Answer(
                422, _error("werkzeug.exceptions.UnprocessableEntity", "missing a required argument: 'vals_list'")
            )
        wrong = next((error for one in created if (error := self._wrong(PICKING_19, one))), None)
        return Answer(422, wrong) if wrong else Answer(200, self._take(created))

    def _rpc(self, call: Call) -> Answer:
        asked = call.json() or {}
        head = {"jsonrpc": "2.0", "id": asked.get("id")}
        if f"session_id={SESSION}" not in call.headers.get("cookie", ""):
            data = _error("odoo.http.SessionExpiredException", "Session expired")
            return Answer(200, {**head, "error": {"code": 100, "message": "Odoo Session Expired", "data": data}})
        (picking,) = asked["params"]["args"][0]
        if wrong := self._wrong(PICKING_17, picking):
            return Answer(200, {**head, "error": {"code": 200, "message": "Odoo Server Error", "data": wrong}})
        return Answer(200, {**head, "result": self._take([picking])})

    def _wrong(self, schema: Schema, picking: Any) -> dict[str, Any] | None:
        if found := fault(schema, picking):
            return _error(*_said(found))
        moves = picking.get("move_ids") or picking["move_ids_without_package"]
        if any(move[2]["product_id"] in self._unknown for move in moves):
            return _error("odoo.exceptions.MissingError", "Record does not exist or has been deleted.")
        return None

    def _take(self, pickings: list[Any]) -> list[int]:
        self.taken += pickings
        return [len(self.taken) - len(pickings) + number + 1 for number in range(len(pickings))]


def _said(found: Fault) -> tuple[str, str]:
    if found.kind == "unknown":
        return "builtins.ValueError", f"Invalid field '{found.name}' on model 'stock.picking'"
    return "odoo.exceptions.ValidationError", f"The operation cannot be completed: {found.place} is {found.kind}"


def _error(name: str, message: str) -> dict[str, Any]:
    return {"name": name, "message": message, "arguments": [message], "context": {}, "debug": "Traceback ..."}
