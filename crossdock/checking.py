"""The whole check of a project: what every start looks at, and what only `check` and `up` take the time for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crossdock import callbackroutes
from crossdock.contenttest import unknown_names
from crossdock.kernel import settings
from crossdock.kernel.problems import Problem
from crossdock.lint.expressions import mistakes
from crossdock.lint.outgoing import misfits
from crossdock.lint.reach import dead_routes, unused_connectors
from crossdock.lint.secrets import plain_secrets
from crossdock.lint.strays import unread_files
from crossdock.lint.versions import unpinned_types
from crossdock.project import Project, in_order, read
from gateway.sources import problems as source_problems
from schemas import evolution

# Of what would run all the same.
ADVICE = frozenset(
    {"empty_list", "plain_secret", "undeclared_field", "unpinned_type", "unread_file", "unused_connector"}
)


@dataclass(frozen=True, slots=True)
class Check:
    """All that is wrong with a project; `project` holds what could be read of it."""

    project: Project
    problems: tuple[Problem, ...]

    @property
    def obstacles(self) -> tuple[Problem, ...]:
        """What keeps the project from going live."""
        return tuple(problem for problem in self.problems if problem.code not in ADVICE)


def check(root: Path, env: Mapping[str, str], strict_env: bool = True) -> Check:
    """Return everything that is wrong with content and settings; without `strict_env` variables need not be set."""
    reading = read(root, env, strict_env)
    project, root, parts = reading.project, reading.project.root, reading.parts
    lookups = {name for each in project.lookups for name in each.by_name}
    problems = [
        *settings.problems(root),
        *reading.problems,
        *source_problems(reading.project),
        *callbackroutes.closed_ones(parts.sources),
        *mistakes(parts, project.forms),
        *misfits(parts, project.forms),
        *dead_routes(parts.routes),
        *unused_connectors(root, parts),
        *unpinned_types(parts),
        *unread_files(root),
        *plain_secrets(root),
        *evolution.problems(parts.registry, root),
        *([] if reading.problems else unknown_names(project.tests, project.sources, project.routes, lookups)),
    ]
    return Check(reading.project, tuple(in_order(problems)))
