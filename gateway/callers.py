"""Finds out who calls: by an API key, or by what the verification scheme of a source says."""

from collections.abc import Mapping

from crossdock.kernel.apikeys import KeyBook, KeyRecord, look_up, record_of
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.recorder import now_ms
from crossdock.project import Project
from crossdock.source import API_KEY, SourceSpec
from gateway.caller import Caller, caller_of, holder_of
from gateway.lastuse import LastUse
from gateway.proof import Reason, Request, Unverified, Verifier


class Callers:
    """The credentials of one project: keys of ours and what partners bring."""

    def __init__(
        self,
        project: Project,
        keys: KeyBook,
        verifiers: Mapping[str, Verifier],
        uses: LastUse,
        metrics: Metrics,
    ) -> None:
        self._project = project
        self._keys = keys
        self._uses = uses
        self._verifiers = verifiers
        self._unverified = metrics.unverified
        self._holders: dict[str, tuple[KeyRecord, Caller]] = {}

    def known(self, key: str) -> Caller | None:
        """Return who holds an API key that this process knows."""
        now = now_ms()
        record = record_of(self._keys, key, now)
        return self._holder(record, now) if record else None

    async def anywhere(self, request: Request) -> Caller:
        """Return who calls where no source is named: by a key of ours, or by a credential in the head.

        Raises:
            Unverified: the same for a missing, wrong or revoked credential.
            Unavailable: a key that is new here could not be looked up.
        """
        caller = await self._by_key(request.headers)
        if caller is not None:
            return caller
        proven, away, reasons = [], None, [_reason(request.headers)]
        for source in self._project.sources.values():
            verifier = self._verifiers.get(source.name)
            if verifier is None or verifier.reads_body:
                continue
            try:
                await verifier.verify(request)
                proven.append(source)
            except Unverified as error:
                reasons.append(error.reason)
            except Unavailable as error:  # it is somebody else's identity provider, if another source is proven
                away = error
        if away is not None and not proven:
            raise away
        if len({source.partner for source in proven}) == 1:
            return caller_of(proven)
        telling = (reason for reason in reasons if reason not in ("missing", "closed"))
        raise self._unproven("", "mismatch" if proven else next(telling, "missing"))

    def reads_body(self, source: SourceSpec) -> bool:
        """Tell whether a source proves itself by a signature over the body."""
        return source.verify.scheme != API_KEY and self._verifiers[source.name].reads_body

    async def at(self, source: SourceSpec, request: Request) -> Caller:
        """Return who calls at the address of one source.

        Raises:
            Unverified: the same for a missing, wrong or revoked credential.
            Unavailable: a key that is new here could not be looked up.
        """
        if source.verify.scheme != API_KEY:
            try:
                await self._verifiers[source.name].verify(request)
            except Unverified as error:
                raise self._unproven(source.name, error.reason) from None
            return caller_of([source])
        caller = await self._by_key(request.headers)
        if caller is None:
            raise self._unproven(source.name, _reason(request.headers))
        if source.name not in caller.sources:
            raise self._unproven(source.name, "mismatch")
        return caller

    def _unproven(self, source: str, reason: Reason) -> Unverified:
        """Return the refusal, which is the same whatever it was, and count the reason."""
        self._unverified.labels(source, reason).inc()
        return Unverified(reason)

    async def _by_key(self, headers: Mapping[str, str]) -> Caller | None:
        key, now = key_of(headers), now_ms()
        record = await look_up(self._keys, key, now) if key else None
        return self._holder(record, now) if record else None

    def _holder(self, record: KeyRecord, now: int) -> Caller:
        self._uses.used(record.id, now)
        known = self._holders.get(record.id)
        if known is None or known[0] is not record:
            known = self._holders[record.id] = record, holder_of(self._project, record)
        return known[1]


def key_of(headers: Mapping[str, str]) -> str:
    """Return the API key of a request, or nothing."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _reason(headers: Mapping[str, str]) -> Reason:
    return "unknown_key" if key_of(headers) else "missing"
