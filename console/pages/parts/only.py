"""A page of many that is opened for one of them, such as `/routes/stock`, where links of alerts lead."""

from console.pages.parts.basics import link, tag
from console.pages.visit import Visit


def only(visit: Visit, sort: str) -> str:
    """Return the one that the address names, and say so with a way to all; empty when it names none."""
    name = visit.path.get(sort, "")
    if name:
        with tag("p", classes="acts-row"):
            tag("span", f"Only {sort} {name}", "badge")
            link(f"All {sort}s", f"/{sort}s")
    return name
