"""The application identifiers that `$gs1` knows, with name and form (GS1 General Specifications, section 3.2)."""

import re
from dataclasses import dataclass
from functools import cache

# The first two digits of those whose length is predefined, which end without FNC1 (figure 7.8.5-2): with the
# identifier itself. What begins with another pair ends at FNC1, even if its length is fixed.
FIXED_LENGTHS = {
    "00": 20, "01": 16, "02": 16, "03": 16, "04": 18, "11": 8, "12": 8, "13": 8, "14": 8, "15": 8, "16": 8, "17": 8,
    "18": 8, "19": 8, "20": 4, "31": 10, "32": 10, "33": 10, "34": 10, "35": 10, "36": 10, "41": 16,
}  # fmt: skip
_TEXT = r"[!-\"%-?A-Z_a-z]"  # character set 82 (figure 7.11-1)
_KINDS = {"date": "[0-9]{6}", "decimal": "[0-9]{6}", "amount": "[0-9]{1,15}", "money": "[0-9]{4,18}"}


@dataclass(frozen=True, slots=True)
class Identifier:
    """One application identifier: the name it gets, its form, and how many digits a check digit covers, if any."""

    name: str
    kind: str
    pattern: re.Pattern[str]
    checked: int = 0


@cache
def identifier(ai: str) -> Identifier | None:
    """Return what an application identifier means, nothing for one that is not known here."""
    form = NAMED.get(ai) or (NAMED.get(f"{ai[:3]}n") if len(ai) == 4 and "0" <= ai[3] <= "9" else None)
    if form is None:
        return None
    name, kind = form
    if kind in _KINDS:
        return Identifier(name, "decimal" if kind == "amount" else kind, re.compile(_KINDS[kind]))
    if kind.startswith("key"):
        digits, _, more = kind.removeprefix("key").partition("+")
        tail = f"{_TEXT}{{0,{more}}}" if more else ""
        return Identifier(name, "key", re.compile(f"[0-9]{{{digits}}}{tail}"), int(digits))
    of, lengths = ("[0-9]" if kind[0] == "n" else _TEXT), kind[1:]
    least, _, most = lengths.rpartition("-")
    return Identifier(name, "text", re.compile(f"{of}{{{least or most},{most}}}"))


# n is digits and x text, of a fixed length or a range of them; keyN has a check digit as the last of N digits.
NAMED: dict[str, tuple[str, str]] = {
    "00": ("sscc", "key18"),
    "01": ("gtin", "key14"),
    "02": ("content", "key14"),
    "10": ("lot", "x1-20"),
    "11": ("produced", "date"),
    "12": ("due", "date"),
    "13": ("packed", "date"),
    "15": ("best_before", "date"),
    "16": ("sell_by", "date"),
    "17": ("expires", "date"),
    "20": ("variant", "n2"),
    "21": ("serial", "x1-20"),
    "22": ("consumer_variant", "x1-20"),
    "30": ("variable_count", "n1-8"),
    "37": ("count", "n1-8"),
    "240": ("additional_id", "x1-30"),
    "241": ("customer_part", "x1-30"),
    "250": ("secondary_serial", "x1-30"),
    "251": ("source_reference", "x1-30"),
    "253": ("gdti", "key13+17"),
    "254": ("location_extension", "x1-20"),
    "400": ("order", "x1-30"),
    "401": ("ginc", "x1-30"),
    "402": ("gsin", "key17"),
    "403": ("routing", "x1-30"),
    "410": ("ship_to", "key13"),
    "411": ("bill_to", "key13"),
    "412": ("purchased_from", "key13"),
    "413": ("ship_for", "key13"),
    "414": ("location", "key13"),
    "415": ("pay_to", "key13"),
    "416": ("produced_at", "key13"),
    "417": ("party", "key13"),
    "420": ("ship_to_postcode", "x1-20"),
    "421": ("ship_to_country_postcode", "x4-12"),
    "422": ("origin_country", "n3"),
    "310n": ("net_weight_kg", "decimal"),
    "311n": ("length_m", "decimal"),
    "312n": ("width_m", "decimal"),
    "313n": ("height_m", "decimal"),
    "314n": ("area_m2", "decimal"),
    "315n": ("net_volume_l", "decimal"),
    "316n": ("net_volume_m3", "decimal"),
    "320n": ("net_weight_lb", "decimal"),
    "321n": ("length_in", "decimal"),
    "322n": ("length_ft", "decimal"),
    "323n": ("length_yd", "decimal"),
    "330n": ("gross_weight_kg", "decimal"),
    "340n": ("gross_weight_lb", "decimal"),
    "390n": ("amount", "amount"),
    "391n": ("amount", "money"),
    "392n": ("price", "amount"),
    "393n": ("price", "money"),
    "8003": ("grai", "key14+16"),
    "8004": ("giai", "x1-30"),
    "8006": ("itip", "n18"),
    "8010": ("cpid", "x1-30"),
    "8017": ("gsrn_provider", "key18"),
    "8018": ("gsrn_recipient", "key18"),
    **{f"{ai}": (f"internal_{ai}", "x1-90") for ai in range(90, 100)},
}
