"""A small project in a temporary folder for the tests of the content engine: one raw type, transform and route."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem, Refused
from crossdock.project import Project, load

SALE = {
    "type": "object",
    "properties": {
        "store": {"type": "string", "pattern": "^[0-9]{4}$"},
        "receipt": {"type": "string"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
    },
    "required": ["store", "receipt", "lines"],
    "additionalProperties": False,
    "$defs": {
        "line": {
            "type": "object",
            "properties": {"gtin": {"type": "string"}, "qty": {"type": "integer", "minimum": 1}},
            "required": ["gtin", "qty"],
        }
    },
}
SOLD = {
    "type": "object",
    "properties": {"location": {"type": "string"}, "lines": {"type": "array", "minItems": 1}},
    "required": ["location", "lines"],
}
ENV = {"ERP_URL": "http://127.0.0.1:9"}
TILLS, SALE_MAP, STOCK = "gateway/tills.yaml", "transforms/sale.yaml", "routes/stock.yaml"
FILES = {
    "gateway/tills.yaml": """\
source: tills
partner: stores
accept: cloudevents
types: [pos.sale]
verify: {api_key: true}
""",
    "transforms/lookups/items.csv": "gtin,sku,name\n1,COFFEE,Coffee 1 kg\n2,TEA,Tea\n",
    "transforms/sale.yaml": """\
transform: sale
from: pos.sale@1
to: inventory.sold@1
lookups: {item: lookups/items.csv}
map: |
  {"location": "STORE-" & store, "lines": lines.{"item": $lookup("item", gtin).sku, "quantity": qty}[]}
business_key: store & "/" & receipt
""",
    "routes/stock.yaml": """\
routes:
  - route: stock
    from: [inventory.sold]
    to: erp
    when: $count(lines) > 1
    order_by: location
""",
    "connectors/erp.yaml": """\
connector: erp
kind: http
url: ${ERP_URL}/movements
networks: [127.0.0.0/8]
""",
    "transforms/sale.test.yaml": """\
tests:
  - name: A sale becomes a movement
    given:
      type: pos.sale
      data: {store: "0042", receipt: "7", lines: [{gtin: "1", qty: 2}]}
    expect:
      type: inventory.sold
      business_key: 0042/7
      data: {location: STORE-0042, lines: [{item: COFFEE, quantity: 2}]}
""",
    "routes/stock.test.yaml": """\
tests:
  - name: A sale of two lines is booked
    given:
      type: pos.sale
      data: {store: "0042", receipt: "7", lines: [{gtin: "1", qty: 2}, {gtin: "2", qty: 1}]}
    expect:
      routes: [stock]
""",
}


def _version(type_: str, version: str, schema: dict[str, Any]) -> dict[str, str | None]:
    head = {"$id": f"crossdock:/{type_}/{version}", "title": type_, "description": "for a test"}
    return {f"schemas/{type_}/{version}.json": json.dumps({**head, **schema}, indent=2)}


# Tills that still send version 1 of what the transform takes, and a target ahead of it with a form of its own.
OLDER: dict[str, str | None] = {
    **_version("pos.sale", "2.0", SALE),
    **_version("inventory.sold", "2.0", SOLD),
    SALE_MAP: FILES[SALE_MAP].replace("from: pos.sale@1", "from: pos.sale@2"),
    TILLS: FILES[TILLS].replace("[pos.sale]", "[pos.sale@1.0]"),
    STOCK: FILES[STOCK].replace("[inventory.sold]", "[inventory.sold@2]").replace("to: erp", "to: erp\n    map: erp"),
    "transforms/pos.sale/1-to-2.yaml": "map: $\n",
    "transforms/inventory.sold/1-to-2.yaml": "map: $\n",
    "transforms/targets/erp.yaml": "map: '{\"at\": location}'\n",
}

# A folder that is polled for sales, and a source that takes what is found there.
POLLED: dict[str, str | None] = {
    "connectors/inbox.yaml": "connector: inbox\nkind: file\nfolder: /in\nformat: jsonl\npoll: {}\n",
    "gateway/dropped.yaml": """\
source: dropped
partner: stores
accept: webhook
types: [pos.sale]
poll: {connector: inbox}
event: {id: body.receipt, type: '"pos.sale"'}
""",
}


def write(root: Path, changes: Mapping[str, str | None] | None = None) -> Path:
    """Write the project with some files changed; `None` leaves one out."""
    for name, text in {**FILES, **(changes or {})}.items():
        if text is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
    write_schema(root, "pos.sale", "1.0", SALE)
    write_schema(root, "inventory.sold", "1.0", SOLD)
    return root


def edited(name: str, old: str, new: str) -> dict[str, str | None]:
    """Return the change that replaces a text in one of the files."""
    assert old in FILES[name]
    return {name: FILES[name].replace(old, new)}


def source(name: str, partner: str, *more: str) -> str:
    """Return the file of a source of sales."""
    lines = [f"source: {name}", f"partner: {partner}", "accept: cloudevents", "verify: {api_key: true}"]
    return "\n".join([*lines, "types: [pos.sale]", *more]) + "\n"


def project(root: Path, changes: Mapping[str, str | None] | None = None) -> Project:
    """Write and load the project."""
    return load(write(root, changes), ENV)


def refused(root: Path, changes: Mapping[str, str | None] | None = None) -> list[Problem]:
    """Write the project and return the problems that loading it meets."""
    with pytest.raises(Refused) as caught:
        load(write(root, changes), ENV)
    return list(caught.value.problems)


def only(root: Path, changes: Mapping[str, str | None]) -> Problem:
    """Return the one problem of a changed project."""
    (problem,) = refused(root, changes)
    return problem


def write_schema(root: Path, type_: str, version: str, schema: dict[str, Any], **more: Any) -> Path:
    """Write one version of a type with the keys every schema must have."""
    path = root / "schemas" / type_ / f"{version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {"$id": f"crossdock:/{type_}/{version}", "title": type_, "description": "for a test"}
    path.write_text(json.dumps({**head, **schema, **more}, indent=2))
    return path


def sale(*gtins: str, **attributes: Any) -> Event:
    """Return a sale of these items, one of each."""
    data = {"store": "0042", "receipt": "7", "lines": [{"gtin": gtin, "qty": 1} for gtin in gtins]}
    return Event(**{"id": "s-1", "source": "/till/1", "type": "pos.sale", "data": data, **attributes})
