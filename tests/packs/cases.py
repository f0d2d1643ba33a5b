"""The packs with a system behind them: its simulator, its variables, and what it refuses."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from simulators.systems import shopify
from simulators.systems.erpnext import ErpNext
from simulators.systems.installed import INSTALLED, NETSUITE_KEY
from simulators.systems.microsoft import BusinessCentral, Planner
from simulators.systems.netsuite import NetSuite
from simulators.systems.odoo import Odoo
from simulators.systems.sap import S4Hana
from simulators.systems.serving import Answer, System
from simulators.systems.shopify import Shopify
from simulators.systems.shops import BigCommerce, WooCommerce
from simulators.systems.tokens import KeyClient
from simulators.systems.warehouses import GreaterWms, RestWarehouse, TxmlWarehouse


class Refusal(NamedTuple):
    """What a system says, and the outcome that it has: of its own if there is no `answer`."""

    outcome: str
    says: str
    system: Callable[[], System] | None = None
    answer: Answer | None = None
    env: Mapping[str, str] = {}


class Case(NamedTuple):
    """A pack, and an event that its system takes; `once` if it takes it once only, `json` if it reads JSON."""

    pack: str
    type: str
    data: Mapping[str, Any]
    refusals: tuple[Refusal, ...]
    once: bool = False
    json: bool = True

    @property
    def system(self) -> Callable[[], System]:
        """What makes the system of the pack."""
        return INSTALLED[self.pack].system

    @property
    def env(self) -> Mapping[str, str]:
        """The variables of the pack; URL stands for where its system is."""
        return INSTALLED[self.pack].env


RECEIVED: dict[str, Any] = {
    "location": "DC-01",
    "document": "DC-01/GR-1",
    "lines": [{"item": "PASTA-500", "quantity": 60, "unit": "each", "state": "staged"}],
}
COUNTED = {
    "location": "STORE-0042",
    "document": "0042/C-1",
    "lines": [{"item": "SNEAKER-42", "quantity": 7, "unit": "each", "state": "available"}],
}
ORDERED = {**RECEIVED, "lines": [{**RECEIVED["lines"][0], "order": "PO-1"}]}
DAMAGED = {**RECEIVED, "lines": [{**RECEIVED["lines"][0], "state": "damaged"}]}
ANNOUNCED = {
    "shipment": "ASN-1",
    "supplier": "ACME",
    "origin": "ACME-WEST",
    "destination": "DC-01",
    "revision": "original",
    "lines": [{"line": "1", "item": "PASTA-500", "quantity": 3, "unit": "case"}],
    "containers": [],
}

OPENED = {
    "asn_code": "ASN00000001",
    "creater": "crossdock",
    "supplier": "ACME",
    "goods_code": ["PASTA-500"],
    "goods_qty": [3],
}
_BROKEN = Answer(200, {"errors": [{"extensions": {"code": "INTERNAL_SERVER_ERROR"}}]})


def _s4hana(code: str, message: str) -> S4Hana:
    return S4Hana({"PASTA-500": (code, message)})


_DEADLOCK = {"name": "psycopg2.errors.SerializationFailure", "message": "could not serialize access"}

CASES = (
    Case(
        "erpnext", "inventory.received", RECEIVED,
        (
            Refusal("permanent", "LinkValidationError", lambda: ErpNext(("PASTA-500",))),
            Refusal("permanent", "AuthenticationError", env={"ERPNEXT_API_SECRET": "old"}),
            Refusal("retry", "QueryDeadlockError", answer=Answer(500, {"exc_type": "QueryDeadlockError"})),
            Refusal("retry", "ClosedAccountingPeriod", answer=Answer(417, {"exc_type": "ClosedAccountingPeriod"})),
            Refusal("throttled", "", answer=Answer(429, {"exc_type": "RateLimitExceededError"}, {"retry-after": "7"})),
        ),
        once=True,
    ),
    Case(
        "odoo", "inventory.received", RECEIVED,
        (
            Refusal("permanent", "MissingError", lambda: Odoo((41,))),
            Refusal("permanent", "Invalid apikey", env={"ODOO_API_KEY": "old"}),
            Refusal("retry", "SerializationFailure", answer=Answer(422, _DEADLOCK)),
        ),
    ),
    Case(
        "odoo-rpc", "inventory.received", RECEIVED,
        (
            Refusal("permanent", "MissingError", lambda: Odoo((41,))),
            Refusal("retry", "Odoo Session Expired", env={"ODOO_SESSION": "old"}),
            Refusal("retry", "SerializationFailure", answer=Answer(200, {"error": {"code": 200, "data": _DEADLOCK}})),
        ),
    ),
    Case(
        "sap-s4hana", "inventory.received", RECEIVED,
        (
            Refusal("permanent", "M3/305", lambda: _s4hana("M3/305", "Material PASTA-500 does not exist")),
            Refusal("retry", "M3/024", lambda: _s4hana("M3/024", "The material is locked by SMITH")),
            Refusal("retry", "M7/053", lambda: _s4hana("M7/053", "Posting only possible in period 2026/03")),
            Refusal("retry", "csrf: HTTP 401", env={"SAP_PASSWORD": "old"}),
        ),
    ),
    Case(
        "shopify", "inventory.counted", COUNTED,
        (
            Refusal("permanent", "INVALID_INVENTORY_ITEM", lambda: Shopify((), ("gid://shopify/InventoryItem/43729076",))),
            Refusal("permanent", "Invalid API key", env={"SHOPIFY_ADMIN_TOKEN": "old"}),
            Refusal("throttled", "THROTTLED", answer=shopify.throttled()),
            Refusal("retry", "INTERNAL_SERVER_ERROR", answer=_BROKEN),
        ),
        once=True,
    ),
    Case(
        "sap-idoc", "inventory.received", RECEIVED,
        (
            Refusal("permanent", "Logon failed", env={"SAP_PASSWORD": "old"}),
            Refusal("permanent", "EDISDEF", answer=Answer(500, "<html><body>EDISDEF: segment E1XX</body></html>")),
            Refusal("retry", "HTTP 500", answer=Answer(500, "<html><body>short dump</body></html>")),
        ),
        json=False,
    ),
    Case(
        "netsuite", "inventory.received", ORDERED,
        (
            Refusal("permanent", "NONEXISTENT_ID", lambda: NetSuite(())),
            Refusal("retry", "invalid_client", env={"NETSUITE_CERTIFICATE_ID": "old"}),
            Refusal("retry", "invalid_client", env={NETSUITE_KEY: KeyClient("", "", "", "").pem()}),
        ),
        once=True,
    ),
    Case(
        "business-central", "inventory.received", RECEIVED,
        (
            Refusal("permanent", "Internal_InvalidTableRelation", lambda: BusinessCentral(("PASTA-500",))),
            Refusal("retry", "invalid_client", env={"BC_CLIENT_SECRET": "old"}),
        ),
    ),
    Case(
        "planner", "inventory.received", DAMAGED,
        (
            Refusal("permanent", "not found", lambda: Planner(())),
            Refusal("retry", "invalid_client", env={"GRAPH_CLIENT_SECRET": "old"}),
        ),
    ),
    Case(
        "wms-xml", "shipment.announced", ANNOUNCED,
        (
            Refusal("permanent", "facility DC01 is unknown", lambda: TxmlWarehouse(())),
            Refusal("permanent", "HTTP 401", env={"WMS_XML_PASSWORD": "old"}),
            Refusal("retry", "busy", answer=Answer(200, "<Error_Type>2</Error_Type>busy")),
        ),
        json=False,
    ),
    Case(
        "wms-rest", "shipment.announced", ANNOUNCED,
        (
            Refusal("delivered", "already-received", lambda: RestWarehouse(("ASN-1",))),
            Refusal("permanent", "unauthorized", env={"WMS_REST_TOKEN": "old"}),
            Refusal("retry", "locked", answer=Answer(423, {"type": "locked"})),
        ),
        once=True,
    ),
    Case(
        "greaterwms", "shipment.announced", ANNOUNCED,
        (Refusal("permanent", "User Token Does Not Exist", env={"GREATERWMS_TOKEN": "old"}),),
    ),
    Case(
        "greaterwms", "greaterwms.opened",
        OPENED,
        (Refusal("permanent", "Supplier does not exists", lambda: GreaterWms(())),),
    ),
    Case(
        "bigcommerce", "inventory.counted", COUNTED,
        (
            Refusal("permanent", "SNEAKER-42 does not exist", lambda: BigCommerce(("SNEAKER-42",))),
            Refusal("permanent", "Unauthorized", env={"BIGCOMMERCE_TOKEN": "old"}),
            Refusal("throttled", "HTTP 429", answer=Answer(429, "", {"x-rate-limit-time-reset-ms": "3000"})),
        ),
    ),
    Case(
        "woocommerce", "inventory.counted", COUNTED,
        (
            Refusal("permanent", "woocommerce_rest_product_invalid_id", lambda: WooCommerce(())),
            Refusal("permanent", "woocommerce_rest_cannot_view", env={"WOOCOMMERCE_KEY_SECRET": "old"}),
        ),
    ),
)  # fmt: skip
