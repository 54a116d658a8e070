"""`python -u -m lab.azuread ENGINE_ADDRESS`: print the port, serve until killed or the parent is gone."""

from __future__ import annotations

import os
import signal
import threading

from lab.azuread.server import serve

_LOOK_FOR_PARENT_SECONDS = 1


def main() -> None:
    """Serve. The engine's address is taken and not needed: nothing is logged through it."""
    ended, parent = threading.Event(), os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with serve(threading.Event()) as port:
        print(port, flush=True)
        while not ended.wait(_LOOK_FOR_PARENT_SECONDS) and os.getppid() == parent:
            pass


if __name__ == "__main__":
    main()
