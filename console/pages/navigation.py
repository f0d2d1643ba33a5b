"""What the console's navigation shows, in its order."""

from typing import NamedTuple

from console.access import Role


class Entry(NamedTuple):
    """A place: its address, name and icon (of the Material icons that NiceGUI ships), and for which role it is.

    One that is `hidden` is shown when there is something to it: see `console.pages.waiting`.
    """

    path: str
    name: str
    icon: str
    role: Role = Role.VIEWER
    hidden: bool = False


class Group(NamedTuple):
    """Places under one heading."""

    name: str
    entries: tuple[Entry, ...]


NAVIGATION = (
    Group(
        "Watch",
        (
            Entry("/", "Overview", "hub"),
            Entry("/events", "Events", "search"),
            Entry("/alerts", "Alerts", "notifications"),
            Entry("/processes", "Processes", "timeline"),
            Entry("/conformance", "Conformance", "rule"),
        ),
    ),
    Group(
        "Receive",
        (
            Entry("/partners", "Partners", "groups"),
            Entry("/sources", "Sources", "input"),
            Entry("/schemas", "Schemas", "schema"),
            Entry("/drift", "Drift", "difference"),
        ),
    ),
    Group(
        "Repair",
        (
            Entry("/problems", "Problems", "report"),
            Entry("/dead-letters", "Dead letters", "markunread_mailbox"),
            Entry("/plans", "Replay plans", "replay"),
            Entry("/approvals", "Approvals", "how_to_reg", hidden=True),
        ),
    ),
    Group(
        "Run",
        (
            Entry("/routes", "Routes", "alt_route"),
            Entry("/connectors", "Connectors", "power"),
            Entry("/ledger", "Ledger", "balance"),
            Entry("/audit", "Audit", "history_edu"),
        ),
    ),
    Group(
        "Access",
        (
            Entry("/users", "Users", "group", Role.ADMIN),
            Entry("/tokens", "API tokens", "vpn_key", Role.ADMIN),
            Entry("/account", "Your account", "account_circle"),
        ),
    ),
)
