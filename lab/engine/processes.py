"""Child processes that do not outlive the engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REAPER = Path(__file__).with_name("reaper.py")


class Children:
    """Starts processes, and has them ended when this process dies."""

    def __init__(self) -> None:
        self._reaper = subprocess.Popen(
            [sys.executable, "-S", "-E", str(REAPER)], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], **more: Any
    ) -> subprocess.Popen[str]:
        """Start one, with its output in a pipe. Ctrl-C does not reach it: that is the engine's to pass on."""
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **more,
        )
        self.watch(process.pid)
        return process

    def watch(self, process_id: int) -> None:
        """Have a process ended when this one dies."""
        assert self._reaper.stdin is not None
        self._reaper.stdin.write(f"{process_id}\n")
        self._reaper.stdin.flush()

    def close(self) -> None:
        """Nothing is left to end, or all of it ends now."""
        assert self._reaper.stdin is not None
        self._reaper.stdin.close()
        self._reaper.wait()
