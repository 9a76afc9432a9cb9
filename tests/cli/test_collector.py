"""What a command does to the process that it runs in."""

from __future__ import annotations

import gc


def test_the_collector_is_left_as_it_was(kerasir) -> None:
    """A command in the process of another program."""
    for turn in (gc.disable, gc.enable):
        turn()
        before = gc.isenabled()
        assert kerasir("--version").code == 0
        assert gc.isenabled() == before
