"""What is known of sources and of the events they send, kept over restarts; see `crossdock.pipeline.drifting`."""

import logging
from collections.abc import Mapping

from crossdock.kernel import jsontext
from crossdock.kernel.records import UNFIT
from crossdock.pipeline import rhythm, tally
from crossdock.pipeline.rhythm import Rhythm
from crossdock.pipeline.tally import Tally
from dlq.ports import Records
from schemas.drift import Origin
from schemas.profile import Profile
from schemas.profiletext import dump, load

log = logging.getLogger(__name__)

MOST_BYTES = 900 << 10  # of a profile as it is stored: a broker takes 1 MiB

_PROFILE, _BROKEN = "profile", "broken"  # how the names of records begin

Key = tuple[str, str, str]  # source, type and version


class Known:
    """Rhythms by source, profiles by source, type and version, and what gateways refused.

    What breaks a schema has a profile of its own, so that refused events say nothing of what is usual.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._versions: dict[str, int] = {}
        self._changed: set[str] = set()
        self._profiles: dict[str, dict[Key, Profile]] = {_PROFILE: {}, _BROKEN: {}}
        self._rhythms: dict[str, Rhythm] = {}
        self.tally = Tally()

    @property
    def profiles(self) -> Mapping[Key, Profile]:
        """The profiles of all versions of which events were accepted."""
        return self._profiles[_PROFILE]

    @property
    def broken(self) -> Mapping[Key, Profile]:
        """The profiles of events that were refused or quarantined, as they break their schema."""
        return self._profiles[_BROKEN]

    def rhythm(self, source: str) -> Rhythm:
        """Return the rhythm of a source."""
        return self._rhythms.setdefault(source, Rhythm())

    def profile(self, origin: Origin, *, broken: bool = False) -> Profile:
        """Return the profile of the events of a version, or of those that break it, which will change."""
        key, kind = origin[1:], _BROKEN if broken else _PROFILE
        self._changed.add(".".join((kind, *key)))
        return self._profiles[kind].setdefault(key, Profile())

    def changed(self, source: str) -> None:
        """Note that the rhythm of a source has changed."""
        self._changed.add(f"source.{source}")

    def refused(self, said: Mapping[str, Mapping[tally.Counter, int]], now: int) -> None:
        """Take what the processes say that gateways refused, now in Unix milliseconds."""
        self._changed |= self.tally.hear(said, now)

    async def load(self) -> None:
        """Read what an earlier process knew.

        Raises:
            Unavailable: the store does not answer.
        """
        found = await self._records.all()
        self._versions = {name: version for name, (_, version) in found.items()}
        for name, (stored, _) in found.items():
            try:
                self._take(name, stored)
            except UNFIT as error:  # of another version: it is begun anew
                log.warning("drift: the record %s cannot be read: %s", name, type(error).__name__)

    def _take(self, name: str, stored: bytes) -> None:
        kind, _, rest = name.partition(".")
        if kind == "source":
            self._rhythms[rest] = rhythm.read(jsontext.own_loads(stored))
        elif kind in self._profiles:
            self._profiles[kind][_key(rest)] = load(stored)
        else:
            self.tally.take(name, stored)

    async def save(self) -> None:
        """Store what changed.

        Raises:
            Unavailable: the store does not answer; the rest is stored next time.
        """
        for name in tuple(self._changed):
            stored = self._written(name)
            if stored is None:
                await self._records.remove(name)
                self._versions.pop(name, None)
            else:
                self._versions[name] = await self._put(name, stored)
            self._changed.discard(name)

    async def _put(self, name: str, stored: bytes) -> int:
        version = await self._records.put(name, stored, self._versions.get(name, 0))
        if version is None:  # another process wrote it; what is known here goes on
            found = await self._records.get(name)
            version = await self._records.put(name, stored, found[1] if found else 0)
        return version or 0

    def _written(self, name: str) -> bytes | None:
        kind, _, rest = name.partition(".")
        if kind == "source":
            return jsontext.dumps(self.rhythm(rest).as_dict())
        return self._profile(kind, _key(rest)) if kind in self._profiles else self.tally.written(name)

    def _profile(self, kind: str, key: Key) -> bytes:
        """Return a profile as it is stored: without the samples of values and kinds where it is too large with them."""
        profile = self._profiles[kind][key]
        for lean in (False, True):
            if len(stored := dump(profile, lean=lean)) <= MOST_BYTES:
                return stored
        log.warning("drift: what is known of %s takes %d bytes and is begun anew", ".".join(key), len(stored))
        self._profiles[kind][key] = Profile()
        return dump(Profile())


def _key(name: str) -> Key:
    """Return source, type and version of a profile's name: no source holds a dot, and each version holds one."""
    source, _, typed = name.partition(".")
    type_, major, minor = typed.rsplit(".", 2)
    return source, type_, f"{major}.{minor}"
