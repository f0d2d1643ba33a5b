"""What a connector file of the kind `nats` may say."""

import pytest

from connectors import reading
from crossdock.kernel.problems import Refused
from crossdock.kernel.yamlfile import parse


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ("subject: event.shop", "bad_subject"),
        ("subject: a.*", "bad_subject"),
        ("poll: {subject: raw.>}", "bad_subject"),
        ("poll: {subject: '>'}", "bad_subject"),
        ("poll: {subject: a.b, stream: EVENTS}", "bad_subject"),
        ("url: http://bus.example\nsubject: a", "bad_url"),
        ("url: nats://me:secret@bus.example\nsubject: a", "bad_url"),
        ("url: nats://10.0.0.1\nsubject: a", "private_address"),
        ("url: nats://bus.example", "missing_key"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_where_it_is(keys: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        reading.make(parse(f"connector: bus\nkind: nats\n{keys}\n".encode(), "connectors/bus.yaml"))

    assert [problem.code for problem in caught.value.problems] == [code]
    assert "secret" not in str(caught.value)
