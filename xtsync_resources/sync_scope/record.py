"""ScopeRecord: whom the stack puts in scope, written down before anybody comes or goes; and draining, at the end.

A run that is cut off after `SyncScope` has taken somebody out leaves azuread's assignment in the state as if nothing
had been. So whoever comes into scope again gets another mark here (`since`), and the assignment that it belongs to
is made anew. The record makes no call, so that it is in the state before anything happens.

It stands between the job and the scope, so it is deleted after the scope has taken everybody out. With `onDestroy:
drain` the people are then gone from the target before the pair is. An `up` drains nobody: what it deletes is not the
end.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ..assignments.operations import listed, name_of, principal_of
from ..pulumi_runtime.engine import WARNING, program_runs, report
from ..pulumi_runtime.provider import (
    HOME,
    CheckResult,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
)
from ..pulumi_runtime.tenant_resource import Home, TenantResource
from ..sync_job.calls import get_job
from ..sync_job.model import ACTIVE
from ..sync_job.running import pause
from .affected import as_found_first
from .before_draining import DRAIN, refuse_drain_while_leaving, refuse_missing, refuse_protected
from .draining import drain, wait_until_they_left

NOT_BY_UP = (
    "nobody is removed from the target, though xtsync:onDestroy is drain: an `up` drains nobody, and neither does "
    "`destroy --run-program`. `pulumi destroy` does"
)
# For one run only: whose assignment is to be made once more.
ANEW = "anew"
INPUTS = (
    HOME,
    "servicePrincipalId",
    "jobId",
    "appRoleId",
    "principals",
    "since",
    "foundState",
    "foundPeople",
    "foundCycle",
    "onDestroy",
    "adopts",
    "neverRemove",
)


# --- provider ----------------------------------------------------------------------------------------------


def describe(on_destroy: str, users: Sequence[str], groups: Sequence[str], adopted: Sequence[str] = ()) -> str:
    """What `pulumi destroy` will do to the people, for the stack's outputs."""
    scope = " and ".join(
        f"{len(names)} {word}{'' if len(names) == 1 else 's'} ({listed(names)})"
        for names, word in ((users, "user"), (groups, "group"), (adopted, "adopted assignment"))
        if names
    )
    one = len(users) + len(groups) + len(adopted) == 1
    leave = f"{scope} {'leaves' if one else 'leave'} the scope"
    if on_destroy == DRAIN:
        return (
            f"drain: {leave}, and the people are DELETED in the target, guests whom the job has matched included, then "
            "the pair ends"
        )
    return f"release: {leave}, {'the' if one else 'their'} people stay in the target as they are"


class ScopeRecordProvider(TenantResourceProvider):
    """Keeps the record; at the end, with `drain`, has the job remove the people."""

    for_this_run = (ANEW,)

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Give whoever comes into scope, or is to be assigned anew, a mark that nobody ever had.

        Raises:
            RefusedError: the end becomes a drain while somebody leaves, which the scope may still refuse.
        """
        lost = set(olds.get("principals") or ()) - set(news["principals"]) - set(olds.get("foundPeople") or ())
        if olds:
            refuse_drain_while_leaving(self.settings.tenant, olds, news["onDestroy"], lost)
        known, wanted = set(olds.get("principals") or ()), news["principals"]
        anew = set(news.get(ANEW) or ())
        coming = (set(wanted) - known) | anew if olds else anew
        former, mark = olds.get("since") or {}, str(uuid.uuid4())
        since = {one: mark if one in coming else former[one] for one in wanted if one in coming or one in former}
        return CheckResult({**as_found_first(olds, news), "since": since}, [])

    def create(self, props: Properties) -> CreateResult:
        """Write it down; who was in scope before this stack is remembered."""
        return CreateResult(f"{props['jobId']}/scope-record", props)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Nothing to see."""
        return ReadResult(id_, props, inputs_of(props, INPUTS))

    def update(self, _id: str, _olds: Properties, news: Properties) -> UpdateResult:
        """Write it down."""
        return UpdateResult(news)

    def delete(self, _id: str, props: Properties) -> None:
        """With `drain`, have the job remove the people. Calls: GET appRoleAssignedTo, GET jobs/{id}, POST start.

        A job that was found paused is paused again; one that was found running goes on.

        Raises:
            DeadlineError: people are left in the scope or in the target; the next destroy goes on.
        """
        leaving = set(props["principals"]) - set(props["foundPeople"])
        if props["onDestroy"] != DRAIN or not (leaving or props["adopts"]):
            return
        if program_runs():
            report(NOT_BY_UP, severity=WARNING)
            return
        operation, service_principal, role = self.operation(), props["servicePrincipalId"], props["appRoleId"]
        refuse_protected(operation, props, leaving)
        others = wait_until_they_left(operation, service_principal, role, leaving)
        refuse_missing(operation, props["foundPeople"], {principal_of(one) for one in others})
        known = () if props["adopts"] else leaving
        report(drain(operation, service_principal, props["jobId"], others, known, props["foundCycle"]))
        if others:
            report(f"in the target stay the people of {', '.join(name_of(one) for one in others)}")
        if props["foundState"] not in ("", ACTIVE):
            found = operation.read_settled(get_job(service_principal, props["jobId"]))
            if found is not None:
                pause(operation, service_principal, props["jobId"], found)


SCOPE_RECORD = ScopeRecordProvider()


# --- resource ----------------------------------------------------------------------------------------------


class ScopeRecord(TenantResource):
    """Whom the stack puts in scope.

    Args:
        name: the resource's name.
        home: the source.
        job: service principal, job, role, what was found and how the pair ends, by the names of the inputs.
        principals: object ids of the users and groups in scope.
        never_remove: object ids of those who may never leave.
        anew: object ids of those whose assignment in the state may not be there.
        depends_on: job and settings; the scope and the assignments depend on this.

    Attributes:
        since: a mark for each object id that came into scope later; another mark means: assign anew.
    """

    since: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        job: Mapping[str, pulumi.Input[Any]],
        principals: Sequence[str],
        never_remove: Sequence[str],
        anew: Sequence[str],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs: dict[str, Any] = {
            **job,
            "principals": sorted(principals),
            # A state of before this input is to need no change.
            **({"neverRemove": list(never_remove)} if never_remove else {}),
            ANEW: sorted(anew),
            "since": {},
        }
        super().__init__(name, home, inputs, depends_on=depends_on)

    def trigger(self, object_id: str) -> pulumi.Output[str]:
        """What changes when an assignment has to be made anew."""
        return self.since.apply(lambda since: since.get(object_id, "0"))
