"""What has to be certain before a pair is drained: the job would remove those people, and nobody else.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/accidental-deletions
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..application.configurations import PairConfiguration
from ..assignments import calls
from ..assignments.operations import names_in, number_of_people, people_of
from ..directory.find import names_of
from ..graph.errors import RefusedError, TenantName
from ..graph.permissions import HIDDEN_MEMBERS
from ..sync_job.model import (
    Job,
    may_start,
    never_ran,
    people_counted,
    quarantine_explained,
    quarantine_reason,
    schedule_state,
)
from ..sync_job.quarantine import reason_of
from ..sync_schema.calls import get_schema
from ..sync_schema.document import UnusableSchemaError, object_mapping
from ..sync_schema.model import flows_from_graph
from ..sync_secrets.model import deletion_threshold, sync_all
from ..sync_secrets.operations import live_settings

if TYPE_CHECKING:
    from ..assignments.operations import Assignment
    from ..graph.operation import Operation

DRAIN = "drain"
# Whoever runs `pulumi destroy` says with it how many people may be deleted, where the stack has said fewer.
AGREED = "XTSYNC_DRAIN"
RELEASE_INSTEAD = "set xtsync:onDestroy to release and run `pulumi up --skip-preview` first, which leaves people there"


def refuse_drain_while_leaving(
    tenant: TenantName, olds: Mapping[str, Any], on_destroy: str, leaving: Collection[str]
) -> None:
    """Refuse to say drain in a run in which somebody leaves: it may stop half-way, with the record ahead of the scope.

    Raises:
        RefusedError: it does.
    """
    if leaving and on_destroy == DRAIN != olds["onDestroy"]:
        raise RefusedError(
            f"Will not set xtsync:onDestroy to drain while somebody leaves the scope in {tenant}",
            "a run that is refused after that would leave a pair that drains, with a scope that does not",
            "take them out of the scope with one `pulumi up`, and set xtsync:onDestroy with the next",
        )


def refuse_to_drain(
    operation: Operation,
    service_principal: str,
    job_id: str,
    job: Job,
    leaving: Callable[[], set[str] | None],
    others: Sequence[Assignment],
    said: int | None,
) -> None:
    """Refuse before anything is changed: where the job would not remove them, or might remove somebody else.

    Calls: GET secrets, GET jobs/{id}/schema; those of `people_to_go`.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        job: as it is now.
        leaving: reads the object ids of the people who leave; None where they may not be read.
        others: assignments of people whom this stack did not put in scope.
        said: how many people the stack has said it would delete; None where it could not count them.

    Raises:
        RefusedError: it is in a quarantine that starting it must not end, has everybody in scope, deletes nobody, or
            would remove more people than the threshold allows, or than was said.
    """
    if never_ran(job):
        return
    if not may_start(job):
        raise does_not_run(operation, job_id, job, quarantine_explained(job))
    settings = refuse_job_that_keeps(operation, service_principal, job_id)
    people = people_to_go(operation, job, leaving, others)
    refuse_beyond_threshold(operation, people, deletion_threshold(settings))
    refuse_more_than_said(operation, people, said)


def refuse_protected(operation: Operation, props: Mapping[str, Any], leaving: Collection[str]) -> None:
    """Refuse to drain whoever is protected. Calls: those of `names_of`, where somebody is.

    Args:
        operation: in the source.
        props: of the scope or its record.
        leaving: object ids of the users and groups who leave.

    Raises:
        RefusedError: naming them; whoever is gone cannot be protected.
    """
    protected = set(leaving) & set(props.get("neverRemove") or ())
    names = names_of(operation, protected) if protected else {}
    if there := sorted(name for object_id, name in names.items() if name != object_id):
        raise RefusedError(
            f"Will not drain the pair in {operation.tenant}",
            f"{', '.join(there)} would be deleted in the target, and xtsync:neverRemove names them",
            "take them out of xtsync:neverRemove and run `pulumi up`; or set xtsync:onDestroy to release and run it, "
            "which leaves people there",
        )


def people_to_go(
    operation: Operation, job: Job, leaving: Callable[[], set[str] | None], others: Sequence[Assignment]
) -> int | None:
    """How many people would be deleted, by the job's count or, where it gives none, by who leaves; None if unknown.

    Calls: GET groups/{id}/members of the groups of others, or those of `leaving`.
    """
    counted = people_counted(job)
    if counted is not None:
        return counted - len(people_of(operation, others) or ())
    people = leaving()
    return None if people is None else len(people)


def refuse_job_that_keeps(operation: Operation, service_principal: str, job_id: str) -> Mapping[str, str]:
    """Refuse where the job would remove nobody; gives its settings. Calls: GET secrets, GET jobs/{id}/schema.

    Raises:
        RefusedError: everybody is in scope, or the job deletes nobody.
    """
    settings = live_settings(operation, service_principal) or {}
    if sync_all(settings):
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            "somebody has made everybody the scope (SyncAll), so the job would keep everybody in the target",
            f"run `pulumi up --refresh --diff`, look at who is in the target, then destroy; or {RELEASE_INSTEAD}",
        )
    if not deletes(operation, service_principal, job_id):
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            "the job deletes nobody: somebody has taken the flow type Delete out of its schema",
            "put it back with the mapping of users in the portal (target object actions), then run `pulumi destroy`; "
            f"or {RELEASE_INSTEAD}",
        )
    return settings


def deletes(operation: Operation, service_principal: str, job_id: str) -> bool:
    """Whether the job deletes people, by its schema, or it cannot be told. Call: GET jobs/{id}/schema."""
    schema = operation.read_settled(get_schema(service_principal, job_id))
    try:
        users = {} if schema is None else object_mapping(schema, "User")
    except UnusableSchemaError:
        return True
    return users.get("flowTypes") is None or "Delete" in flows_from_graph(users)


def refuse_beyond_threshold(operation: Operation, people: int | None, threshold: int | None) -> None:
    """Refuse to drain as many people as the accidental-deletion threshold holds back.

    Raises:
        RefusedError: the job would stop in quarantine and remove nobody.
    """
    if threshold is not None and people is not None and people >= threshold:
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            f"{number_of_people(people)} would be deleted in the target, and xtsync:deletionThreshold ({threshold}) "
            f"holds back {threshold} and more",
            f"if that is intended, set xtsync:deletionThreshold to {people + 1} or more, run `pulumi up`, then "
            "`pulumi destroy`",
        )


def refuse_more_than_said(operation: Operation, people: int | None, said: int | None) -> None:
    """Refuse to drain more people than the stack has said, unless whoever runs this says the number.

    Raises:
        RefusedError: nobody has said that so many go.
    """
    agreed = os.environ.get(AGREED, "")
    number = int(agreed) if re.fullmatch(r"[0-9]{1,9}", agreed) else 0
    if people is None and not number:
        raise RefusedError(
            f"Will not drain the pair in {operation.tenant}",
            "nobody can see how many people would be deleted in the target: the job does not count them, and the "
            f"members of the groups in scope may not be read (GroupMember.Read.All; {HIDDEN_MEMBERS} where they are "
            "hidden)",
            f"see who they are; if all of them are to go, run `{AGREED}=NUMBER pulumi destroy`; or {RELEASE_INSTEAD}",
        )
    if people is None or people <= max(said or 0, number):
        return
    counted = "the people in the scope could not be counted" if said is None else f"the last count was {said}"
    also = f", and {AGREED} says {agreed}" if agreed else ""
    raise RefusedError(
        f"Will not drain the pair in {operation.tenant}",
        f"{number_of_people(people)} would be deleted in the target, but {counted}{also}",
        f"see who they are (the users and the members of the groups in scope); if all of them are to go, run "
        f"`{AGREED}={people} pulumi destroy`; or {RELEASE_INSTEAD}",
    )


def refuse_shared(operation: Operation, ours: set[str] | None, others: Sequence[PairConfiguration]) -> None:
    """Refuse to drain people whom another configuration of the pair has in scope.

    Calls: GET appRoleAssignedTo of the others, GET groups/{id}/members.

    Args:
        operation: in the source.
        ours: object ids of the people who would go; None where they could not be read.
        others: the other configurations.

    Raises:
        RefusedError: naming them.
    """
    for other in others:
        assigned = operation.pages(calls.list_assignments(str(other.principal["id"])))
        theirs = None if sync_all(other.settings) else people_of(operation, assigned)
        if ours is None or theirs is None:
            who = "who may be anybody here"
        elif shared := ours & theirs:
            who = names_in(operation, shared)
        else:
            continue
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            f"{other} has people of it in scope as well, {who}: they would be deleted in the target",
            f"take them out of the other one first; or {RELEASE_INSTEAD}",
        )


def refuse_missing(operation: Operation, found: Collection[str], there: Collection[str]) -> None:
    """Refuse to let the job run while somebody who is not ours is out of its scope: it would delete them.

    Raises:
        RefusedError: naming who was in scope before this stack, and is not assigned now.
    """
    missing = sorted(set(found) - set(there))
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            f"{names_in(operation, missing)} had been in scope before this stack took the pair over, and {are} not "
            "assigned now: the job would delete them in the target as well",
            "assign them again in the portal, or delete them in the target by hand if they should go and then "
            f"{RELEASE_INSTEAD}",
        )


def job_is_gone(operation: Operation, job_id: str) -> RefusedError:
    """The refusal to call a pair drained whose job cannot say so any more."""
    return RefusedError(
        f"Cannot drain the pair: the job {job_id} in {operation.tenant} is gone",
        "only the job can remove people from the target, and say when they are gone",
        "remove the people in the target by hand if they should go; then set xtsync:onDestroy to release, run `pulumi "
        "refresh`, `pulumi up` and `pulumi destroy`",
    )


def does_not_run(operation: Operation, job_id: str, job: Job, do: str = "") -> RefusedError:
    """The refusal to wait for a job that removes nobody.

    Args:
        operation: in the source.
        job_id: the job.
        job: as it is now.
        do: what sets it going; without it only the portal does, as the commands of ours start no job whose people
            have left the scope already.
    """
    reason = quarantine_reason(job)
    state = f"in quarantine ({reason}): {reason_of(reason).meaning}" if reason else schedule_state(job)
    return RefusedError(
        f"Cannot drain the pair: the job {job_id} in {operation.tenant} does not run",
        f"it would remove nobody from the target, as it is {state or 'in an unknown state'}",
        f"{do or 'start it in the portal, which ends a quarantine as well'}. Then run `pulumi destroy` again; or "
        f"{RELEASE_INSTEAD}",
    )
