"""End the engine's child processes when the engine is gone, however it went.

Reads process ids from standard input, one a line; the end of input is the engine's end. Run by path.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    """Collect, wait, end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children = [int(line) for line in sys.stdin]
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)


if __name__ == "__main__":
    main()
