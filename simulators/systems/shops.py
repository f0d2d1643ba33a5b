"""Shops: stock of BigCommerce by its inventory API V3, and of WooCommerce by the batch endpoint of products."""

from typing import Any

from simulators.systems.fields import TEXT, TRUTH, WHOLE, fault, listed, record
from simulators.systems.serving import Answer, Call

BIGCOMMERCE_TOKEN = "bigcommerce-token"
WOO_KEY, WOO_SECRET = "ck_key", "cs_secret"
_ITEM = record(
    {"location_id": WHOLE, "quantity": {"type": "integer", "minimum": 0}},
    {"sku": TEXT, "variant_id": WHOLE, "product_id": WHOLE},
)
ADJUSTMENT = record({"items": listed(_ITEM)}, {"reason": TEXT})
_UPDATE = record({"id": WHOLE}, {"manage_stock": TRUTH, "stock_quantity": WHOLE, "stock_status": TEXT})
BATCH = record({}, {"create": listed(_UPDATE), "update": listed(_UPDATE, 100), "delete": listed(WHOLE)})


class BigCommerce:
    """Sets stock; one unknown item number refuses the whole adjustment."""

    def __init__(self, unknown_items: tuple[str, ...] = ()) -> None:
        self.taken: list[Any] = []
        self._unknown = unknown_items

    def answer(self, call: Call) -> Answer:
        """Answer as the inventory API does."""
        if call.headers.get("x-auth-token") != BIGCOMMERCE_TOKEN:
            return _problem(401, "Unauthorized", {})
        if (call.method, call.path) != ("PUT", "/v3/inventory/adjustments/absolute"):
            return _problem(404, "The requested resource was not found.", {})
        document = call.json()
        if wrong := fault(ADJUSTMENT, document):
            return _problem(422, "JSON data is missing or invalid", {wrong.place: f"error.path.{wrong.kind}"})
        unknown = [one["sku"] for one in document["items"] if one.get("sku") in self._unknown]
        if unknown:
            return _problem(422, "Invalid sku", {"sku": f"{unknown[0]} does not exist"})
        self.taken.append(document)
        return Answer(200, {"transaction_id": f"00000000-0000-4000-8000-{len(self.taken):012}"})


class WooCommerce:
    """Updates products; what it does not have is refused in the answer of its own item."""

    def __init__(self, products: tuple[int, ...] = (799, 800)) -> None:
        self.taken: list[Any] = []
        self._products = products

    def answer(self, call: Call) -> Answer:
        """Answer as the REST API V3 does: a batch with 200, whatever became of its products."""
        if call.basic() != f"{WOO_KEY}:{WOO_SECRET}":
            return _rest(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        if call.path != "/wp-json/wc/v3/products/batch":
            return _rest(404, "rest_no_route", "No route was found matching the URL and request method.")
        batch = call.json()
        if wrong := fault(BATCH, batch):
            return _rest(400, "rest_invalid_param", f"Invalid parameter(s): {wrong.place}")
        return Answer(200, {"update": [self._update(one) for one in batch.get("update", [])]})

    def _update(self, product: Any) -> Any:
        if product["id"] not in self._products:
            error = _rest(400, "woocommerce_rest_product_invalid_id", "Invalid ID.").body
            return {"id": product["id"], "error": error}
        self.taken.append(product)
        return {**product, "name": f"Product {product['id']}"}


def _problem(status: int, title: str, errors: dict[str, str]) -> Answer:
    kind = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
    return Answer(status, {"status": status, "title": title, "type": kind, "errors": errors})


def _rest(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"code": code, "message": message, "data": {"status": status}})
