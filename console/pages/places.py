"""All pages: their addresses, titles and what builds them."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from console.pages.api import Refusal
from console.pages.audit import audit
from console.pages.connectors import connectors
from console.pages.events import events
from console.pages.journey import journey
from console.pages.ledger import ledger
from console.pages.letter import letter
from console.pages.letters import letters
from console.pages.overview import overview
from console.pages.plan import plan, plans
from console.pages.problem import problem
from console.pages.problems import problems
from console.pages.routes import routes
from console.pages.visit import Visit


class Place(NamedTuple):
    """A page: its address, with names of parts in braces, its title, and what fills it."""

    path: str
    title: str
    build: Callable[[Visit], Awaitable[None]]


async def nowhere(visit: Visit) -> None:
    """Say that there is no such page."""
    raise Refusal(404, f"There is no page {visit.here[:200]}.", {})


PLACES = (
    Place("/", "Overview", overview),
    Place("/events", "Events", events),
    Place("/events/{key:path}", "Journey", journey),
    Place("/problems", "Problems", problems),
    Place("/problems/{problem}", "Problem", problem),
    Place("/dead-letters", "Dead letters", letters),
    Place("/dead-letters/{letter}", "Dead letter", letter),
    Place("/plans", "Replay plans", plans),
    Place("/plans/{plan}", "Replay plan", plan),
    Place("/routes", "Routes", routes),
    Place("/connectors", "Connectors", connectors),
    Place("/ledger", "Ledger", ledger),
    Place("/audit", "Audit", audit),
    Place("/{path:path}", "Not found", nowhere),
)
