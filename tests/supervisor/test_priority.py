"""What can be done a second later gives way to what moves events, and nothing else is made to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NICE = 7
GROUP = Path("/proc/self/autogroup")
PROGRAM = """
import os
from pathlib import Path
from crossdock.supervisor.priority import give_way
give_way(7)
group = Path("/proc/self/autogroup")
words = group.read_text().split() if group.exists() else []
print(os.nice(0), words[-1] if words else "-")
"""


def ranks(own_session: bool) -> tuple[int, str]:
    """Return the rank of a process after it gave way, and that of its session."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, start_new_session=own_session
    )
    process, group = done.stdout.split()
    return int(process), group


def test_a_process_that_gives_way_has_a_lower_rank() -> None:
    assert ranks(own_session=True)[0] == os.nice(0) + NICE


# The file is there but empty where the process has no session group (seen in a container of the project's CI).
@pytest.mark.skipif(
    not GROUP.exists() or not GROUP.read_text().strip(), reason="this kernel does not group processes by session"
)
def test_its_session_has_it_too_but_not_one_shared_with_others() -> None:
    before = GROUP.read_text().split()[-1]
    assert ranks(own_session=True)[1] == str(NICE)
    assert ranks(own_session=False)[1] == GROUP.read_text().split()[-1] == before
