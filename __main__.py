"""`kerasir`, and `python -m kerasir`: the command, or an end to what was not yet there."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command and return its exit code; an interrupt may come while it is imported."""
    try:
        from .cli.main import main as command

        return command()
    except KeyboardInterrupt:
        sys.stderr.write("kerasir: interrupted\n")
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
