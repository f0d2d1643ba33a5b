"""Shopify: two mutations of the Admin GraphQL API, version 2026-10."""

import json
import re
from typing import Any

from simulators.systems.fields import TEXT, TRUTH, WHOLE, Schema, fault, listed, one_of, record
from simulators.systems.serving import Answer, Call

TOKEN = "shpat-token"
PATH = "/admin/api/2026-10/graphql.json"
_GID = {"type": "string", "pattern": "^gid://shopify/[A-Za-z]+/[0-9]+$"}
_QUANTITY = record(
    {"inventoryItemId": _GID, "locationId": _GID, "quantity": WHOLE},
    {"changeFromQuantity": {"type": ["integer", "null"]}},
)
_SET = record(
    {"name": one_of("available", "on_hand"), "reason": TEXT, "quantities": listed(_QUANTITY, 250)},
    {"referenceDocumentUri": TEXT},
)
_LINES = record(
    {"fulfillmentOrderId": _GID}, {"fulfillmentOrderLineItems": listed(record({"id": _GID, "quantity": WHOLE}))}
)
_SHIP = record(
    {"lineItemsByFulfillmentOrder": listed(_LINES)},
    {"notifyCustomer": TRUTH, "trackingInfo": record({}, {"company": TEXT, "number": TEXT, "url": TEXT})},
)
INPUTS: dict[str, tuple[str, Schema]] = {
    "inventorySetQuantities": ("input", _SET),
    "fulfillmentCreate": ("fulfillment", _SHIP),
}
_REASONS = {"correction", "cycle_count_available", "damaged", "movement_received", "other", "received", "restock"}


class Shopify:
    """Sets stock and makes fulfillments; a key that it has seen gets its first answer again."""

    def __init__(self, closed_orders: tuple[str, ...] = (), unknown_items: tuple[str, ...] = ()) -> None:
        self.taken: list[Any] = []
        self._closed = closed_orders
        self._unknown = unknown_items
        self._answers: dict[str, tuple[str, Answer]] = {}

    def answer(self, call: Call) -> Answer:
        """Answer as the GraphQL API does: HTTP 200 for nearly everything."""
        if call.headers.get("x-shopify-access-token") != TOKEN:
            return Answer(
                401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
            )
        asked = call.json() or {}
        called = re.search(r"\{ (\w+)\((\w+): \$\w+\)", asked.get("query", ""))
        if call.path != PATH or not called or called[1] not in INPUTS:
            return _error("Parse error", "undefinedField")
        name, variables = called[1], asked.get("variables", {})
        argument, schema = INPUTS[name]
        if found := fault(schema, variables.get(argument)):
            said = f"Variable ${argument} was provided invalid value for {found.place} ({found.kind})"
            return _error(said, "INVALID_VARIABLE")
        if name == "fulfillmentCreate":
            return self._ship(variables[argument])
        return self._set(asked["query"], variables)

    def _set(self, query: str, variables: Any) -> Answer:
        key, wanted = variables.get("key"), json.dumps(variables["input"], sort_keys=True)
        if "@idempotent(key: $key)" not in query or not key:
            return _error("The @idempotent directive is required for this mutation", "BAD_REQUEST")
        before, answer = self._answers.get(key, (wanted, None))
        if before != wanted:
            return _user_error("inventorySetQuantities", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "key was used before")
        if answer is None:
            answer = self._book(variables["input"])
            self._answers[key] = (wanted, answer)
        return answer

    def _book(self, given: Any) -> Answer:
        if given["reason"] not in _REASONS:
            return _user_error("inventorySetQuantities", "INVALID_REASON", "The specified reason is invalid.")
        for one in given["quantities"]:
            if "changeFromQuantity" not in one:
                return _error("changeFromQuantity is required; pass null to opt out", "BAD_REQUEST")
            if one["inventoryItemId"] in self._unknown:
                text = "The specified inventory item could not be found."
                return _user_error("inventorySetQuantities", "INVALID_INVENTORY_ITEM", text)
        self.taken.append(given)
        group = {"inventoryAdjustmentGroup": {"id": f"gid://shopify/InventoryAdjustmentGroup/{len(self.taken)}"}}
        return Answer(200, {"data": {"inventorySetQuantities": {**group, "userErrors": []}}})

    def _ship(self, given: Any) -> Answer:
        if any(one["fulfillmentOrderId"] in self._closed for one in given["lineItemsByFulfillmentOrder"]):
            return _user_error("fulfillmentCreate", "", "Fulfillment order is not in an open state.")
        self.taken.append(given)
        made = {"id": f"gid://shopify/Fulfillment/{len(self.taken)}", "status": "SUCCESS"}
        return Answer(200, {"data": {"fulfillmentCreate": {"fulfillment": made, "userErrors": []}}})


def throttled() -> Answer:
    """Return what Shopify answers when its bucket of points is empty."""
    return _error("Throttled", "THROTTLED")


def _error(message: str, code: str) -> Answer:
    return Answer(200, {"errors": [{"message": message, "extensions": {"code": code}}]})


def _user_error(mutation: str, code: str, message: str) -> Answer:
    error = {"field": ["input"], "message": message, **({"code": code} if code else {})}
    return Answer(200, {"data": {mutation: {"userErrors": [error]}}})
