"""What is wrong with a configuration, collected so that all of it is told at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .. import namespace
from ..graph.clouds import ACROSS_CLOUDS
from ..graph.isolation import SIDES
from ..graph.secret_origin import password_variable, secret_variable
from ..pulumi_runtime.messages import Stopped

# A key that somebody put a secret under. Its value is never shown.
SECRET = re.compile(r"secret|passw|passphrase")
# What people look for where it is not.
ELSEWHERE = dict.fromkeys(("source.cloud", "target.cloud"), f"Set xtsync:cloud instead: {ACROSS_CLOUDS}")


def instead_of_secret(key: str) -> str:
    """What to do about a secret that somebody wrote into a stack file."""
    sides = [side for side in SIDES if key.lower().startswith(side)] or SIDES
    name = password_variable if "passw" in key.lower() else secret_variable
    return (
        f"Remove it, export {' or '.join(map(name, sides))}, and replace that one: whoever reads the file or its "
        "history has it"
    )


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the configuration."""

    key: str
    value: object
    why: str
    do: str

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {json.dumps(self.value, ensure_ascii=False, default=str)[:100]}"
        end = "" if self.do.endswith("?") else "."
        return f"{self.key}{shown}: {self.why}. {self.do}{end}"


class ConfigurationProblems(Stopped):
    """All problems of a configuration in one message."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = (f"  - {problem}" for problem in problems)
        super().__init__(f"The configuration has {count}; nothing was changed.", *lines)


class Problems:
    """Collects the problems while values are read, instead of stopping at the first."""

    def __init__(self, own: str = "", found: Iterable[Problem] = ()) -> None:
        self._namespace = own or namespace.current()
        self._found = [*found]

    def add(self, key: str, value: object, why: str, do: str) -> None:
        """Note a problem with a key."""
        self._found.append(Problem(f"{self._namespace}:{key}", value, why, do))

    def unknown_keys(self, found: Iterable[object], known: Sequence[str], parent: str) -> None:
        """Note keys that do not exist, with the nearest that does."""
        import difflib  # noqa: PLC0415 - rarely needed, and every start of the program would pay

        for key in found:
            if key not in known and SECRET.search(str(key).lower()):
                self.add(f"{parent}{key}", None, "secrets do not belong here", instead_of_secret(f"{parent}{key}"))
            elif key not in known:
                near = difflib.get_close_matches(str(key), known, 1, 0.5)
                do = f"Did you mean {parent}{near[0]}?" if near else f"The keys are {', '.join(known)}"
                self.add(f"{parent}{key}", None, "unknown key", ELSEWHERE.get(f"{parent}{key}", do))

    def concern(self, key: str) -> bool:
        """Whether there is a problem with a key or something inside of it."""
        name = f"{self._namespace}:{key}"
        return any(one.key == name or one.key.startswith((f"{name}.", f"{name}[")) for one in self._found)

    def stop(self) -> None:
        """End here if there is any problem.

        Raises:
            ConfigurationProblems: with all of them.
        """
        if self._found:
            raise ConfigurationProblems(self._found)
