"""What every process says of itself every other second, and the operations side that listens."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from crossdock.kernel import jsontext
from crossdock.kernel.metrics import Metrics

SUBJECT = "crossdock.report"
EVERY = 2.0
STALE = 10.0


async def report(
    client: Client,
    name: str,
    metrics: Metrics,
    state: Callable[[], Mapping[str, Any]],
    content: Callable[[], Mapping[str, Any]],
) -> None:
    """Publish name, state, content and metrics until cancelled; a report nobody hears is lost, which is fine.

    Ends the process when the connection is closed for good, so that the supervisor starts it again.
    """
    while True:
        if client.is_closed:  # nats-py never comes back from an error the server answered with: start afresh
            raise SystemExit(1)
        if client.is_connected:
            told = {"name": name, "state": dict(state()), "content": dict(content())}
            document = told | {"metrics": metrics.text().decode()}
            with contextlib.suppress(NatsError, OSError):
                await client.publish(SUBJECT, jsontext.dumps(document))
        await asyncio.sleep(EVERY)


class Reports:
    """The latest report of every process."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[float, dict[str, Any]]] = {}

    async def listen(self, client: Client) -> None:
        """Subscribe."""
        await client.subscribe(SUBJECT, cb=self._on_report)

    def states(self) -> dict[str, Any]:
        """Return the lane states of all workers heard lately, by route."""
        return self._joined("lanes")

    def polls(self) -> dict[str, Any]:
        """Return what is known of all polls heard of lately, by source."""
        return self._joined("polls")

    def _joined(self, part: str) -> dict[str, Any]:
        return {name: state for report in self._fresh() for name, state in report["state"].get(part, {}).items()}

    def contents(self) -> dict[str, Any]:
        """Return for each process heard lately which revision it works by, and why not another if it cannot."""
        return {report["name"]: report["content"] for report in self._fresh()}

    def metrics(self) -> bytes:
        """Return all processes' metrics with the label `process`."""
        registry = CollectorRegistry()
        registry.register(_Merged(self._fresh()))
        return generate_latest(registry)

    def refusals(self) -> dict[str, dict[tuple[str, str, str], int]]:
        """Return for each process heard lately what gateways refused: by counter, label that says whose, and code."""
        return {one["name"]: dict(_refusals(one["metrics"])) for one in self._fresh()}

    async def _on_report(self, message: Msg) -> None:
        document = jsontext.loads(message.data)
        self._latest = {one["name"]: (at, one) for at, one in self._latest.values() if time.monotonic() - at < STALE}
        self._latest[document["name"]] = (time.monotonic(), document)

    def _fresh(self) -> list[dict[str, Any]]:
        now = time.monotonic()
        return [document for at, document in self._latest.values() if now - at < STALE]


_REFUSALS = {"crossdock_rejected": ("partner", "code"), "crossdock_unverified": ("source", "reason")}


def _refusals(metrics: str) -> Iterator[tuple[tuple[str, str, str], int]]:
    lines = [line for line in metrics.splitlines() if line.startswith(tuple(f"{name}_total" for name in _REFUSALS))]
    for family in text_string_to_metric_families("\n".join([*lines, ""])):
        for sample in family.samples:
            name = sample.name.removesuffix("_total")
            whose, code = _REFUSALS[name]
            yield (name, sample.labels[whose], sample.labels[code]), int(sample.value)


class _Merged(Collector):
    def __init__(self, reports: list[dict[str, Any]]) -> None:
        self._reports = reports

    def collect(self) -> Any:
        """Yield each family once, with the samples of all processes."""
        families: dict[str, Any] = {}
        for one in self._reports:
            for family in text_string_to_metric_families(one["metrics"]):
                kept = families.setdefault(family.name, family)
                samples = [
                    sample._replace(labels={**sample.labels, "process": one["name"]}) for sample in family.samples
                ]
                kept.samples = samples if kept is family else [*kept.samples, *samples]
        yield from families.values()
