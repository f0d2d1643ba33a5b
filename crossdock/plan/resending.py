"""Dead letters through a revision in memory: which would pass, why the others fail, and what targets would get."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from crossdock.covering import Covering
from crossdock.kernel.stream import AGAIN
from crossdock.personal import secrets_of, without
from crossdock.pipeline.again import named
from crossdock.plan.effects import SAME, Example, effects
from crossdock.project import Project
from crossdock.trial.outcome import DEAD, QUARANTINED, REFUSED
from crossdock.trial.rehearsal import Redelivery, Rehearsal, Stored
from dlq.record import PROCESS, DeadLetter


def resend(
    base: Project,
    candidate: Project,
    letters: Sequence[DeadLetter],
    edited: Sequence[DeadLetter] | None = None,
    present: Project | None = None,
) -> dict[str, Any]:
    """Return what would become of dead letters by the candidate, and what differs from what was sent by the base.

    `edited` are the same after a patch. Nothing leaves the process. Targets are counted by route and connector; one
    example is told of each effect. What is personal by either project, or by the one in force at `present`, is covered.
    """
    projects = (base, candidate, present or base)

    def secret(place: int) -> frozenset[str]:
        return secrets_of(letters[place], *projects) | secrets_of((edited or letters)[place], *projects)

    past, changed = ([again(letter) for letter in some] for some in (letters, edited or letters))
    after = Rehearsal(candidate).play(changed)
    fails: Counter[str] = Counter()
    for place, outcome in enumerate(after):
        if outcome.word in (REFUSED, QUARANTINED, DEAD) or outcome.failures:
            why = Covering(secret(place)).text(str(outcome.problems[0].at(""))) if outcome.problems else outcome.word
            fails[why] += 1
    targets = Counter((sent.route, sent.connector) for outcome in after for sent in outcome.sent)
    found = effects(base, candidate, past, changed)
    return {
        "revision": candidate.revision,
        "compared_with": base.revision,
        "passes": len(after) - fails.total(),
        "fails": [{"why": why, "count": count} for why, count in fails.most_common()],
        "targets": [{"route": route, "connector": name, "count": n} for (route, name), n in targets.items()],
        "effects": dict(found.counts),
        "examples": [
            {"effect": name, **_shown(one, secret(one.place))} for name, one in found.examples.items() if name != SAME
        ],
    }


def again(letter: DeadLetter) -> Stored | Redelivery:
    """Return a dead letter as a rehearsal takes it; one of stage process that names routes goes to those alone."""
    if letter.stage == PROCESS:
        headers = {name: value for name, value in letter.headers.items() if name != AGAIN}
        routes = letter.route.split(",") if letter.route else list(named(letter.headers))
        return Stored(letter.source, headers, letter.payload, tuple(routes))
    return Redelivery(letter.route, letter.source, letter.payload)


def _shown(example: Example, secret: frozenset[str]) -> dict[str, Any]:
    differences = [one.changed(lambda value: without(value, secret)) for one in example.differences]
    return {
        "id": example.id,
        "source": example.source,
        "type": example.type,
        "changes": [one.change() for one in differences],
        "differences": [one.as_dict("before", "after") for one in differences],
    }
