"""The score of a partner: each point that is lost has a reason."""

from journal.scorecard import RULES, change, losses, score

FINE = {"sent": 1000, "accepted": 1000, "timed": 500}


def test_who_sends_nothing_wrong_has_all_points() -> None:
    assert (losses(FINE), score(losses(FINE))) == ([], 100.0)


def test_each_loss_says_how_many_of_how_many_and_what_it_costs() -> None:
    lost = losses(FINE | {"refused": 30, "duplicates": 100, "late": 5, "drift": 3})
    assert [(one.points, one.reason) for one in lost] == [
        (6.0, "3 open drift findings"),
        (3.0, "30 (3 % of 1000) refused at the gateway"),
        (2.0, "100 (10 % of 1000) sent again"),
        (0.2, "5 (1 % of 500) more than 5 minutes after their own time"),
    ]
    assert score(lost) == 88.8


def test_one_of_a_kind_is_told_as_one() -> None:
    lost = losses(FINE | {"drift": 1, "silent": 1, "unverified": 10})
    assert [one.reason for one in lost] == [
        "1 source silent for longer than usual",
        "1 open drift finding",
        "10 (1 % of 1000) requests that did not prove who sent them",
    ]


def test_no_rule_takes_more_than_its_most_and_nothing_falls_below_zero() -> None:
    worst = {rule.name: 10**9 for rule in RULES} | {"sent": 1, "accepted": 1, "timed": 1}
    assert {one.rule: one.points for one in losses(worst)} == {rule.name: rule.most for rule in RULES}
    assert score(losses(worst)) == 0.0
    assert losses({"refused": 5, "sent": 0}) == []


def test_a_change_is_told_where_there_was_something_before() -> None:
    assert change({"sent": 150, "late": 1, "score": None}, {"sent": 100, "late": 0}) == {"sent": 0.5, "late": None}
