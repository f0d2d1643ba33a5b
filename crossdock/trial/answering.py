"""What a connector makes of an answer that a test gives in the place of its target."""

import time
from dataclasses import replace
from typing import cast

from connectors.client import Client
from connectors.connection import Response
from connectors.http import HttpConnector
from connectors.httpspec import HttpOptions
from connectors.port import Result
from connectors.spec import ConnectorSpec
from connectors.target import Target
from crossdock.kernel.event import Event
from crossdock.kernel.problems import refuse


class _Answering:
    """Stands in for the client of a connector: every request has the same answer."""

    def __init__(self, answer: Response) -> None:
        self._answer = answer

    async def send(self, _: Target, __: bytes, ___: float) -> Response:
        return self._answer

    async def close(self) -> None:
        """There is nothing to close."""


async def answered(spec: ConnectorSpec, event: Event, key: str, answer: Response) -> Result:
    """Return what comes of a delivery that is answered so; tokens and sessions are not asked for.

    Raises:
        Refused: `contradiction`, for a connector whose target gives no such answers.
    """
    if spec.kind != "http":
        raise refuse("contradiction", f"the test gives an answer, and {spec.name} of kind {spec.kind} reads none")
    options: HttpOptions = spec.options
    batch = options.batch and replace(options.batch, within=0.0)
    alone = replace(spec, options=replace(options, oauth2=None, csrf=None, batch=batch))
    connector = HttpConnector(alone, cast(Client, _Answering(answer)), time.time)
    try:
        return await connector.deliver(event, key)
    finally:
        await connector.close()
