"""How a database goes about a query."""

from typing import Any

from sqlalchemy import Connection


def explained(connection: Connection, *seen: Any) -> list[str]:
    """Return the plan of a statement that SQLAlchemy is about to run."""
    statement, parameters = seen[2:4]
    if statement.startswith("EXPLAIN"):
        return []
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
