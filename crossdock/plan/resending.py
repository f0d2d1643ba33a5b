"""Dead letters through a revision in memory: which would pass, why the others fail, and what targets would get."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from crossdock.plan.effects import SAME, Example, effects
from crossdock.project import Project
from crossdock.trial.outcome import DEAD, QUARANTINED, REFUSED
from crossdock.trial.rehearsal import Redelivery, Rehearsal, Stored
from dlq.record import PROCESS, DeadLetter


def resend(base: Project, candidate: Project, letters: Sequence[DeadLetter]) -> dict[str, Any]:
    """Return what would become of dead letters by the candidate, and what differs from what was sent by the base.

    Nothing leaves the process. Targets are counted by route and connector; one example is told of each effect.
    """
    past = [_again(letter) for letter in letters]
    after = Rehearsal(candidate).play(past)
    fails: Counter[str] = Counter()
    for outcome in after:
        if outcome.word in (REFUSED, QUARANTINED, DEAD) or outcome.failures:
            fails[str(outcome.problems[0].at("")) if outcome.problems else outcome.word] += 1
    targets = Counter((sent.route, sent.connector) for outcome in after for sent in outcome.sent)
    found = effects(base, candidate, past)
    return {
        "revision": candidate.revision,
        "compared_with": base.revision,
        "passes": len(after) - fails.total(),
        "fails": [{"why": why, "count": count} for why, count in fails.most_common()],
        "targets": [{"route": route, "connector": name, "count": n} for (route, name), n in targets.items()],
        "effects": dict(found.counts),
        "examples": [{"effect": name, **_shown(one)} for name, one in found.examples.items() if name != SAME],
    }


def _again(letter: DeadLetter) -> Stored | Redelivery:
    if letter.stage == PROCESS:
        return Stored(letter.source, dict(letter.headers), letter.payload)
    return Redelivery(letter.route, letter.source, letter.payload)


def _shown(example: Example) -> dict[str, Any]:
    changes = [one.change() for one in example.differences]
    return {"id": example.id, "source": example.source, "type": example.type, "changes": changes}
