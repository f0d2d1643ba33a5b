"""Proposed schemas: they take what drifted and keep what their type promises."""

import pytest

from crossdock.kernel.problems import Refused
from schemas import evolution
from schemas.about import About
from schemas.contentmodel import ContentModel
from schemas.drift import settled
from schemas.outline import Outline
from schemas.registry import Compiled, Registry
from schemas.spec import compile_schema
from schemas.widening import propose
from tests.schemas.watch import PLANTED, SALE, Watch, registry, sale, used


@pytest.mark.parametrize("case", sorted(PLANTED))
def test_the_proposal_takes_what_came_and_keeps_what_the_type_promises(case: str) -> None:
    change, (_, _) = PLANTED[case]
    watch = used(5).show(sale(**change))
    # when
    made = propose(watch.registry, watch.found())
    # then
    validator = compile_schema(made.schema)
    assert (made.base, made.version, made.schema["$id"]) == ("1.0", "1.1", "crossdock:/shop.sale/1.1")
    assert validator.is_valid(sale(**change)) and validator.is_valid(sale())
    assert all(settled(one, Outline(made.schema)) for one in watch.found())
    versions = {**watch.registry.by_type["shop.sale"], "1.1": Compiled(made.schema, validator)}
    (verdict,) = evolution.verdicts(Registry({"shop.sale": versions}), ("shop.sale",))
    assert verdict.comparison.backward and made.changes


def test_several_findings_make_one_version() -> None:
    watch = used(5).show(sale(loyalty=1, payment="voucher", store=None))
    made = propose(watch.registry, watch.found())
    assert compile_schema(made.schema).is_valid(sale(loyalty=2, payment="voucher", store=None))
    assert len(made.changes) == 3


def test_where_an_open_schema_took_a_field_with_any_content_its_content_stays_open() -> None:
    schema = {**SALE, "additionalProperties": True}
    watch = Watch(schema).show(sale(loyalty=1))
    field = propose(registry(schema), watch.found()).schema["properties"]["loyalty"]
    lenient = About(content_model=ContentModel.lenient)
    known = propose(registry(schema, lenient), watch.found()).schema["properties"]["loyalty"]
    assert ("type" in field, known["type"]) == (False, "number")


def test_a_type_that_promises_both_directions_gets_no_version_that_breaks_one() -> None:
    watch = used(5).show(sale(store=None))
    with pytest.raises(Refused, match="no_compatible_schema"):
        propose(registry(about=About(compatibility="full")), watch.found())


def test_what_no_schema_can_mend_is_refused_with_the_reason() -> None:
    with pytest.raises(Refused, match="its schema allows that already"):
        propose(registry(), used().show(sale(note=None)).found())


def test_personal_values_can_not_be_proposed_as_they_were_not_kept() -> None:
    watch = used(5).show(sale(customer="Eve Adams"))
    with pytest.raises(Refused, match="personal_value"):
        propose(watch.registry, watch.found())
