"""The gateway of one project, put together from what it stands on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from crossdock.kernel.apikeys import KeyBook, Uses
from crossdock.kernel.buckets import Buckets
from crossdock.kernel.keptanswers import Answers
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.tracing import Tracer
from crossdock.pipeline.commit import GroupCommit
from crossdock.pipeline.recorder import Recorder
from crossdock.project import Project
from gateway.app import asker, create_app
from gateway.bodies import Budget
from gateway.callers import Callers
from gateway.endpoint import Endpoint
from gateway.idempotency import Once
from gateway.ingest import Ingest, Parts
from gateway.intake import Intake, Unfit
from gateway.lastuse import LastUse
from gateway.limits import Limits
from gateway.proof import Verifier
from gateway.sources import make_verifiers
from gateway.storing import Storing
from gateway.traffic import Traffic
from journal.store import Journeys


@dataclass(frozen=True, slots=True)
class Ground:
    """What a gateway stands on; `ready` tells whether the broker answers, `unfit` hears of refused events."""

    keys: KeyBook
    raw: GroupCommit
    recorder: Recorder
    journal: Journeys
    uses: Uses
    buckets: Buckets
    answers: Answers
    metrics: Metrics
    ready: Callable[[], bool]
    unfit: Unfit = lambda *_: None
    tracer: Tracer | None = None


class Gateway:
    """The application and the short way past it, of the project in force; what is under way ends by the one before."""

    path = Ingest.path

    def __init__(self, project: Project, ground: Ground, body_limit: int) -> None:
        """Put it together.

        Raises:
            Refused: what is wrong with how sources prove themselves.
        """
        self.budget = Budget()
        self.body_limit = body_limit
        self._ground = ground
        self._uses = LastUse(ground.uses)
        self._limits = Limits(ground.buckets, ground.metrics)
        self._once = Once(ground.answers, ground.metrics)
        self._project: Project | None = None
        self._verifiers: Mapping[str, Verifier] = {}
        self._traffic: Traffic | None = None
        self.use(project)

    def use(self, project: Project) -> None:
        """Take what comes from now on by another project.

        Raises:
            Refused: what is wrong with how sources prove themselves; nothing has changed then.
        """
        ground = self._ground
        verifiers = make_verifiers(project, self._project, self._verifiers)
        callers = Callers(project, ground.keys, verifiers, self._uses, ground.metrics)
        storing = Storing(ground.raw, ground.recorder, ground.metrics, project.revision, ground.tracer)
        traffic = Traffic(project, self._limits, self._traffic)
        parts = Parts(callers, Intake(project, ground.unfit), storing, traffic)
        ingest = Ingest(parts, self.body_limit)
        endpoint = Endpoint(project, parts, ingest, self.budget, self._once)
        who = asker(callers, traffic)
        self._app: FastAPI = create_app(project, endpoint, who, ground.journal, ground.ready, storing.refuse)
        self.ingest, self.admit = ingest, ingest.admit
        self._project, self._verifiers, self._traffic = project, verifiers, traffic

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the long way."""
        await self._app(scope, receive, send)

    def start(self) -> None:
        """Begin to tell the store which keys are used."""
        self._uses.start()

    async def close(self) -> None:
        """Let what is under way end: what is stored first, then what others should know of it."""
        await self._once.close()
        await self._ground.raw.close()
        await self._ground.recorder.close()
        await self._limits.close()
        await self._uses.close()
