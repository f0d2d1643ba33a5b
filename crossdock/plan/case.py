"""A dead letter as a content test: the event as given, and what the content makes of it as expectation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crossdock.contenttest import ContentTest, read
from crossdock.kernel import yamlfile
from crossdock.kernel.event import Event
from crossdock.kernel.problems import refuse
from crossdock.kernel.stream import VERSION
from crossdock.plan.yamltext import written
from crossdock.project import Project
from crossdock.trial import testrun
from crossdock.trial.outcome import ROUTED, Outcome
from crossdock.trial.rehearsal import Rehearsal
from dlq.edits import event_of
from dlq.record import PROCESS, DeadLetter
from schemas.annotations import PERSONAL, annotated, changed

_ANYTHING: Mapping[str, Any] = {"envelope": {}}
_OURS = {"partner", "businesskey", "traceparent", "tracestate"}  # extensions that no sender has to give


@dataclass(frozen=True, slots=True)
class Wish:
    """How a case is to be: what it is called, with personal values or without, and which routes it must reach.

    Without `routes` whatever happens now is expected, be it a failure.
    """

    name: str = ""
    personal: bool = False
    routes: Sequence[str] | None = None


def case_of(project: Project, letter: DeadLetter, wish: Wish) -> dict[str, Any]:
    """Return the case as `yaml` for the file that is named, whether it passes now, and what to know of it.

    Raises:
        Refused: `no_case`, as a test cannot give such an event.
    """
    event = event_of(letter)
    if isinstance(event.data, bytes):
        raise refuse("no_case", f"its data is {event.datacontenttype}, and a test gives JSON", "give it as a request")
    given = _given(project, letter, event, wish)
    name = wish.name or f"{letter.type or letter.source} that was dead letter {letter.id}"
    rehearsal = Rehearsal(project)
    (test,) = _read({"name": name, "given": given, "expect": _ANYTHING}, letter)
    outcomes = rehearsal.play(test.given)
    expect = _expected(outcomes[0], letter)
    if wish.routes is not None:
        expect = {"routes": [*wish.routes]}
    case = {"name": name, "given": given, "expect": expect}
    (test,) = _read(case, letter)
    differences = testrun.run(rehearsal, test).differences
    return {
        "file": _file(project, letter),
        "about": [letter.route] if letter.route else [],
        "case": case,
        "yaml": _text(case, letter),
        "passes": not differences,
        "differences": [str(one) for one in differences],
        "notes": [*_notes(event, wish), *_changed_by_cover(rehearsal, letter, outcomes[0], wish)],
    }


def _given(project: Project, letter: DeadLetter, event: Event, wish: Wish) -> dict[str, Any]:
    data, version = event.data, letter.headers.get(VERSION) or event.dataschema.rpartition("/")[2]
    if not wish.personal:
        known = version in project.registry.versions(event.type)
        schema: Mapping[str, Any] = project.registry.schema(event.type, version) if known else {}
        data = changed(data, annotated(schema, PERSONAL) if known else {(): True}, _alike)
    given: dict[str, Any] = {"type": event.type}
    if version in project.registry.versions(event.type) and event.dataschema:
        given["version"] = version
    if letter.stage == PROCESS and letter.source in project.sources:
        given["via"] = letter.source
    named = {"id": event.id, "source": event.source, "time": event.time, "subject": event.subject}
    return given | {key: value for key, value in named.items() if value} | {"data": data}


def _alike(value: Any) -> Any:
    """Return a value of the same shape that is nobody's: each letter an a, each digit a 1."""
    if isinstance(value, dict):
        return {name: _alike(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_alike(child) for child in value]
    if isinstance(value, str):
        is_time = _is_time(value)
        return "".join(c if is_time and c.isalpha() else _like(c) for c in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int("".join(map(_like, str(value))))
    return float("".join(map(_like, repr(value)))) if isinstance(value, float) and "e" not in repr(value) else value


def _like(char: str) -> str:
    if char.isdigit():
        return "1"
    if char.isalpha():
        return "A" if char.isupper() else "a"
    return char


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _expected(outcome: Outcome, letter: DeadLetter) -> dict[str, Any]:
    failures = [one for one in outcome.failures if not letter.route or one.route in ("", letter.route)]
    if outcome.word != ROUTED:
        return {"outcome": outcome.word} | ({"error": outcome.problems[0].code} if outcome.problems else {})
    sent = [one for one in outcome.sent if not letter.route or one.route == letter.route]
    expect: dict[str, Any] = {"routes": [one.route for one in sent]}
    if not letter.route and outcome.event is not None:
        key = outcome.event.extensions.get("businesskey", "")
        expect = {"type": outcome.event.type, "business_key": key, "data": outcome.event.data, **expect}
    expect |= {"bodies": {one.route: one.request.body for one in sent}} if sent else {}
    letters = [testrun.letter(one.stage, one.route, problem) for one in failures for problem in one.problems[:1]]
    return expect | ({"dead_letters": letters} if letters else {})


def _changed_by_cover(rehearsal: Rehearsal, letter: DeadLetter, outcome: Outcome, wish: Wish) -> list[str]:
    """Say so where the event comes to another end without its personal values."""
    if wish.personal:
        return []
    given = _given(rehearsal.project, letter, event_of(letter), Wish(personal=True))
    (test,) = _read({"name": "-", "given": given, "expect": _ANYTHING}, letter)
    (before,) = rehearsal.play(test.given)
    same = (before.word, [p.code for p in before.problems]) == (outcome.word, [p.code for p in outcome.problems])
    return [] if same else ["placeholders for personal values change what becomes of it: write others by hand"]


def _notes(event: Event, wish: Wish) -> list[str]:
    lost = sorted(event.extensions.keys() - _OURS)
    notes = [f"the extensions {', '.join(lost)} are not in it, as a test gives none"] if lost else []
    return notes if wish.personal else [*notes, "the id, source and subject of the event are as they were"]


def _file(project: Project, letter: DeadLetter) -> str:
    """Return where such a case stands: beside its route, its transform or its source."""
    pieces = [
        project.routes.get(letter.route),
        next((one for one in project.transforms.values() if one.from_type == letter.type), None),
        project.sources.get(letter.source),
    ]
    place = next((one.spot.document.file for one in pieces if one is not None), "routes/dead-letters.yaml")
    return f"{place.removesuffix('.yaml')}.dead-letters.test.yaml"


def _text(case: Mapping[str, Any], letter: DeadLetter) -> str:
    about = written({"about": [letter.route]}) if letter.route else ""
    return f"{about}tests:\n{written([case], '  ')}"


def _read(case: Mapping[str, Any], letter: DeadLetter) -> tuple[ContentTest, ...]:
    """Return the test as it will be read from its file."""
    document = yamlfile.parse(_text(case, letter).encode(), "a.test.yaml")
    if document.value["tests"] != [case]:
        raise refuse("no_case", "it cannot be written as YAML and stay the same", "write the test by hand")
    return read(document)
