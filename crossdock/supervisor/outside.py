"""What connectors reach the outside world with; made once a process, by its role or by a command."""

from collections.abc import Mapping
from typing import Any

from connectors.port import Address, Broker, Database, Fault


class Outward:
    """See `connectors.port.Outside`; `client` is connected to the installation's own broker, if there is one."""

    def __init__(self, client: Any = None) -> None:
        self._client = client

    def database(self, address: Address) -> Database:
        """See `Outside.database`."""
        from crossdock.adapters.sqltargets import SqlDatabase  # noqa: PLC0415  20 MiB, where no connector needs them

        return SqlDatabase(address)

    def broker(self, address: Address, auth: Mapping[str, str]) -> Broker:
        """See `Outside.broker`."""
        from crossdock.adapters.natsbroker import NatsBroker, dialler  # noqa: PLC0415  only where it is needed

        if address.url:
            return NatsBroker(dialler(address, auth), address.timeout)
        return NatsBroker(self._own, address.timeout, lends=True)

    async def _own(self) -> Any:
        if self._client is None:
            raise Fault("retry", "the broker of the installation is not reached from here: set CROSSDOCK_NATS_URL")
        return self._client
