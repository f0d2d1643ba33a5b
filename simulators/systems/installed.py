"""The systems by the packs that send to them, with what the variables of each pack have to be."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from simulators.systems import erpnext, odoo, sap, shopify, shops, warehouses
from simulators.systems.erpnext import ErpNext
from simulators.systems.idoc import IdocXml
from simulators.systems.microsoft import BC, GRAPH, BusinessCentral, Planner
from simulators.systems.netsuite import CLIENT, NetSuite
from simulators.systems.odoo import Odoo
from simulators.systems.sap import S4Hana
from simulators.systems.serving import System
from simulators.systems.shopify import Shopify
from simulators.systems.shops import BigCommerce, WooCommerce
from simulators.systems.tokens import Client
from simulators.systems.warehouses import GreaterWms, RestWarehouse, TxmlWarehouse


class Installed(NamedTuple):
    """A system and the variables that lead to it; URL in them stands for where it is."""

    system: Callable[[], System]
    env: Mapping[str, str]

    def variables(self, url: str) -> dict[str, str]:
        """Return the variables for a system at an address."""
        return {name: text.replace("URL", url) for name, text in self.env.items()}


def _oauth(prefix: str, client: Client) -> dict[str, str]:
    names = {"URL": "URL", "TOKEN_URL": "URL/token", "CLIENT_ID": client.id, "CLIENT_SECRET": client.secret}
    return {f"{prefix}_{name}": value for name, value in names.items()}


_ERPNEXT = {"ERPNEXT_URL": "URL", "ERPNEXT_API_KEY": erpnext.KEY, "ERPNEXT_API_SECRET": erpnext.SECRET}
_ODOO = {"ODOO_URL": "URL", "ODOO_API_KEY": odoo.API_KEY, "ODOO_DATABASE": odoo.DATABASE}
_RPC = {"ODOO_URL": "URL", "ODOO_SESSION": odoo.SESSION}
_SAP = {"SAP_URL": "URL", "SAP_USER": sap.USER, "SAP_PASSWORD": sap.PASSWORD}
NETSUITE_KEY = "file:/run/secrets/netsuite.pem"
_NETSUITE = {
    "NETSUITE_URL": "URL",
    "NETSUITE_CLIENT_ID": CLIENT.id,
    "NETSUITE_CERTIFICATE_ID": CLIENT.key_id,
    NETSUITE_KEY: CLIENT.pem(),
}
_SHOPIFY = {"SHOPIFY_URL": "URL", "SHOPIFY_ADMIN_TOKEN": shopify.TOKEN}
_BIGCOMMERCE = {"BIGCOMMERCE_URL": "URL", "BIGCOMMERCE_TOKEN": shops.BIGCOMMERCE_TOKEN}
_WOO = {"WOOCOMMERCE_URL": "URL", "WOOCOMMERCE_KEY": shops.WOO_KEY, "WOOCOMMERCE_KEY_SECRET": shops.WOO_SECRET}
_TXML = {"WMS_XML_URL": "URL/", "WMS_XML_USER": warehouses.XML_USER, "WMS_XML_PASSWORD": warehouses.XML_PASSWORD}
_REST = {"WMS_REST_URL": "URL", "WMS_REST_TOKEN": warehouses.REST_TOKEN}
_GREATER = {
    "GREATERWMS_URL": "URL",
    "GREATERWMS_TOKEN": warehouses.GREATER_TOKEN,
    "GREATERWMS_OPERATOR": warehouses.GREATER_OPERATOR,
}

INSTALLED = {
    "erpnext": Installed(ErpNext, _ERPNEXT),
    "odoo": Installed(Odoo, _ODOO),
    "odoo-rpc": Installed(Odoo, _RPC),
    "sap-s4hana": Installed(S4Hana, _SAP),
    "sap-idoc": Installed(IdocXml, _SAP),
    "shopify": Installed(Shopify, _SHOPIFY),
    "netsuite": Installed(NetSuite, _NETSUITE),
    "business-central": Installed(BusinessCentral, _oauth("BC", BC)),
    "planner": Installed(Planner, _oauth("GRAPH", GRAPH)),
    "wms-xml": Installed(TxmlWarehouse, _TXML),
    "wms-rest": Installed(RestWarehouse, _REST),
    "greaterwms": Installed(GreaterWms, _GREATER),
    "bigcommerce": Installed(BigCommerce, _BIGCOMMERCE),
    "woocommerce": Installed(WooCommerce, _WOO),
}
