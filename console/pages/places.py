"""All pages: their addresses, titles and what builds them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from console.pages.account import account
from console.pages.alerts import alerts
from console.pages.api import Api, Refusal
from console.pages.approvals import approvals
from console.pages.audit import audit
from console.pages.conformance import conformance
from console.pages.connectors import connectors
from console.pages.drift import drift
from console.pages.edit import edit
from console.pages.events import events, leads
from console.pages.finding import finding
from console.pages.journey import journey
from console.pages.ledger import ledger
from console.pages.letter import letter
from console.pages.letters import letters
from console.pages.overview import overview
from console.pages.partner import partner
from console.pages.partners import partners
from console.pages.plan import plan
from console.pages.planning import planning
from console.pages.plans import plans
from console.pages.problem import problem
from console.pages.problems import problems
from console.pages.processes import processes
from console.pages.routes import routes
from console.pages.schema import schema
from console.pages.schemas import schemas
from console.pages.sources import sources
from console.pages.tokens import tokens
from console.pages.users import users
from console.pages.visit import Visit


class Place(NamedTuple):
    """A page: its address, with names of parts in braces, its title, and what fills it.

    `leads` says where its address leads for some words in it, before anything is drawn; nothing where it does not.
    """

    path: str
    title: str
    build: Callable[[Visit], Awaitable[None]]
    leads: Callable[[Api, Mapping[str, str]], Awaitable[str]] | None = None


async def nowhere(visit: Visit) -> None:
    """Say that there is no such page."""
    raise Refusal(404, f"There is no page {visit.here[:200]}.", {})


PLACES = (
    Place("/", "Overview", overview),
    Place("/events", "Events", events, leads),
    Place("/events/{key:path}", "Journey", journey),
    Place("/partners", "Partners", partners),
    Place("/partners/{partner}", "Partner", partner),
    Place("/sources", "Sources", sources),
    Place("/sources/{source}", "Source", sources),
    Place("/schemas", "Schemas", schemas),
    Place("/schemas/{type}", "Schema", schema),
    Place("/drift", "Drift", drift),
    Place("/drift/{finding}", "Drift finding", finding),
    Place("/problems", "Problems", problems),
    Place("/problems/{problem}", "Problem", problem),
    Place("/dead-letters", "Dead letters", letters),
    Place("/dead-letters/{letter}", "Dead letter", letter),
    Place("/dead-letters/{letter}/edit", "Edit and replay", edit),
    Place("/plans", "Replay plans", plans),
    Place("/plans/new", "Plan a replay", planning),
    Place("/plans/{plan}", "Replay plan", plan),
    Place("/routes", "Routes", routes),
    Place("/routes/{route}", "Route", routes),
    Place("/connectors", "Connectors", connectors),
    Place("/connectors/{connector}", "Connector", connectors),
    Place("/ledger", "Ledger", ledger),
    Place("/audit", "Audit", audit),
    Place("/alerts", "Alerts", alerts),
    Place("/processes", "Processes", processes),
    Place("/conformance", "Conformance", conformance),
    Place("/approvals", "Approvals", approvals),
    Place("/users", "Users", users),
    Place("/tokens", "API tokens", tokens),
    Place("/account", "Your account", account),
    Place("/{path:path}", "Not found", nowhere),
)
