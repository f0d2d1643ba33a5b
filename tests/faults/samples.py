"""Single events for fault tests that look at one event closely."""

from typing import Any


def sale(number: int, **data: Any) -> dict[str, Any]:
    """Return a sale to a known customer: it goes to the ERP and the OMS."""
    return {
        "specversion": "1.0",
        "id": f"sale-{number}",
        "source": "urn:till:0042-1",
        "type": "pos.sale",
        "time": "2026-03-02T09:15:00Z",
        "dataschema": "crossdock:/pos.sale/1.1",
        "data": {
            "store": "0042",
            "receipt": f"R-{number}",
            "customer": "C-1",
            "currency": "EUR",
            "amount": "6.89",
            "lines": [{"gtin": "9520123400019", "qty": 1, "price": "6.89"}],
            **data,
        },
    }
