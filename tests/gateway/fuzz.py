"""Lets hostile inputs loose on everything that reads bytes of strangers: `python -m tests.gateway.fuzz --inputs N`.

Input number n of a seed is always the same bytes; `--first n --inputs 1` makes that one alone.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
import traceback
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import orjson
from rich.console import Console
from rich.progress import track

from crossdock.kernel.problems import Problem, Refused
from crossdock.project import Project
from gateway import answers
from gateway.proof import Verifier
from tests.gateway import fuzzheads as heads
from tests.gateway import fuzzseeds as seeds
from tests.gateway import fuzztargets as targets
from tests.gateway.fuzzground import ground
from tests.gateway.mutation import mutated
from tests.gateway.proving import scheme
from tests.gateway.vectors import VECTORS

MOST_CPU = 50_000_000  # nanoseconds for one input, of at most 64 KiB
MOST_MEMORY = 8 << 20  # bytes that Python may hold at a time for one input
_LARGE, _STEP = 32 << 10, 1 << 20  # bytes of an input, or by which the process grows, that have its memory measured
_SHOWN = 2000
CODES = frozenset({
    "bad_dedupe_key", "bad_encoding", "bad_idempotency_key", "bad_value", "batch_too_large", "body_too_large",
    "expression_failed", "headers_too_large", "invalid_envelope", "invalid_json", "invalid_request", "number_not_exact",
    "reserved_character", "schema_violation", "too_deep", "type_not_accepted", "unauthorized", "unknown_type",
    "unknown_version", "unsupported_encoding", "unsupported_media_type",
})  # fmt: skip


class Range(NamedTuple):
    """One target, what makes sound inputs for it, and how often its turn comes."""

    name: str
    run: targets.Target
    fresh: seeds.Fresh
    weight: int = 1


@dataclass(frozen=True)
class Finding:
    """An input that should not do what it does."""

    target: str
    number: int
    what: str
    raw: bytes = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        shown = self.raw[:_SHOWN].decode("latin-1")
        return {"target": self.target, "number": self.number, "what": self.what, "bytes": len(self.raw), "raw": shown}


@dataclass
class Tally:
    """What became of the inputs of a run; findings by target and kind, the first of each."""

    inputs: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    slowest: tuple[float, str] = (0.0, "")  # milliseconds of CPU
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    again: Counter[str] = field(default_factory=Counter)


def ranges(project: Project) -> list[Range]:
    """Return all targets."""
    door = targets.Door(project)
    return [
        Range("json", targets.json_text, seeds.text, 4),
        Range("array", targets.array, seeds.array, 2),
        Range("structured", targets.structured, seeds.envelope, 3),
        Range("binary", targets.binary, seeds.binary, 3),
        Range("event", door.event, seeds.posted, 5),
        Range("webhook", partial(door.webhook, "hook"), seeds.hook, 3),
        Range("webhooks", partial(door.webhook, "lots"), seeds.hooks, 2),
        Range("ndjson", targets.line_by_line, seeds.ndjson, 2),
        Range("compressed", targets.compressed, seeds.compressed, 3),
        Range("head", heads.head, seeds.heads),
        Range("idempotency", heads.key_header, seeds.idempotency),
        Range("query", heads.list_query, seeds.queries),
        Range("challenge", heads.challenge, seeds.questions),
        Range("signed", partial(heads.signed, verifiers()), seeds.signed, 3),
        Range("claims", partial(heads.claims, heads.bearer()), seeds.claims, 2),
        Range("key_set", heads.key_set, seeds.key_set),
    ]


def verifiers() -> list[Verifier]:
    """Return one of every scheme."""
    return [
        *(vector.verifier() for vector in VECTORS),
        scheme("easypost", "sécret"),
        scheme("standard_webhooks", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whpk_" + "A" * 43 + "="),
        scheme("adyen", "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"),
        scheme("basic", "secret", user="till"),
        scheme("proxy_mtls", header="x-client", value="till-1", networks=["10.0.0.0/8"]),
        heads.bearer(),
    ]


def make(table: Sequence[Range], seed: int, number: int) -> tuple[Range, bytes]:
    """Return the input of a number, and whom it is for."""
    rng = Random(f"{seed}/{number}")
    one = rng.choices(table, [entry.weight for entry in table])[0]
    raw = one.fresh(rng)
    return one, raw if rng.random() < 0.05 else mutated(rng, raw, seeds.texts())


def run(table: Sequence[Range], seed: int, numbers: Iterable[int]) -> Tally:
    """Make inputs and judge what becomes of each."""
    tally = Tally()
    for number in numbers:
        one, raw = make(table, seed, number)
        before, started = _peak(), time.process_time_ns()
        outcome, fault = attempt(one.run, raw)
        spent = time.process_time_ns() - started
        tally.inputs += 1
        tally.outcomes[one.name][outcome] += 1
        tally.slowest = max(tally.slowest, (spent / 1e6, f"{one.name} {number}"))
        if spent > MOST_CPU:
            fault = fault or _slow(one.run, raw)
        if len(raw) > _LARGE or _peak() - before > _STEP:
            fault = fault or _greedy(one.run, raw)
        if fault:
            tally.again[one.name] += 1
            tally.findings.setdefault((one.name, fault.partition("\n")[0]), Finding(one.name, number, fault, raw))
    return tally


def attempt(target: Callable[[bytes], object], raw: bytes) -> tuple[str, str]:
    """Return how a target ends, and what is wrong with that."""
    try:
        target(raw)
    except Refused as refused:
        return refused.problems[0].code, _bad_refusal(refused.problems)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}"
        return "finding", f"{kind}\n{error!s:.500}"
    return "taken", ""


def _bad_refusal(problems: Sequence[Problem]) -> str:
    unknown = {problem.code for problem in problems} - CODES
    if unknown:
        return f"unknown code {sorted(unknown)}"
    body = answers.problem(problems).body
    if any(byte < 0x20 for byte in body) or not orjson.loads(body)["errors"]:
        return "its problem document holds control characters or no error"
    return ""


def _slow(target: targets.Target, raw: bytes) -> str:
    """Return a fault if the CPU time was not that of a neighbour."""
    best = MOST_CPU * 100
    for _ in range(3):
        started = time.process_time_ns()
        attempt(target, raw)
        best = min(best, time.process_time_ns() - started)
    return f"slow\n{best / 1e6:.0f} ms of CPU" if best > MOST_CPU else ""


def _greedy(target: targets.Target, raw: bytes) -> str:
    tracemalloc.start()
    try:
        attempt(target, raw)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return f"greedy\n{most >> 20} MiB" if most > MOST_MEMORY else ""


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def report(tally: Tally, seconds: float) -> dict[str, Any]:
    """Return the figures of a run."""
    return {
        "inputs": tally.inputs,
        "inputs_per_second": round(tally.inputs / seconds),
        "outcomes": {name: dict(counter.most_common()) for name, counter in sorted(tally.outcomes.items())},
        "slowest": {"ms": round(tally.slowest[0], 1), "input": tally.slowest[1]},
        "peak_mib": _peak() >> 20,
        "findings": [finding.as_dict() for finding in tally.findings.values()],
        "inputs_with_findings": dict(tally.again),
    }


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.gateway.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=Random().getrandbits(32))
    parser.add_argument("--json", action="store_true", dest="as_json")
    given = parser.parse_args()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        table = ranges(ground(Path(folder)))
        numbers = range(given.first, given.first + given.inputs)
        started = time.perf_counter()
        tally = run(table, given.seed, track(numbers, f"seed {given.seed}", console=console))
    found = {"seed": given.seed, **report(tally, time.perf_counter() - started)}
    if given.as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        for name, value in found.items():
            console.print(f"{name}: {value}", markup=False)
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
