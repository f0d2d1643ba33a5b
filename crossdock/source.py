"""Sources, the inbound entry points of partners, read from `gateway/*.yaml`; gateway, pipeline and project use them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from crossdock.kernel import yamlfile
from crossdock.kernel.content import Spot, expressions, names, read_schema
from crossdock.kernel.expression import Expression
from crossdock.kernel.mending import mended
from crossdock.kernel.problems import CONCEALED, Incomplete, Problem, Refused
from crossdock.kernel.units import seconds
from crossdock.keyfile import read_keys
from crossdock.sourceparts import (
    AnswerStyle,
    Callback,
    Handshake,
    Limits,
    Poll,
    Retirement,
    Verify,
    read_callback,
    read_handshake,
    read_limits,
    read_retirement,
    read_verify,
)

FOLDER = "gateway"
MAX_BODY = 8 << 20  # bytes; the gateway, and a worker, hold some of them at a time
API_KEY = "api_key"
NOBODY = Verify("poll", {}, (), closed=True)  # how a source proves who it is that takes nothing from outside
IN_THE_HEAD = frozenset({API_KEY, "basic", "jwt", "proxy_mtls"})  # schemes that tell who calls before the body
_MAY_BE_SECRET = (("verify",), ("handshake",), ("callback",))
_SCHEMA = read_schema(Path(__file__).parents[1] / FOLDER)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What one source may send, and how; `types` are pairs of type and pinned version.

    `match` is how the events' `source` attribute begins, `dedupe_window` is in seconds, `dedupe_key` replaces source
    and id of an event. `event` makes the envelope of a webhook; its `each` cuts a body that carries many. `expect` is
    after how many seconds without an event it counts as silent, 0 where that is learnt.
    """

    name: str
    partner: str
    accept: str
    types: tuple[tuple[str, str], ...]
    verify: Verify
    match: str
    limits: Limits
    dedupe_window: float
    dedupe_key: Expression | None
    event: Mapping[str, Expression]
    on_invalid: str
    answer: AnswerStyle
    handshake: Handshake | None
    retirement: Retirement
    callback: Callback | None
    poll: Poll | None
    expect: float
    spot: Spot = field(repr=False, compare=False)

    @property
    def at_own_address(self) -> bool:
        """Whether its events come to `/v1/sources/<name>` only, as nothing in their head says whose they are."""
        return self.accept != "cloudevents" or self.verify.scheme not in IN_THE_HEAD

    def pin(self, type_: str) -> str:
        """Return the version that is meant when an event does not say it; empty for the newest."""
        return dict(self.types).get(type_, "")


def load(root: Path, env: Mapping[str, str]) -> tuple[SourceSpec, ...]:
    """Return the sources of a project.

    A secret whose variable is not set does not stop the others: its source is closed.

    Raises:
        Refused: with every problem of every file.
    """
    sources: list[SourceSpec] = []
    problems: list[Problem] = []
    for path in names(root, FOLDER):
        try:
            document = yamlfile.read(path, root)
        except Refused as error:
            problems.extend(error.problems)
            continue
        found = yamlfile.check(document, _SCHEMA)
        problems.extend(_concealed(document, problem) for problem in found)
        if fitting := mended(document, _SCHEMA) if found else document:
            made = _source(Spot(fitting), root, env, problems)
            problems.extend(_faults(made))
            sources.append(made)
    if problems:
        raise Incomplete(problems, tuple(sources))
    return tuple(sources)


