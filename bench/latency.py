"""Measure `latency`: from POST to the ERP at a constant rate of arrivals; called by `bench.suite`."""

from collections.abc import Sequence

from bench import machine
from bench.entries import running
from bench.figures import Run, percentiles
from bench.loader import Poster, Sent, constant_rate
from bench.measured import begin, costs, restarts, until
from bench.sales import Sale, make_load, wanted
from bench.sinks import faults
from bench.size import Entry, Size, conditions

_CONNECTIONS = 256
_SHARES = (0.5, 0.9, 0.99)


async def measure(entry: Entry, rep: int, size: Size) -> Run:
    """Take the measure once."""
    warm = make_load(2 * rep, int(size.warm_seconds * size.rate))
    load = make_load(2 * rep + 1, int(size.latency_seconds * size.rate))
    async with running(entry, size, "latency") as stage:
        poster = Poster(stage.events_url, stage.key, _CONNECTIONS)
        await constant_rate(poster, warm.sales, size.rate)
        await until(stage.is_settled, size.within / 2)
        condition = await machine.condition(size.quiet)
        await stage.sinks.reset()
        before = begin(stage)
        sent = await constant_rate(poster, load.sales, size.rate)
        await poster.close()
        await until(stage.is_settled, size.within / 2)
        spent = costs(stage, before, len(load.sales))
        arrivals, counts = await stage.sinks.arrivals(), await stage.sinks.counts()
        figures = {
            "rate": size.rate,
            **percentiles(_delays(sent, arrivals["erp"]), *_SHARES),
            "post": percentiles(sent.answered_ms, *_SHARES),
            "loader_late": percentiles(sent.late_ms, *_SHARES),
            "accepted": len(sent.accepted),
            "arrived": len(arrivals["erp"]),
            "redelivered": await stage.redelivered(),
            **spent,
            **conditions(size),
            **stage.settings(),
            **condition,
        }
        wrong = [*_refusals(sent, load.sales), *faults(wanted(load.sales), arrivals, counts), *restarts(stage, before)]
        return Run("latency", entry, rep, figures, tuple(wrong))


def _delays(sent: Sent, arrivals: dict[str, int]) -> list[float]:
    return [(arrivals[name] - sent.began[name]) / 1e6 for name in sent.accepted if name in arrivals]


def _refusals(sent: Sent, sales: Sequence[Sale]) -> list[str]:
    lost = len(sales) - len(sent.accepted)
    return [f"{lost} of {len(sales)} events were not accepted"] if lost else []
