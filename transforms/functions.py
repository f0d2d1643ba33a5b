"""What maps can call besides JSONata's own functions."""

from collections.abc import Mapping
from typing import Any

from crossdock.kernel.expression import Function
from transforms import clocks, decimals, gs1, hashes, measures
from transforms.failures import UnknownCodeError, shown, text
from transforms.lookups import Lookups

Codes = Mapping[str, Mapping[str, Any]]


def functions(lookups: Lookups, codes: Codes) -> dict[str, Function]:
    """Return the functions by the name a map calls them with, without the `$`."""
    return {
        "lookup": lookups.find,
        "code": _code(codes),
        **decimals.FUNCTIONS,
        **measures.FUNCTIONS,
        **gs1.FUNCTIONS,
        **clocks.FUNCTIONS,
        **hashes.FUNCTIONS,
    }


def _code(codes: Codes) -> Function:
    def code(name: Any, value: Any, otherwise: Any = None) -> Any:
        if name not in codes:
            raise UnknownCodeError(f"there is no code list {shown(name)}")
        found = codes[name].get(text(value)) if value is not None else None
        if found is None and otherwise is None:
            raise UnknownCodeError(f"code list {name} has no {shown(value)}")
        return otherwise if found is None else found

    return code
