"""What ships for Prometheus and Grafana: rules that fire when they should, and nothing named that does not exist."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from alerts import spec
from crossdock.adapters.reports import Reports
from crossdock.kernel import jsontext, yamlfile
from crossdock.kernel.metrics import Metrics
from crossdock.supervisor.datafolder import free_port
from tests.realservers import missing

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "monitoring"
TESTS = sorted(path.name for path in SHIPPED.glob("*.test.yaml"))
DASHBOARD: dict[str, Any] = json.loads((SHIPPED / "grafana" / "crossdock.json").read_text())
GIVEN = {"process", "instance", "job", "le"}  # labels that reports, scraping and histograms add
TARGETS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
VARIABLES = {one["name"]: one for one in DASHBOARD["templating"]["list"]}


def yaml(name: str) -> Any:
    return yamlfile.read(SHIPPED / name, SHIPPED).value


RULES: dict[str, Any] = {rule["alert"]: rule for group in yaml("rules.yaml")["groups"] for rule in group["rules"]}
EXPRESSIONS = [*((name, rule["expr"]) for name, rule in RULES.items()), *TARGETS]


def promtool(*words: str) -> str:
    """Run promtool; Debian has it in the package `prometheus`."""
    found = shutil.which("promtool")
    if found is None:
        missing("promtool is not installed")
        raise AssertionError
    ran = subprocess.run([found, *words], capture_output=True, text=True, cwd=SHIPPED, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def declared() -> dict[str, set[str]]:
    """Return the labels of each sample that a process may report, by its name."""
    found: dict[str, set[str]] = {}
    for name, metric in vars(Metrics()).items():
        if not name.startswith("_") and hasattr(metric, "_labelnames"):
            for family in metric.describe():
                kinds = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}[family.type]
                found |= {family.name + end: set(metric._labelnames) for end in kinds}
    return found


def uses(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Return each metric of an expression with the labels that it is asked for, those of the groups among them."""
    groups = {label for part in re.findall(r"by \(([^)]*)\)", expression) for label in part.split(", ")}
    for name, matchers in re.findall(r"(crossdock_\w+)(?:\{([^}]*)\})?", expression):
        yield name, groups | set(re.findall(r"(\w+)(?:=|!=|=~)\"", matchers))


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_metric_that_is_named_is_reported_with_these_labels(where: str, expression: str) -> None:
    known = declared()
    found = list(uses(expression))
    assert found or where == "CrossdockDown"
    assert {name for name, _ in found} <= known.keys()
    assert [(name, asked - known[name] - GIVEN) for name, asked in found if asked - known[name] - GIVEN] == []


def test_the_rules_are_right_and_fire_when_they_should() -> None:
    assert f"{len(RULES)} rules found" in promtool("check", "rules", "rules.yaml")
    assert "SUCCESS" in promtool("test", "rules", *TESTS)


def test_every_rule_is_seen_to_fire_says_what_to_do_and_how_urgent_it_is() -> None:
    tests = [one for file in TESTS for test in yaml(file)["tests"] for one in test["alert_rule_test"]]
    assert {one["alertname"] for one in tests if one["exp_alerts"]} == RULES.keys()
    assert {rule["labels"]["severity"] for rule in RULES.values()} <= {"page", "ticket", "note"}
    assert all(rule["annotations"].keys() == {"summary", "action"} for rule in RULES.values())


@pytest.mark.parametrize(
    ("alert", "rule", "threshold"),
    [
        ("ledger-gap", "CrossdockLedgerGap", "> 0"),
        ("dead-letters", "CrossdockDeadLetters", "> 10"),
        ("dead-letters-trickle", "CrossdockDeadLettersTrickle", "> 5"),
        ("breaker-open", "CrossdockBreakerOpen", "== 1"),
        ("oldest-event-waits", "CrossdockOldestEventWaits", "> 1800"),
        ("lag", "CrossdockLag", "> 50000"),
        ("process-lag", "CrossdockProcessLag", "> 20000"),
        ("slow-delivery", "CrossdockSlowDelivery", "> 60"),
    ],
)
def test_they_say_the_same_as_the_alerts_that_ship(alert: str, rule: str, threshold: str) -> None:
    shipped, told = spec.load(ROOT, {}).rules[alert], RULES[rule]
    above = shipped.when.above * (60 if alert == "dead-letters-trickle" else 1)
    assert threshold in (f"> {above:g}", "== 1")
    assert told["expr"].rstrip().endswith(threshold)
    assert (told["labels"]["severity"], told.get("for", "0m")) == (shipped.severity, f"{shipped.lasts / 60:g}m")