def _faults(source: SourceSpec) -> list[Problem]:
    """Return what the JSON Schema of the files cannot say."""
    spot, problems = source.spot, []
    known = [type_ for type_, _ in source.types]
    if len(set(known)) < len(known):
        problems.append(spot.problem(("types",), "duplicate_name", "a type is listed twice"))
    if source.limits.body > MAX_BODY:
        hint = "send a reference to what is larger"
        problems.append(spot.problem(("limits", "body"), "bad_value", f"at most {MAX_BODY >> 20}MiB", hint))
    if source.accept == "webhook" and not source.event:
        hint = 'such as event: {id: headers."x-webhook-id", type: \'"shop.order"\'}'
        problems.append(spot.problem((), "missing_key", "a webhook needs `event` to make its events", hint))
    if source.accept != "webhook":
        for key in ("event", "answer"):
            if key in spot.value():
                problems.append(spot.problem((key,), "bad_value", f"`{key}` is for `accept: webhook` only"))
    if source.poll:
        problems += _poll_faults(source)
    ends = source.retirement
    if ends.sunset and ends.sunset < ends.deprecated:  # RFC 9745, section 4
        problems.append(spot.problem(("sunset",), "bad_value", "a source ends before it is deprecated"))
    return problems


def _poll_faults(source: SourceSpec) -> list[Problem]:
    spot, value, problems = source.spot, source.spot.value(), []
    if source.accept != "webhook":
        message = "a source with `poll` takes single items"
        problems.append(spot.problem(("accept",), "bad_value", message, "accept: webhook"))
    for key in ("verify", "answer", "handshake"):
        if key in value:
            problems.append(spot.problem((key,), "bad_value", f"nobody sends to a source with `poll`: no `{key}`"))
    if source.on_invalid == "reject":
        message = "there is nobody to hear of a rejection"
        problems.append(spot.problem(("on_invalid",), "bad_value", message, "quarantine or warn"))
    return problems


def _source(spot: Spot, root: Path, env: Mapping[str, str], problems: list[Problem]) -> SourceSpec:
    value: dict[str, Any] = spot.value()
    pairs = [text.partition("@") for text in value["types"]]
    dedupe = value.get("dedupe", {})
    keyed = expressions(Spot(spot.document, ("dedupe",)), ["key"], problems) if dedupe else {}
    given = value.get("event", {})
    return SourceSpec(
        name=value["source"],
        partner=value["partner"],
        accept=value["accept"],
        types=tuple((type_, pin) for type_, _, pin in pairs),
        verify=_with_keys(read_verify(value["verify"], env), spot, root, problems) if "verify" in value else NOBODY,
        match=value.get("match", ""),
        limits=read_limits(value.get("limits", {})),
        dedupe_window=seconds(dedupe.get("window", "7d")),
        dedupe_key=keyed.get("key"),
        event=expressions(Spot(spot.document, ("event",)), given, problems) if given else MappingProxyType({}),
        on_invalid=value.get("on_invalid", "quarantine" if "poll" in value else "reject"),
        answer=AnswerStyle(**value.get("answer", {})),
        handshake=read_handshake(value["handshake"], env) if "handshake" in value else None,
        retirement=read_retirement(spot, problems),
        callback=read_callback(value["callback"], env) if "callback" in value else None,
        poll=Poll(value["poll"]["connector"], seconds(value["poll"].get("every", "30s"))) if "poll" in value else None,
        expect=seconds(value.get("expect", "0s")),
        spot=spot,
    )


def _with_keys(verify: Verify, spot: Spot, root: Path, problems: list[Problem]) -> Verify:
    place = verify.options.get("jwks", "")
    if verify.closed or not place or "://" in place:
        return verify
    try:
        return replace(verify, keys=read_keys(root, place))
    except Refused as error:
        problems += [spot.problem(("verify", verify.scheme, "jwks"), p.code, p.message, p.hint) for p in error.problems]
        return verify


def _concealed(document: yamlfile.Document, problem: Problem) -> Problem:
    """Return the problem without the value where that may be a secret that was written into the file itself."""
    lines = {place[0] for path, place in document.places.items() if path[:1] in _MAY_BE_SECRET}
    if problem.code == "bad_value" and problem.line in lines:
        return Problem(problem.code, CONCEALED, problem.hint, problem.file, problem.line, problem.column)
    return problem
