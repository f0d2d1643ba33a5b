"""How notices of alerts leave the operations process; see `alerts.ports.Sender`."""

import logging
from collections.abc import Callable
from typing import Any

from alerts import email
from alerts.engine import Engine
from alerts.notice import Notice
from alerts.spec import Channel
from connectors.kinds import open_connector
from connectors.port import Connector
from console.desk import Desk
from console.drift import show_pressing
from console.facts import Facts
from crossdock.adapters.ages import ages
from crossdock.adapters.records import NatsRecords
from crossdock.adapters.sql import SqlJournal
from crossdock.adapters.topology import ALERTS
from crossdock.alertcheck import webhook
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused, Unavailable
from crossdock.supervisor.base import Base
from crossdock.supervisor.outside import Outward

log = logging.getLogger("crossdock.alerts")

SOURCE, TYPE = "crossdock:/alerts", "crossdock.alert"


def watch(here: Base, journal: SqlJournal, desk: Callable[[], Desk]) -> Engine:
    """Return the alerts of an installation, not yet running."""
    console = here.settings.console
    scheme = "https" if console.tls.cert else "http"
    base = console.url or f"{scheme}://{console.host}:{here.env['CROSSDOCK_CONSOLE_PORT']}"
    facts = Facts(
        project=lambda: desk().project,
        lags=lambda: desk().lags(),
        states=lambda: desk().states(),
        processes=journal.processes,
        ages=lambda: ages(here.client, desk().project),
        gaps=lambda: _gaps(desk()),
        silences=lambda now: desk().drifts.silences(now),  # noqa: PLW0108  the desk is made after this
        drift=lambda: _drifting(desk()),
    )
    records = NatsRecords(here.client, ALERTS)
    return Engine(lambda: desk().project.alerts, facts, records, Sending(), base)


def _gaps(desk: Desk) -> list[dict[str, Any]] | None:
    ledger = desk.last_ledger()
    return ledger.gaps if ledger and not ledger.young else None


async def _drifting(desk: Desk) -> list[str]:
    """Return the source of each open finding."""
    return [one["source"] for one in await show_pressing(desk)]


class Sending:
    """Sends by the kind of the channel; a webhook keeps its connection for as long as its content stays the same."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Channel, Connector]] = {}

    async def send(self, channel: Channel, notice: Notice) -> str:
        """See `alerts.ports.Sender`."""
        if channel.kind == "webhook":
            return await self._post(channel, notice)
        if channel.kind == "email":
            return await email.send(channel.options, notice)
        log.warning("%s", notice.title(), extra={"alert": notice.alert})
        return "written"

    async def close(self) -> None:
        """See `alerts.ports.Sender`."""
        for _, connector in self._open.values():
            await connector.close()

    async def _post(self, channel: Channel, notice: Notice) -> str:
        connector = await self._connector(channel)
        event = Event(notice.id, SOURCE, TYPE, notice.as_body())
        result = await connector.deliver(event, notice.id)
        if result.outcome != "delivered":
            raise Unavailable(result.detail)
        return result.detail

    async def _connector(self, channel: Channel) -> Connector:
        held = self._open.get(channel.name)
        if held and held[0] == channel:
            return held[1]
        try:
            made = open_connector(webhook(channel), Outward())
        except Refused as error:  # which loading let through
            raise Unavailable(str(error)) from None
        if held:
            await held[1].close()
        self._open[channel.name] = channel, made
        return made
