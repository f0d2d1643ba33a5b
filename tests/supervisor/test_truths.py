"""The metrics of the whole installation say what there is now and nothing that is gone."""

from crossdock.kernel.metrics import Metrics
from crossdock.supervisor.truths import put


def test_a_route_that_is_gone_leaves_no_metric_behind() -> None:
    metrics = Metrics()
    put(metrics.ledger_gap, {("tills", ""): 2, ("", "stock"): 0})
    put(metrics.ledger_gap, {("tills", ""): 1})
    lines = [line for line in metrics.text().decode().splitlines() if line.startswith("crossdock_ledger_gap")]
    assert lines == ['crossdock_ledger_gap{route="",source="tills"} 1.0']
