"""What `crossdock test` tells beside what differs: which tests, what no test goes through, JUnit XML."""

from pathlib import Path
from xml.etree import ElementTree

from tests.cli.architect import answer, run
from tests.cli.test_testing import HOOK
from tests.smallproject import edited, write


def test_only_tests_with_a_name_are_run(tmp_path: Path) -> None:
    write(tmp_path)
    assert [one["name"] for one in answer(tmp_path, "test", "--name", "two lines")["tests"]] == [
        "A sale of two lines is booked"
    ]
    assert [one["file"] for one in answer(tmp_path, "test", "--name", "transforms/")["tests"]] == [
        "transforms/sale.test.yaml"
    ]
    assert run(tmp_path, "test", "--name", "nothing").exit_code == 2


def test_what_no_test_goes_through_is_named(tmp_path: Path) -> None:
    # given tests of which none reaches the route
    write(tmp_path, {"routes/stock.test.yaml": None, "gateway/shop.yaml": HOOK})
    # when
    told = answer(tmp_path, "test")["coverage"]
    # then
    assert {one["kind"]: one["missing"] for one in told["kinds"]} == {
        "source": ["shop", "tills"], "transform": [], "route": ["stock"], "connector": ["erp"],
    }  # fmt: skip
    assert told["percent"] == 20
    assert run(tmp_path, "test", "--cover-min", "20").exit_code == 0
    assert run(tmp_path, "test", "--cover-min", "21").exit_code == 1


def test_junit_tells_suites_cases_and_failures(tmp_path: Path) -> None:
    # given a failing test with a character in its name that XML cannot hold
    changes = edited("transforms/sale.test.yaml", "quantity: 2", "quantity: 3")
    named = (
        (changes["transforms/sale.test.yaml"] or "")
        .replace("A sale becomes", '"A <sale> \\x01 becomes')
        .replace("a movement\n", 'a movement"\n')
    )
    write(tmp_path, {"transforms/sale.test.yaml": named})
    # when
    result = run(tmp_path, "test", "--junit", str(tmp_path / "tests.xml"))
    root = ElementTree.parse(tmp_path / "tests.xml").getroot()
    # then
    assert result.exit_code == 1
    assert conforms(root)
    failing, passing = root.iter("testcase")
    assert failing.get("name") == "A <sale> \N{REPLACEMENT CHARACTER} becomes a movement"
    assert failing.get("classname") == "transforms.sale"
    (failure,) = failing
    assert failure.get("message") == "data /lines/0/quantity: expected 3, got 2"
    assert (failure.text or "").startswith("transforms/sale.test.yaml:2\n")
    assert list(passing) == []


def conforms(root: ElementTree.Element) -> bool:
    """Tell whether a document has the shape that readers of JUnit XML agree on, with sums that come out even."""
    counts = ("tests", "failures", "errors", "skipped", "time")
    assert (root.tag, [suite.tag for suite in root]) == ("testsuites", ["testsuite"] * len(root))
    for suite in root:
        assert {"name", *counts} <= set(suite.keys()) and {case.tag for case in suite} == {"testcase"}
        assert int(suite.attrib["tests"]) == len(suite)
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        for one in suite:
            assert {"name", "classname", "time"} <= set(one.keys()) and float(one.attrib["time"]) >= 0
            assert all(child.tag == "failure" and {"message", "type"} <= set(child.keys()) for child in one)
    return all(int(root.attrib[key]) == sum(int(suite.attrib[key]) for suite in root) for key in counts[:-1])
