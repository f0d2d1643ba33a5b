"""What is known of sources and of the events they send, kept over restarts; see `crossdock.pipeline.drifting`."""

from collections.abc import Mapping

from crossdock.kernel import jsontext
from crossdock.pipeline import rhythm, tally
from crossdock.pipeline.rhythm import Rhythm
from crossdock.pipeline.tally import Tally
from dlq.ports import Records
from schemas.drift import Origin
from schemas.profile import Profile
from schemas.profiletext import dump, load

MOST_BYTES = 900 << 10  # of a profile as it is stored: a broker takes 1 MiB

_TALLY = "tally"

Key = tuple[str, str, str]  # source, type and version


class Known:
    """Rhythms by source, profiles by source, type and version, and what gateways refused."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._versions: dict[str, int] = {}
        self._changed: set[str] = set()
        self._profiles: dict[Key, Profile] = {}
        self._rhythms: dict[str, Rhythm] = {}
        self.tally = Tally()

    @property
    def profiles(self) -> Mapping[Key, Profile]:
        """The profiles of all versions of which events came."""
        return self._profiles

    def rhythm(self, source: str) -> Rhythm:
        """Return the rhythm of a source."""
        return self._rhythms.setdefault(source, Rhythm())

    def profile(self, origin: Origin) -> Profile:
        """Return the profile of the events of a version, which will change."""
        key = origin[1:]
        self._changed.add("profile." + ".".join(key))
        return self._profiles.setdefault(key, Profile())

    def changed(self, source: str) -> None:
        """Note that the rhythm of a source has changed."""
        self._changed.add(f"source.{source}")

    def refused(self, said: Mapping[str, Mapping[tally.Counter, int]], now: int) -> None:
        """Take what the processes say that gateways refused, now in Unix milliseconds."""
        if self.tally.hear(said, now):
            self._changed.add(_TALLY)

    async def load(self) -> None:
        """Read what an earlier process knew.

        Raises:
            Unavailable: the store does not answer.
        """
        for name, (stored, version) in (await self._records.all()).items():
            kind, _, rest = name.partition(".")
            self._versions[name] = version
            if kind == "source":
                self._rhythms[rest] = rhythm.read(jsontext.own_loads(stored))
            elif kind == "profile":
                self._profiles[_key(rest)] = load(stored)
            elif name == _TALLY:
                self.tally = tally.read(jsontext.own_loads(stored))

    async def save(self) -> None:
        """Store what changed; a profile that is too large for that is begun anew.

        Raises:
            Unavailable: the store does not answer; the rest is stored next time.
        """
        for name in tuple(self._changed):
            version = await self._records.put(name, self._written(name), self._versions.get(name, 0))
            if version is None:  # another process wrote it; what is known here goes on
                found = await self._records.get(name)
                version = await self._records.put(name, self._written(name), found[1] if found else 0)
            self._versions[name] = version or 0
            self._changed.discard(name)

    def _written(self, name: str) -> bytes:
        kind, _, rest = name.partition(".")
        if name == _TALLY:
            return jsontext.dumps(self.tally.as_dict())
        if kind == "source":
            return jsontext.dumps(self.rhythm(rest).as_dict())
        stored = dump(self._profiles[_key(rest)])
        if len(stored) > MOST_BYTES:
            self._profiles[_key(rest)] = Profile()
            return dump(Profile())
        return stored


def _key(name: str) -> Key:
    """Return source, type and version of a profile's name: no source holds a dot, and each version holds one."""
    source, _, typed = name.partition(".")
    type_, major, minor = typed.rsplit(".", 2)
    return source, type_, f"{major}.{minor}"
