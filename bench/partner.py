"""A partner as its own caller: for measures and tests that do not ask over the network."""

from crossdock.project import Project
from gateway.caller import Caller, caller_of


def partner_itself(project: Project, partner: str) -> Caller:
    """Return a partner with all its sources, whatever proves it."""
    return caller_of(source for source in project.sources.values() if source.partner == partner)
