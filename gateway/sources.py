"""The verifiers of a project's sources; what is wrong with them is told by `check` and stops the gateway's start."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

from crossdock.kernel.problems import Problem, Refused
from crossdock.project import Project
from crossdock.source import API_KEY
from gateway.proof import Verifier
from gateway.verify import closed, make_verifier

log = logging.getLogger(__name__)


def make_verifiers(
    project: Project, before: Project | None = None, known: Mapping[str, Verifier] = MappingProxyType({})
) -> dict[str, Verifier]:
    """Return the verifier of each source by name; those that take API keys have none.

    What is `known` of a revision `before` goes on where nothing changed: it may hold keys that were fetched.

    Raises:
        Refused: with every option or secret of a wrong shape, and its place.
    """
    made: dict[str, Verifier] = {}
    problems: list[Problem] = []
    for source in project.sources.values():
        if source.verify.scheme == API_KEY:
            continue
        if source.poll:
            made[source.name] = closed(source.verify)
            continue
        old = before.sources.get(source.name) if before else None
        if old is not None and old.verify == source.verify:
            made[source.name] = known[source.name]
            continue
        made[source.name] = closed(source.verify)
        try:
            verifier = make_verifier(source.verify)
        except Refused as error:
            if "" not in source.verify.options.values():  # else an option that is not set may be what is wrong
                place = ("verify", source.verify.scheme)
                problems += [source.spot.problem(place, p.code, p.message, p.hint) for p in error.problems]
            continue
        if not source.verify.closed:
            made[source.name] = verifier
    if problems:
        raise Refused(problems)
    return made


def tell_closed(project: Project) -> None:
    """Say in the log which sources take nothing, and why."""
    for source in project.sources.values():
        if source.verify.closed and not source.poll:
            missing = ", ".join(source.verify.missing)
            log.info("source %s is closed: not set: %s", source.name, missing, extra={"source": source.name})


def problems(project: Project) -> list[Problem]:
    """Return what is wrong with how the sources of a project prove themselves."""
    try:
        make_verifiers(project)
    except Refused as error:
        return list(error.problems)
    return []
