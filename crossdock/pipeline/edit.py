"""Edits a dead letter and checks what came of it by the content in force; called by the operations API and plans."""

from crossdock.kernel import event as events
from crossdock.project import Project
from dlq.edits import edited
from dlq.patch import Patch
from dlq.record import PROCESS, DeadLetter


def edit(project: Project, letter: DeadLetter, patch: Patch, name: str) -> DeadLetter:
    """Return an edited dead letter; `dlq.record.replay` makes of it what is sent, under the key of its original.

    Raises:
        Refused: the patch does not fit, or what it makes breaks its schema.
    """
    made = edited(letter, patch, name)
    event = events.decode_structured(made.payload)
    if made.stage == PROCESS:
        source = project.sources.get(made.source)
        project.check(event, source.pin(event.type) if source else "")
    else:
        project.check_canonical(event)
    return made
