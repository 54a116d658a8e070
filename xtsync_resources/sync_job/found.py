"""What was there before this stack took a job over, remembered as it was found first.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationjob
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import records
from ..assignments.operations import assignments, principal_of
from ..sync_secrets.operations import live_settings
from .model import PAUSED, Job, last_cycle, schedule_state

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..pulumi_runtime.provider import Properties

REMEMBERED = "remembered"
# Among what is remembered: the job itself is not in the state any more.
GONE = "gone"
# What is found in a service principal without any job, too.
FOUND_BESIDE = ("foundSettings", "foundPeople")
NOTHING_FOUND: Mapping[str, Any] = {
    "foundState": "",
    "foundSettings": "{}",
    "foundPeople": [],
    "foundCycle": "",
    "rested": "",
}


def remembered(before: Mapping[str, Any]) -> str:
    """What the state knows of what was found first, for a run that makes the resource anew: "" for nothing.

    The engine does not show it to such a run: what is found then is what this stack has put there.
    """
    kept = ("servicePrincipalId", "everOnDemand", GONE, *NOTHING_FOUND)
    return records.text({key: before[key] for key in kept if key in before}) if before else ""


def first_found(props: Properties) -> Mapping[str, Any]:
    """What was remembered of this service principal's job; empty for nothing."""
    known: Mapping[str, Any] = records.parse(props[REMEMBERED] or "{}")
    return known if known.get("servicePrincipalId") == props["servicePrincipalId"] else {}


def remembered_beside(record: Mapping[str, Any], secrets: Mapping[str, Any]) -> Mapping[str, Any]:
    """What else the state knows of a job that it has no more, as after a refresh that did not find it.

    Args:
        record: the outputs of the record of the scope; empty where there is none.
        secrets: those of the settings; empty where there are none.
    """
    if not record:
        return {}
    kept = ("servicePrincipalId", "foundState", "foundPeople", "foundCycle")
    known = {key: record[key] for key in kept}
    return {**NOTHING_FOUND, **known, "foundSettings": secrets.get("found") or "{}", GONE: True}


def found_first(first: Mapping[str, Any], now: Properties) -> Properties:
    """What is remembered of a job that is taken over again: as it was found first, but when it was brought to rest."""
    if not first.get("foundState"):
        # Somebody's job in the place of a lost one of ours may know whom this stack has put in scope.
        since = {"foundCycle": ""} if first.get(GONE) else {}
        return {**now, **{key: first[key] for key in FOUND_BESIDE if key in first}, **since}
    return {**now, **{key: first[key] for key in NOTHING_FOUND if key != "rested"}}


def found_beside(operation: Operation, service_principal: str, role: str) -> Properties:
    """Settings and people that are there before anything is written. Calls: GET secrets, GET appRoleAssignedTo."""
    settings = live_settings(operation, service_principal) or {}
    people = {principal_of(one) for one in assignments(operation, service_principal, role)}
    return {"foundSettings": records.text(settings), "foundPeople": sorted(people)}


def to_remember(operation: Operation, service_principal: str, role: str, job: Job) -> Properties:
    """What is remembered of a job that somebody made, before it is brought to rest.

    It rests so that nobody is found unassigned before everybody is. The start resumes it. A destroy after a run that
    got this far removes assignments under a job at rest.

    Calls: GET secrets, GET appRoleAssignedTo.
    """
    return {
        **found_beside(operation, service_principal, role),
        "foundState": schedule_state(job) or PAUSED,
        "foundCycle": last_cycle(job),
        "rested": str(uuid.uuid4()),
    }
