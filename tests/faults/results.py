"""A file of what was tried, a line each as it comes, so that a run that is cut off goes on where it ended."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any


class Results:
    """What went wrong with each case; "" where all is well.

    Args:
        file: JSON lines. Those of an earlier run count where `resume` is set, else it begins anew.
        engine: what deploys: the results of one engine say nothing of another.
        resume: whether to go on.
    """

    def __init__(self, file: Path, engine: str, *, resume: bool) -> None:
        self._file, self._engine = file, engine
        self._known: dict[str, str] = {}
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = file.read_text().splitlines() if resume and file.exists() else []
        if not resume:
            file.write_text("")
        for line in lines:
            found = json.loads(line)
            self._known[key(found["engine"], found["case"])] = found["wrong"]

    def add(self, case: Any, wrong: str, seconds: float) -> None:
        """Note the result of a case."""
        self._known[key(self._engine, asdict(case))] = wrong
        entry = {"engine": self._engine, "case": asdict(case), "wrong": wrong, "seconds": round(seconds, 1)}
        with self._file.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def of(self, case: Any) -> str | None:
        """What went wrong with a case; None where it has not been tried."""
        return self._known.get(key(self._engine, asdict(case)))


def key(engine: str, case: Mapping[str, Any]) -> str:
    return json.dumps([engine, case], sort_keys=True)


class Pace:
    """Says now and then how far it is, and when it will be done."""

    EVERY_SECONDS = 30.0

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total, self._done, self._wrong = title, total, 0, 0
        self._began = self._said = time.monotonic()

    def step(self, wrong: str) -> str:
        """One more is done; what to print, "" for nothing."""
        self._done += 1
        self._wrong += bool(wrong)
        now = time.monotonic()
        if now - self._said < self.EVERY_SECONDS and self._done < self._total:
            return ""
        self._said = now
        minutes = (now - self._began) / self._done * (self._total - self._done) / 60
        return f"{self._title}: {self._done} of {self._total}, {self._wrong} wrong, about {minutes:.0f} minutes left"
