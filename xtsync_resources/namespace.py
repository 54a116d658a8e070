"""The namespace of the configuration's keys: the name that Pulumi.yaml gives the project.

Our texts say `xtsync:KEY`, as a project of that name writes it. Where the project has another name, whoever reads them
is told the keys as they are written there: every text for people passes `named` at the gate (`untrusted.one_line`).
Names of a tenant pass it as well, so nothing is rewritten but the keys that there are.
"""

from __future__ import annotations

import re

OURS = "xtsync"
# Those of config/settings.py, which is far above this.
KEYS = (
    "source",
    "target",
    "sourceClientSecret",
    "targetClientSecret",
    "cloud",
    "metadataHost",
    "users",
    "groups",
    "displayName",
    "syncGroups",
    "inboundTrust",
    "b2bCollaboration",
    "b2bDirectConnect",
    "userType",
    "attributeMappings",
    "scopingFilters",
    "flowTypes",
    "notifyEmail",
    "deletionThreshold",
    "allowDeletions",
    "running",
    "onExisting",
    "onDestroy",
    "neverRemove",
    "foreignAssignments",
    "allowSecondConfiguration",
    "provisionOnDemand",
    "deadlineMinutes",
    "guardrails",
)
# A key in a text.
KEY = re.compile(rf"(?<![\w.-]){OURS}:(?=(?:{'|'.join(KEYS)})(?![\w-]|:\S))")

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
