"""Few frames of the stack for each resource in the state.

Source: https://docs.python.org/3/library/sys.html#sys.tracebacklimit
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Six of the SDK and the class that azuread generates, then where it is declared.
FRAMES = 7


@contextmanager
def short_traces() -> Iterator[None]:
    """Have Pulumi keep of a resource's stack where it is declared, and no more.

    It keeps every frame, down to those of Python: a quarter of the state of a pair with many people, which it writes
    again after each of them. Errors that leave are told whole.
    """
    before = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = FRAMES
    try:
        yield
    finally:
        if before is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = before
