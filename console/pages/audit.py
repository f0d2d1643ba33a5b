"""`/audit`: what people did, and whether the log of it is whole."""

import json
from typing import Any
from urllib.parse import urlencode

from console.access import Role
from console.pages.parts import sheet
from console.pages.parts.basics import button, empty, fieldset, link, tag
from console.pages.parts.sheet import Column, Row, Sheet
from console.pages.visit import Visit

PAGE = 100
COLUMNS = (
    Column("At", "time"), Column("Number", "number"), Column("Who"), Column("Act", "code"), Column("On", "code"),
    Column("Detail", "code"), Column("From"),
)  # fmt: skip


async def audit(visit: Visit) -> None:
    """Build the page."""
    if not visit.may(Role.OPERATOR):
        empty("The audit log is for operators. Ask an admin for that role.")
        return
    asked = {name: visit.query.get(name, "").strip() for name in ("who", "act", "before")}
    with tag("form", classes="filters", method="get", action="/audit", aria_label="Which entries"):
        fieldset("Who", "who", asked["who"])
        fieldset("Act", "act", asked["act"], placeholder="route.pause")
        with tag("div", classes="filters-acts"):
            tag("button", "Show", "button main", type="submit")
            button("Verify the log", lambda: _verify(visit, told))
    told = tag("div", role="status")
    answer = await visit.api.get("audit", **asked, limit=PAGE)
    found = answer["items"]
    table = Sheet("Audit", COLUMNS, "Nobody did anything yet that is kept here.", file="audit")
    table.fill(_row(one) for one in found)
    if answer["next"]:
        if len(found) < PAGE:
            tag("p", f"Looked at down to entry {answer['next']:,}.", "quiet")
        older = {**asked, "before": answer["next"]}
        link("Older", f"/audit?{urlencode({name: value for name, value in older.items() if value})}")


async def _verify(visit: Visit, told: Any) -> None:
    found = await visit.act(visit.api.get("audit/verify"))
    if found is None:
        return
    told.clear()
    with told, tag("div", classes=f"banner {'good' if found['valid'] else 'bad'}"):
        tag("strong", f"The log is {'whole' if found['valid'] else 'not whole'}: {found['entries']:,} entries.")
        tag("span", f"Last hash {found['hash']}", "mono")
        for one in found["problems"][:20]:
            tag("span", f"{one['number']}: {one['code']} {one['message']}")


def _row(one: dict[str, Any]) -> Row:
    detail = json.dumps(one["detail"], ensure_ascii=False) if one["detail"] else ""
    return Row(
        str(one["number"]),
        [
            sheet.when(one["at"]), sheet.count(one["number"]), sheet.text(one["who"]), sheet.text(one["act"]),
            sheet.text(one["on"]), sheet.text(detail), sheet.text(one["address"]),
        ],
    )  # fmt: skip
