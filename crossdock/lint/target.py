"""Compares what a `map` makes with the schema of what it must make; sure or silent."""

from collections.abc import Iterator

from crossdock.kernel.nearest import did_you_mean
from crossdock.lint.compare import Finding, spoken
from crossdock.lint.shapes import Shape, Type, elements


def unfit(made: Type | None, wanted: Type | None, at: int = 0) -> Iterator[Finding]:
    """Say what of a made value its schema refuses, whatever comes in; `at` is where the value is made."""
    if made is None or wanted is None or len(wanted.shapes) != 1:
        return
    (form,) = wanted.shapes
    single = all(shape.kinds and "array" not in shape.kinds for shape in made.shapes)
    if form.kinds == {"array"} and form.least < 2 and made.many and not made.several and single:
        message = "it is no list when there is only one, and the schema wants a list"
        gone = [*_gone(made, wanted, at)]  # when there is none
        yield Finding(at, "single_or_list", message, gone[0].hint if gone else "put [] behind it")
    for shape in made.shapes:
        yield from _unfit_kind(shape, form, at, made.many)
        if shape.at is not None and (not form.kinds or "object" in form.kinds):
            yield from _unfit_object(shape, form)
    if form.items and (inner := elements(made)):
        yield from (found for shape in inner.shapes for found in unfit(Type((shape,)), form.items(), at))


def _gone(made: Type | None, wanted: Type | None, at: int) -> Iterator[Finding]:
    """Say when a field that the schema requires is lost by a mistake; an empty list counts if it would be taken."""
    taken = wanted is not None and wanted.shapes and all(s.kinds == {"array"} and not s.least for s in wanted.shapes)
    if made is not None and made.gap and (taken or made.gap.code != "empty_list"):
        yield Finding(at, *made.gap)


def _unfit_kind(shape: Shape, form: Shape, at: int, many: bool) -> Iterator[Finding]:
    if shape.kinds and form.kinds and not shape.kinds & form.kinds and not (many and "array" in form.kinds):
        message = f"it is {spoken(shape.kinds)}, the schema wants {spoken(form.kinds)}"
        yield Finding(at if shape.at is None else shape.at, "type_mismatch", message, "see the schema it is made for")
    elif shape.texts is not None and form.texts is not None and not many:
        for text in sorted(shape.texts - form.texts):
            yield Finding(at, "impossible_value", f"the schema does not take {text!r}", did_you_mean(text, form.texts))


def _unfit_object(shape: Shape, form: Shape) -> Iterator[Finding]:
    if shape.closed:
        for name in sorted(form.required - set(shape.members)):
            message = f"the schema requires the field {name!r}, which is not made"
            yield Finding(shape.at or 0, "missing_field", message, f"add {name!r}, or make it optional in the schema")
    for name, member in shape.members.items():
        at = shape.places.get(name, 0)
        if name in form.members:
            given, wanted = member(), form.members[name]()
            found = [*unfit(given, wanted, at)]
            yield from found
            if name in form.required and not found:
                yield from _gone(given, wanted, at)
        elif form.closed:
            message = f"the schema it is made for has no field {name!r}"
            yield Finding(at, "unknown_field", message, did_you_mean(name, form.members))
