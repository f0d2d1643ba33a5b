"""Sources whose events are read in another version as soon as there is a new major one."""

from collections.abc import Iterator

from crossdock.crosscheck import Parts
from crossdock.kernel.problems import Problem
from schemas.registry import major_of


def unpinned_types(parts: Parts) -> Iterator[Problem]:
    """Yield the types of several majors that a source accepts without saying in which one its events are written."""
    for source in parts.sources:
        for index, (type_, pin) in enumerate(source.types):
            versions = parts.registry.versions(type_)
            older = [version for version in versions if major_of(version) != major_of(versions[-1])]
            if older and not pin:
                message = f"events that name no version are read as {type_} {versions[-1]} since there is that major"
                hint = f"say what they are written in: {type_}@{older[-1]} or {type_}@{versions[-1]}"
                yield source.spot.problem(("types", index), "unpinned_type", message, hint)
