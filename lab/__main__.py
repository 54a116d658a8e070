"""`python -m lab`: emulated tenants and a small engine to try the program without Azure."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    # Nothing has begun while the modules are read: Ctrl-C then ends it without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from lab.application import app

    signal.signal(signal.SIGINT, signal.default_int_handler)
    app(prog_name="python -m lab")
