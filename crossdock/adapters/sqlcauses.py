"""Dead letters counted by their cause; the query is answered from one index."""

from sqlalchemy import Connection, case, func, select

from crossdock.adapters.sqltables import letters_table
from journal.store import CauseCount


def causes(connection: Connection, recent: int) -> list[CauseCount]:
    """See `JournalStore.causes`."""
    row = letters_table.c
    query = select(
        row.cause,
        row.state,
        row.partner,
        func.count(),
        func.sum(case((row.last_seen >= recent, 1), else_=0)),
        func.min(row.first_seen),
        func.max(row.last_seen),
        func.min(row.id),
    ).group_by(row.cause, row.state, row.partner)
    return [CauseCount(*found) for found in connection.execute(query)]
