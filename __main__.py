"""`kerasir`, and `python -m kerasir`: the command, or an end to what was not yet there."""

from __future__ import annotations

import gc
import os
import signal
import sys


def main() -> int:
    """Run the command, and end the process with its exit code.

    An interrupt may come while it is imported.
    """
    gc.disable()  # a command keeps what it makes: looking for cycles took up to a fifth of its time
    try:
        from .cli.main import main as command

        return _ended(command())
    except KeyboardInterrupt:
        sys.stderr.write("kerasir: interrupted\n")
        return 128 + signal.SIGINT


def _ended(code: int) -> int:
    """End the process at once, for all is done: targets are in place, nothing is left to clear up.

    Python would first take every object apart, which took a tenth of the time of small commands.
    It does so where somebody measures or traces it, or where the last output cannot leave, which
    it reports.
    """
    if sys.gettrace() or sys.getprofile():
        return code
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # closed, or not there at all
        return code
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
