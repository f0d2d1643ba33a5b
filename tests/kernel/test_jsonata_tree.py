"""The reader of expressions: what it takes, how it groups, and where it says that reading stopped."""

import pytest

from crossdock.kernel.jsonata_names import calls
from crossdock.kernel.jsonata_tree import MAX_DEPTH, MAX_LEVELS, Node, UnreadableError, read


def spoken(node: Node) -> str:
    inner = " ".join(map(spoken, node.parts))
    return f"{node.value or node.kind}({inner})" if node.parts else node.value or node.kind


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a.b.c", ".(.(a b) c)"),
        ("a + b * c", "+(a *(b c))"),
        ("a = 1 and b or c", "or(and(=(a 1) b) c)"),
        ("and.or", ".(and or)"),
        ("lines[qty > 1].sku", ".(filter(lines >(qty 1)) sku)"),
        ("lines.{'a': x}[]", ".(lines keep(object(a x)))"),
        ("a ? b : c ? d", "condition(a b condition(c d))"),
        ("($x := 1; $x)", "block(x(1) x)"),
        ("$f(a, ?)", "call(f a open)"),
        ("function($v)<n:n>{$v}", "function(v v)"),
        ("a ~> |b|{'c': 1}, 'd'|", "~>(a change(b object(c 1) d))"),
        ("$match(a, /b[/]c/i)", "call(match a b[/]c)"),
        ("a /* no */ / b", "/(a b)"),
        ("a^(>b, <c).d", ".(sort(a b c) d)"),
        ("x@$l.y#$i", ".(@(x l) #(y i))"),
        ("`odd name`.'with \\u0041'", ".(odd name with A)"),
        ("-a ?? b", "??(-(a) b)"),
        ("a.%.**.*", ".(.(.(a parent) descendants) wildcard)"),
    ],
)
def test_what_binds_together_stands_together(text: str, tree: str) -> None:
    assert spoken(read(text)) == tree


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("{\n 'a': b.,\n}", 10),
        ("(1; 2", 5),
        ("a[1", 3),
        ("'open", 0),
        ("a b", 2),
        ("1 := 2", 0),
        ("a.(b, c)", 4),
        ("{'a' 1}", 5),
        ("", 0),
    ],
)
def test_reading_stops_where_the_mistake_is(text: str, at: int) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(text)
    assert caught.value.at == at


def test_depth_is_bounded() -> None:
    read("(" * (MAX_DEPTH - 1) + "1" + ")" * (MAX_DEPTH - 1))
    with pytest.raises(UnreadableError, match="too deep"):
        read("(" * 100_000)


@pytest.mark.parametrize("sign", [" + ", " & ", ".", " ?? ", "~>"])
def test_a_tree_that_leans_to_one_side_is_bounded_like_one_that_is_nested(sign: str) -> None:
    read(sign.join(["a"] * MAX_LEVELS))
    with pytest.raises(UnreadableError, match="too deep"):
        read(sign.join(["a"] * (MAX_LEVELS + 1)))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("$f(a, $g(b)) /* $h(c) */ & '$i(d)'", ["f(a call(g b))", "g(b)"]),
        ("a ~> $f(b) ~> $g", ["f(a b)"]),
        (" & ".join(["$f(a)"] * 3_000), ["f(a)"] * 3_000),
    ],
)
def test_the_calls_of_an_expression_are_told_with_what_they_are_given(text: str, names: list[str]) -> None:
    found = [f"{call.parts[0].value}({' '.join(map(spoken, call.parts[1:]))})" for call in calls(text)]
    assert found == names
