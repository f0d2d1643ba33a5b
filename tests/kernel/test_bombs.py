"""Expressions that never end or grow beyond all bounds are refused in bounded time and memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.expression import Expression, view
from crossdock.kernel.jsonata_bounds import bounded, may_explode

ROOT = Path(__file__).parents[2]
RUN = """
import json, resource, sys, time
resource.setrlimit(resource.RLIMIT_DATA, (3 << 29, 3 << 29))
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.expression import Expression, view
from crossdock.kernel.problems import Refused
event = Event("1", "/s", "t", {"s": "a" * 40_000 + "!", "n": 1_000_000_000, "one": {"x": 1}})
began = time.monotonic()
try:
    Expression(sys.argv[1]).evaluate(view(event))
    code = "passed"
except Refused as error:
    code = error.problems[0].code
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({"code": code, "seconds": time.monotonic() - began, "megabytes": used}))
"""
REFUSED = {
    "a range within a range": "[1..100000].[1..100000]",
    "text doubled by recursion": '($d := function($s, $n) { $n = 0 ? $s : $d($s & $s, $n - 1) }; $d("aaaaaaaaaa", 40))',
    "text doubled by a fold": '$reduce([1..40], function($s, $i) { $s & $s }, "aaaaaaaaaa")',
    "text doubled line by line": "($a := s; " + "$a := $a & $a; " * 40 + "$a)",
    "text doubled step by step": "s" + ".($ & $)" * 40,
    "text padded to what a sender says": '$pad("x", n)',
    "text padded to the left": '$pad("x", -n)',
    "endless recursion": "($f := function($n) { $f($n + 1) }; $f(0))",
    "deep recursion": "($f := function($n) { 1 + $f($n + 1) }; $f(0))",
    "recursion without a name": "function($f) { $f($f) }(function($f) { $f($f) })",
    "objects doubled line by line": "($a := one; " + '$a := {"a": $a, "b": $a}; ' * 45 + "$a)",
    "objects doubled step by step": "one" + '.{"a": $, "b": $}' * 45,
    "one list in each of many": '($a := [1..100000]; $a.{"x": $a})',
    "a value that is nested without end": '$reduce([1..100000], function($a, $i) { {"a": $a} }, one)',
    "text that is evaluated": '$eval("[1..1e9]")',
    "a long text many times": '($s := $pad("x", 60000); [1..100000].{"s": $s})',
}
PASSED = {
    "a pattern that backtracks elsewhere": "$match(s, /(a+)+$/)",
    "another pattern": '$replace(s, /^(a|a)*$/, "b")',
    "many lines": "$map([1..5000], function($x) { {'line': $x, 'gtin': '9520123400019', 'qty': 1} })",
}


def run(text: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, text], check=False, cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr[-500:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_bomb_is_refused_in_bounded_time_and_memory(text: str) -> None:
    found = run(text)
    assert found["code"] == "expression_failed"
    assert found["seconds"] < 5
    assert found["megabytes"] < 1000


@pytest.mark.parametrize("text", PASSED.values(), ids=PASSED)
def test_what_only_looks_like_one_passes(text: str) -> None:
    found = run(text)
    assert (found["code"], found["seconds"] < 2) == ("passed", True)


@pytest.mark.parametrize(
    "text",
    [
        '{"location": "STORE-" & store, "lines": lines.{"item": $lookup("item", gtin).sku, "at": $event.time}[]}',
        '($t := object = "Event" ? result : $; {"a": $t.a, "b": $t.b, "c": $t.c, "d": $t.d, "e": $t.e})',
        '($day := function($text) { $substring($text, 0, 4) & "-" }; {"at": $day(a), "to": $day(b)})',
        'lines[qty > 0].$merge([$, {"place": %.store}])',
        '"[1..9] $reduce(" & name',
    ],
)
def test_an_ordinary_mapping_is_not_measured(text: str) -> None:
    assert not may_explode(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('$reduce([1..3], function($s, $i) { $s & $string($i) & "/" & one.x }, "")', "1/12/13/1"),
        ('one.("a" & x & nothing & null & ("b" & /* & */ x)) & [1..2]', "a1nullb1[1,2]"),
    ],
)
def test_the_bounds_change_no_value(text: str, value: str) -> None:
    event = Event("1", "/s", "t", {"one": {"x": 1}})

    assert Expression(text).evaluate(view(event)) == value
    assert bounded(text).count("$crossdock_short(") >= 2
