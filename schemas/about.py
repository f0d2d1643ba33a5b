"""Reads `schemas/<type>/schema.yaml`: who owns a type and what its new versions must keep; called by the registry."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crossdock.kernel import yamlfile
from crossdock.kernel.content import Spot, did_you_mean, read_schema
from crossdock.kernel.problems import Problem, Refused
from schemas.contentmodel import ContentModel

FILE = "schema.yaml"
_RULES = read_schema(Path(__file__).parent, "_about_schema.json")


@dataclass(frozen=True, slots=True)
class About:
    """What holds for all versions of a type; `deprecated` says of a version what to send instead.

    By default a new minor version accepts what any earlier one of its major did: senders change one by one, and
    one transform takes them all.
    """

    owner: str = ""
    description: str = ""
    compatibility: str = "backward_transitive"
    content_model: ContentModel = ContentModel.strict
    deprecated: Mapping[str, str] = field(default_factory=dict)

    @property
    def transitive(self) -> bool:
        """Tell whether a new version is compared with all earlier minors, not just with the one before."""
        return self.compatibility.endswith("_transitive")

    @property
    def needs(self) -> tuple[bool, bool]:
        """Return whether backward and whether forward compatibility are needed."""
        kind = self.compatibility.removesuffix("_transitive")
        return kind in ("backward", "full"), kind in ("forward", "full")


def read(path: Path, root: Path, versions: Collection[str]) -> About:
    """Read one file.

    Raises:
        Refused: with every problem of the file; `unknown_version` for a deprecated version that is not there.
    """
    document = yamlfile.read(path, root)
    problems = yamlfile.check(document, _RULES)
    if problems:
        raise Refused(problems)
    spot = Spot(document)
    deprecated = document.value.get("deprecated", {})
    unknown = [version for version in deprecated if version not in versions]
    if unknown:
        raise Refused(_unknown(spot, one, versions) for one in unknown)
    model = ContentModel(document.value.get("content_model", ContentModel.strict))
    return About(**{**document.value, "content_model": model})


def _unknown(spot: Spot, version: str, versions: Collection[str]) -> Problem:
    hint = did_you_mean(version, versions)
    return spot.problem(("deprecated", version), "unknown_version", f"there is no version {version}", hint)
