"""The list of all connector kinds; the supervisor opens connectors with it."""

from collections.abc import Callable

from connectors.http import make_http
from connectors.port import Connector
from connectors.spec import ConnectorSpec

KINDS: dict[str, Callable[[ConnectorSpec], Connector]] = {"http": make_http}


def open_connector(spec: ConnectorSpec) -> Connector:
    """Return the open connector of a spec; it dials on its first delivery."""
    return KINDS[spec.kind](spec)
