"""What is no terminal gets each row of a table whole."""

import pytest

from crossdock.cli.output import table


def test_a_row_is_one_line_where_the_output_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setenv("COLUMNS", "80")
    event, detail = "e" * 200, "a detail of many words " * 20
    # when
    table(["event", "stage", "detail"], [[event, "deliver", detail]])
    # then
    _, row = capsys.readouterr().out.splitlines()
    assert row.split() == [event, "deliver", *detail.split()]


def test_a_truth_value_is_said_in_words_and_nothing_is_left_empty(capsys: pytest.CaptureFixture[str]) -> None:
    # when
    table(["behind", "held", "lag"], [[True, False, None]])
    # then
    _, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["yes", "no"]