def test_the_expressions_of_the_dashboard_can_be_read(tmp_path: Path) -> None:
    lines = ["groups:", "  - name: dashboard", "    rules:"]
    for number, (_, expression) in enumerate(TARGETS):
        lines += [f"      - record: panel:number:{number}", f"        expr: {json.dumps(resolved(expression))}"]
    (tmp_path / "dashboard.yaml").write_text("\n".join(lines))
    assert f"{len(TARGETS)} rules found" in promtool("check", "rules", str(tmp_path / "dashboard.yaml"))


def resolved(expression: str) -> str:
    """Return an expression as Grafana sends it."""
    return re.sub(r"\$(source|route|connector)\b", ".*", expression.replace("$__rate_interval", "5m"))


def test_the_dashboard_is_whole() -> None:
    panels = DASHBOARD["panels"]
    assert DASHBOARD["id"] is None  # Grafana gives it one
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        here = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not taken & here, panel["title"]
        taken |= here
        assert panel["type"] == "row" or panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["type"] == "row" or panel["description"]
    named = set(re.findall(r"\$\{?(\w+)", json.dumps(panels))) - {"__rate_interval"}
    assert named == VARIABLES.keys() == {"datasource", "source", "route", "connector"}


@pytest.mark.parametrize("name", ["source", "route", "connector"])
def test_what_is_chosen_from_comes_from_a_metric_that_has_it(name: str) -> None:
    metric, label = re.findall(r"label_values\((\w+), (\w+)\)", VARIABLES[name]["definition"])[0]
    assert label == name
    assert name in declared()[metric]


def test_a_real_prometheus_reads_what_we_report_with_a_token_from_a_file(tmp_path: Path) -> None:
    if shutil.which("prometheus") is None:
        missing("prometheus is not installed")
    asyncio.run(_scraped(tmp_path))


async def _scraped(folder: Path) -> None:
    port, own = free_port(), free_port()
    shutil.copy(SHIPPED / "rules.yaml", folder)
    (folder / "crossdock.token").write_text("t0ken\n")
    config = (SHIPPED / "prometheus.yaml").read_text().replace("127.0.0.1:8081", f"127.0.0.1:{port}")
    (folder / "prometheus.yaml").write_text(config.replace("scrape_interval: 15s", "scrape_interval: 1s"))
    metrics, heard = Metrics(), Reports()
    metrics.accepted.labels("tills").inc(7)

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("authorization") != "Bearer t0ken":
            return web.Response(status=401)
        await _report(heard, metrics)
        return web.Response(body=heard.metrics(), headers={"content-type": "text/plain; version=0.0.4"})

    app = web.Application()
    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server = await asyncio.create_subprocess_exec(
        "prometheus", "--config.file=prometheus.yaml", f"--web.listen-address=127.0.0.1:{own}",
        f"--storage.tsdb.path={folder / 'tsdb'}", cwd=folder,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            found = await _asked(session, f"http://127.0.0.1:{own}", "sum by (source) (crossdock_accepted_total)")
            assert found == [({"source": "tills"}, "7")]
            rules = await _asked(session, f"http://127.0.0.1:{own}", 'up{job="crossdock"}')
            assert [value for _, value in rules] == ["1"]
    finally:
        server.kill()
        await server.wait()
        await runner.cleanup()


async def _report(heard: Reports, metrics: Metrics) -> None:
    class Message:
        data = jsontext.dumps({"name": "gateway", "state": {}, "content": {}, "metrics": metrics.text().decode()})

    await heard._on_report(Message())  # type: ignore[arg-type]


async def _asked(session: aiohttp.ClientSession, url: str, query: str) -> list[tuple[dict[str, str], str]]:
    """Ask until there is an answer: it starts, and then scrapes within a second."""
    while True:
        try:
            async with session.get(f"{url}/api/v1/query", params={"query": query}) as answer:
                document = await answer.json(content_type=None)
                if document and document.get("data", {}).get("result"):
                    found = document["data"]["result"]
                    return [(one["metric"], one["value"][1]) for one in found]
        except (aiohttp.ClientError, json.JSONDecodeError):
            pass
        await asyncio.sleep(0.1)
