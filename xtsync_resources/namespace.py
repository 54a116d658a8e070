"""The namespace of the configuration's keys: the name that Pulumi.yaml gives the project.

Our texts say `xtsync:KEY`, as a project of that name writes it. Where the project has another name, whoever reads them
is told the keys as they are written there: every text for people passes `named` at the gate (`untrusted.one_line`).
"""

from __future__ import annotations

import re

OURS = "xtsync"
# A key in a text. The types of our resources look like one, and are the same in every project.
KEY = re.compile(rf"(?<![\w.-]){OURS}:(?=[a-z])(?!index:)")

_current: list[str] = [OURS]


def use(project: object) -> None:
    """Take the name of the project this process works for; where nothing gives one, it is ours."""
    _current[:] = [project if isinstance(project, str) and project else OURS]


def current() -> str:
    """The namespace of this project's keys."""
    return _current[0]


def full(key: str) -> str:
    """A key as it is written in a stack file of this project."""
    return f"{current()}:{key}"


def named(text: str) -> str:
    """A text with the keys as this project writes them."""
    return text if current() == OURS else KEY.sub(lambda _: f"{current()}:", text)
