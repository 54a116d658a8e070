"""A provider process ends with its engine, however that went: nobody else would end it, and it holds credentials.

The SDK's process waits for ever. After `kill -9` of the CLI it lived on, went on with what it was doing, and kept its
environment. There may be a launcher between the two, so it is the engine's address that tells, not the parent.
"""

from __future__ import annotations

import functools
import os
import socket
import threading
import time

LOOK_SECONDS = 1.0
# A full queue of connections is refused as well on some systems; that passes.
REFUSALS = 3


@functools.cache
def end_with(engine_address: str) -> None:
    """From now on, end this process when nobody listens at an address any more; what is under way is broken off.

    Every resource survives that at any point, and what goes on without an engine is written down nowhere.

    Args:
        engine_address: HOST:PORT, as the SDK's process gets it as its first argument; "" where there is none.
    """
    if engine_address.rpartition(":")[2].isdecimal():
        threading.Thread(target=_watch, args=(engine_address,), name="engine watch", daemon=True).start()


def _watch(engine_address: str) -> None:
    host, _, port = engine_address.rpartition(":")
    refused = 0
    while refused < REFUSALS:
        time.sleep(LOOK_SECONDS)
        refused = refused + 1 if is_refused(host.strip("[]"), int(port)) else 0
    os._exit(1)


def is_refused(host: str, port: int) -> bool:
    """Whether nobody listens there; an engine that is only busy or stopped is there all the same."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False
