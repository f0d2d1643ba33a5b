"""Traces of a whole installation: one of all hops from the partner to the target, and none that others can misuse."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

import simulators.targets
from crossdock.kernel.tracing import read
from simulators.installation import ROOT
from simulators.targets import Control
from tests.collector import Collector, attributes
from tests.faults.installation import Changes, running, until
from tests.faults.samples import sale

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{CALLER}-01"
HOSTILE = [
    "", f"00-{'0' * 32}-{CALLER}-01", f"ff-{TRACE}-{CALLER}-01", f"{PARENT}-x", f"{PARENT}, {PARENT}", "\u00e9" * 9,
    "x" * 30_000,
]  # fmt: skip


def on(collector: Collector, **more: str) -> Changes:
    """Return the change of `config.yaml` that sends traces to a collector."""
    said = {"url": collector.url, "headers": "{authorization: canary-of-the-collector}", **more}
    lines = "".join(f"    {name}: {text}\n" for name, text in said.items())
    shipped = (ROOT / "config.yaml").read_text().partition("  traces:\n")[2]
    return {"config.yaml": [(shipped, lines)]}


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The headers of what every target got, in lower case."""
    found: list[dict[str, str]] = []
    look = simulators.targets._header_problems

    def problems(headers: Mapping[str, str]) -> list[str]:
        found.append({name.lower(): text for name, text in headers.items()})
        return look(headers)

    monkeypatch.setattr(simulators.targets, "_header_problems", problems)
    return found


def of(spans: Sequence[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name.startswith(name)]


async def arrived(collector: Collector, enough: Callable[[list[Span]], Any]) -> list[Span]:
    await until(lambda: enough(collector.spans()), "the spans reach the collector")
    return collector.spans()


async def send(site: Any, event: Mapping[str, Any], **headers: str) -> int:
    told = {"X-API-Key": site.keys["stores"], "Content-Type": "application/cloudevents+json", **headers}
    async with site.session.post(site.ready.gateway + "/v1/events", json=event, headers=told) as answer:
        return int(answer.status)


async def letter(site: Any) -> str:
    """Return the id of the open dead letter, once the journal has it."""
    async with asyncio.timeout(30):
        while True:
            _, found = await site.ops("GET", "/ops/v1/dead-letters?state=open")
            if found["items"]:
                return str(found["items"][0]["id"])


def check_order(spans: Sequence[Span], heard: Sequence[Mapping[str, str]]) -> None:
    """Check that the spans of the sale 1 are those of its way, and its targets were told of them."""
    mine = [one for one in spans if attributes(one).get("cloudevents.event_id") == "sale-1"]
    (accepted,), (processed,), delivered = of(mine, "accept tills"), of(mine, "process tills"), of(mine, "deliver ")
    assert {one.trace_id.hex() for one in mine} == {TRACE}
    assert accepted.parent_span_id.hex() == CALLER
    assert processed.parent_span_id == accepted.span_id
    assert delivered and {one.parent_span_id for one in delivered} == {processed.span_id}
    assert {one.trace_state for one in mine} == {"congo=1"}
    batches = {one.span_id: one for one in of(spans, "process batch")}
    assert batches[processed.links[0].span_id].links[0].span_id == accepted.span_id
    told = [read(one) for one in heard if one["ce-id"] == "sale-1"]
    assert {one.span for one in told if one} == {one.span_id.hex() for one in delivered}


def _whole(spans: Sequence[Span]) -> bool:
    """Tell whether the spans of an event and of its two deliveries are here, which three processes send."""
    return len(of(spans, "deliver ")) >= 2 and all(of(spans, f"{step} tills") for step in ("accept", "process"))


def _replayed(spans: Sequence[Span]) -> bool:
    """Tell whether the spans of a replay and of what came of it are here, which two processes send."""
    replays = {one.trace_id for one in of(spans, "replay ")}
    return bool(replays & {one.trace_id for one in of(spans, "deliver ")})


def check_replay(spans: Sequence[Span]) -> None:
    """Check that a replay has a trace of its own, which links to that of its event."""
    replay = of(spans, "replay ")[0]
    assert replay.links[0].trace_id.hex() == TRACE != replay.trace_id.hex()
    failed = next(one for one in of(spans, "deliver ") if one.status.code == 2)
    told = attributes(failed)
    assert (told["crossdock.outcome"], told["http.response.status_code"]) == ("permanent", 400)
    again = next(one for one in of(spans, "deliver ") if one.trace_id == replay.trace_id)
    assert again.parent_span_id == replay.span_id and again.status.code != 2


def test_one_event_is_one_trace_from_its_sender_to_its_targets_and_a_replay_another(
    tmp_path: Path, heard: list[dict[str, str]]
) -> None:
    async def scenario() -> None:
        with Collector() as collector:
            changes = on(collector, sample="0%", trust_parents="true", trace_url="https://traces.example/{trace_id}")
            async with running(tmp_path, changes) as site:
                # when
                assert await send(site, sale(1, receipt="R-canary"), traceparent=PARENT, tracestate="congo=1") == 202
                assert await send(site, sale(2)) == 202
                await site.settled()
                # then
                spans = await arrived(collector, _whole)
                check_order(spans, heard)
                assert not any("traceparent" in one for one in heard if one["ce-id"] == "sale-2")
                _, journey = await site.ops("GET", "/ops/v1/events/sale-1")
                assert [one["url"] for one in journey["traces"]] == [f"https://traces.example/{TRACE}"]
                # when
                site.targets["erp"].control = Control("status", 400)
                assert await send(site, sale(3), traceparent=PARENT) == 202
                await site.settled()
                site.targets["erp"].control = Control()
                await site.command("dlq", "replay", await letter(site), "--yes")
                # then
                await arrived(collector, _replayed)
                check_replay(collector.spans())
                assert not any(b"canary" in body or b"6.89" in body for body in collector.bodies)

    asyncio.run(scenario())


def test_what_is_hostile_is_left_out_and_a_collector_that_is_away_keeps_up_nothing(
    tmp_path: Path, heard: list[dict[str, str]]
) -> None:
    async def scenario() -> None:
        with Collector() as gone:
            changes = on(gone, sample="99.9%")
        async with running(tmp_path, changes) as site:
            # when
            for number, parent in enumerate(HOSTILE):
                assert await send(site, sale(number), traceparent=parent, tracestate="\u00e9" * 600) == 202
            assert await send(site, sale(50), traceparent=PARENT) == 202
            # then
            await site.settled()
            traces = {one["ce-id"]: read(one) for one in heard if "traceparent" in one}
            assert {one.trace for name, one in traces.items() if one and name != "sale-50"}.isdisjoint(
                {TRACE, "0" * 32}
            )
            assert traces["sale-50"] is not None and traces["sale-50"].trace == TRACE
            assert not any("tracestate" in one for one in heard)
            while 'reason="not_exported"' not in await metrics(site):  # noqa: ASYNC110
                await asyncio.sleep(0.2)  # nobody announces a metric; `running` ends a wait in vain

    asyncio.run(scenario())


async def metrics(site: Any) -> str:
    async with site.session.get(site.ready.console + "/metrics", headers=site.operator) as answer:
        return str(await answer.text())
