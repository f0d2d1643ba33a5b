"""A character of a text value has its line and column in the file, however YAML wrote the text."""

import pytest

from crossdock.kernel import yamlfile


@pytest.mark.parametrize(
    "text",
    [
        "a: x bad\n",
        "a: 'it''s bad'\n",
        'a: "x\\n\\"y bad"\n',
        "a: one\n  two\n   bad three\n",
        "a: >\n  one\n  two\n\n  bad three\n",
        "a: |\n  {\n\n    'x': bad,\n  }\n",
        "a: |-\n      deep\n        bad\n",
        "# before\nb: 1\na: {c: 1}\n".replace("{c: 1}", "x bad"),
    ],
)
def test_a_character_is_found_in_the_file(text: str) -> None:
    # given
    document = yamlfile.parse(text.encode(), "a.yaml")
    # when
    problem = document.inside(("a",), document.value["a"].index("bad"), "code", "message")
    # then
    assert text.splitlines()[problem.line - 1][problem.column - 1 :].startswith("bad")


def test_what_is_not_found_stands_at_its_key() -> None:
    problem = yamlfile.parse(b"a: {b: 1}\n", "a.yaml").inside(("a",), 5, "code", "message")
    assert (problem.line, problem.column) == (1, 1)
