"""What the console's navigation shows, in its order."""

from typing import NamedTuple


class Entry(NamedTuple):
    """A place: its address, name and icon (of the Material icons that NiceGUI ships)."""

    path: str
    name: str
    icon: str


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
        ),
    ),
    Group(
        "Repair",
        (
            Entry("/problems", "Problems", "report"),
            Entry("/dead-letters", "Dead letters", "markunread_mailbox"),
            Entry("/plans", "Replay plans", "replay"),
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
)
