"""SyncScope: who is in scope, and taking out whoever leaves it.

azuread makes an assignment for each user and group and never removes one (`retain_on_delete`): its delete fails on
what is gone. This is the record of whom the stack puts in scope. It is made before the first assignment, so a run that
is killed cannot leave one that nobody knows of, and it is gone after the last.

From the deletion of the start on it also owns whether the job runs. At the end the job is brought to rest before
anybody is taken out; draining comes after. Decision: docs/decisions/0002-scope-as-one-resource.md

Source: https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pulumi

from ..application.configurations import PairConfiguration, look, others_among, still_needed
from ..assignments.operations import (
    assignments,
    by_role,
    in_scope,
    listed,
    names_in,
    parted,
    people_in,
    principal_of,
    take_out,
)
from ..graph.errors import CallError
from ..graph.permissions import HIDDEN_MEMBERS
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
from ..sync_job.calls import get_job, list_jobs
from ..sync_job.model import ACTIVE, Job, job_of_template
from ..sync_job.running import certainly_never_ran, pause, refuse_held_deletions, set_running
from . import foreign_assignments
from .affected import (
    Leaving,
    as_found_first,
    ids,
    kinds,
    refuse_to_remove,
    those_of,
)
from .announcement import BEFORE, CUT_OFF, DELETES, HOLDS_FROM, MAY_LEAVE, SKIPPED, announce_change
from .before_draining import DRAIN, refuse_missing, refuse_protected, refuse_shared, refuse_to_drain
from .cut_off import scope_of, warn_of_the_unknown
from .remembered_names import refuse_other_objects
from .unfit import report_unfit

if TYPE_CHECKING:
    from ..graph.operation import Operation

INPUTS = (
    HOME,
    "servicePrincipalId",
    "jobId",
    "appRoleId",
    "principals",
    "foundState",
    "foundPeople",
    "targetTenantId",
    "onDestroy",
    "neverRemove",
    foreign_assignments.WANTED,
    foreign_assignments.SEEN,
    foreign_assignments.ADOPTED,
)
OTHERS_STAY = (
    "had been in scope before this stack and are not configured: they stay in scope, now and at the end; add them to "
    "xtsync:users or xtsync:groups, or remove them in the portal"
)
RELEASED = "out of scope now, and their people stay in the target as they are, where nobody updates them any more"
STAYS_AT_REST = (
    "the job was running when this stack took it over. It stays paused: running, it would remove from the target whom "
    "this stack has put in scope, and whoever had been in scope and is not assigned now. Resume it in the portal if "
    "they should go"
)


# --- who is who --------------------------------------------------------------------------------------------


def all_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """The users and groups who are configured and those who were adopted: object ids by name."""
    return {**properties[foreign_assignments.ADOPTED], **properties["principals"]}


def ours(properties: Mapping[str, Any]) -> set[str]:
    """Those whom this stack puts in scope, or has adopted; whoever was assigned before it stays."""
    return set(all_of(properties).values()) - set(properties["foundPeople"])


def count_people(operation: Callable[[], Operation], properties: Mapping[str, Any]) -> int | None:
    """How many people `drain` would delete; None where nobody is deleted, or the members of a group may not be read.

    Calls: with `drain`, GET groups/{id}/members of each group (GroupMember.Read.All).
    """
    if properties["onDestroy"] != DRAIN:
        return None
    try:
        people = people_in(operation(), kinds(those_of(all_of(properties), ours(properties))))
    except CallError as error:  # a count fails nothing: without it a drain wants to be told the number
        report(f"the people could not be counted: {error.why}. {error.do}", severity=WARNING)
        return None
    if people is None:
        report(
            "the members of the groups could not be counted: it takes the permission GroupMember.Read.All, and where "
            f"they are hidden {HIDDEN_MEMBERS} as well"
        )
    return None if people is None else len(people)


# --- provider ----------------------------------------------------------------------------------------------


def current_job(operation: Operation, service_principal: str, job_id: str) -> tuple[str, Job | None]:
    """The job, or another in its place: that one must not run on, either, while people are taken out.

    A job that is only not seen yet would go on running. Calls: GET jobs/{id}; GET jobs where it is gone.
    """
    job = operation.read_settled(get_job(service_principal, job_id))
    if job is None:
        job = job_of_template(operation.read(list_jobs(service_principal)) or {})
    return (job_id if job is None else str(job["id"])), job


def report_unseen(props: Properties, unseen: set[str]) -> None:
    """Say who was to be taken out and was not assigned, as far as the reads show."""
    if names := sorted(those_of(all_of(props), unseen)):
        report(
            f"not seen in scope, as an earlier run or somebody took them out: {listed(names)}. Lists can be late: see "
            "in the portal (Users and groups) that none of them is left"
        )


def everybody_there(operation: Operation, props: Properties) -> bool:
    """Whether all who were in scope before this stack are assigned: a job that runs deletes whoever is not.

    Call: GET appRoleAssignedTo.
    """
    listed = assignments(operation, props["servicePrincipalId"], props["appRoleId"])
    missing = set(props["foundPeople"]) - {principal_of(one) for one in listed}
    if missing:
        report(f"{names_in(operation, missing)} had been in scope, and are not assigned now", severity=WARNING)
    return not missing


def other_configurations(operation: Operation, props: Properties) -> list[PairConfiguration]:
    """The other configurations that synchronize the pair. Calls: see `configurations_into`."""
    found = look(operation, props["targetTenantId"], lambda text: report(text, severity=WARNING))
    # One that never ran may be our own that takes this one's place.
    return others_among(found, props["servicePrincipalId"])


def report_configurations(others: Sequence[PairConfiguration], *, allowed: bool) -> None:
    """Say that the pair has others."""
    names = "; ".join(map(str, others))
    wanted = ", as xtsync:allowSecondConfiguration has it" if allowed else ""
    rest = "" if allowed else ". `pulumi destroy` refuses to take away what it needs; let only one of them synchronize"
    report(f"another configuration synchronizes this pair as well{wanted}: {names}{rest}", severity=WARNING)


class SyncScopeProvider(TenantResourceProvider):
    """Keeps the record, and takes out whoever leaves. Another service principal or job is an update."""

    for_this_run = (MAY_LEAVE, DELETES, HOLDS_FROM, BEFORE, CUT_OFF, SKIPPED)

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Accept what names meant before; say who comes into scope and who leaves it, and what becomes of them.

        Calls: those of `announce_change`, and of `foreign_assignments.due`; after a `destroy` that was cut off those of
        `scope_of` or `warn_of_the_unknown`.

        Raises:
            RefusedError: a name means another object, somebody would leave who is never to be removed; or see
                `announce_change`.
        """
        # Of a resource that is made anew the engine shows nothing of before: the program does.
        before, cut_off = olds or dict(news.get(BEFORE) or {}), news.get(CUT_OFF) or {}
        if before:
            refuse_other_objects(self.settings.tenant, before["principals"], news["principals"])
        elif "principals" in cut_off:
            before = scope_of(self.operation(), cut_off)
        elif cut_off and news.get(DELETES):
            warn_of_the_unknown(self.operation(), news, cut_off["foundCycle"])
        if before:
            refuse_to_remove(self.operation, before, news)
            foreign_assignments.left_behind(self.operation, before, news)
        foreign = foreign_assignments.due(self.operation, olds, news)
        foreign_assignments.announce(self.operation, foreign, news[foreign_assignments.WANTED])
        adopts = news[foreign_assignments.WANTED] == foreign_assignments.ADOPT
        adopted = foreign_assignments.adopted(olds, news, foreign if adopts else {})
        if adopted and news["onDestroy"] == DRAIN and olds.get("onDestroy") != DRAIN:
            foreign_assignments.announce_end(self.operation(), adopted)
        foreign_assignments.announce_adopted(self.operation, olds, news, adopted)
        removed = {} if adopts else foreign
        announce_change(self.operation, self.settings, before, news, removed, anew=bool(cut_off))
        return CheckResult({**as_found_first(before, news), foreign_assignments.ADOPTED: adopted}, [])

    def create(self, props: Properties) -> CreateResult:
        """Keep the record; who was assigned before this stack is remembered, and named where not configured.

        Calls: none as a rule; `names_in`, `count_people`.
        """
        if self.settings.on_existing == "fail":
            foreign_assignments.refuse(self.operation(), props, ids(props))
        before = props["foundPeople"]
        if others := set(before) - ids(props):
            report(f"{names_in(self.operation(), others)} {OTHERS_STAY}", severity=WARNING)
        people = count_people(self.operation, props)
        return CreateResult(f"{props['jobId']}/scope", {**props, "people": people})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Report who was assigned by hand, who is gone or disabled, and count again; the record itself does not drift.

        Calls: GET appRoleAssignedTo; `report_unfit`, `other_configurations`, `count_people`.
        """
        found = foreign_assignments.settled_foreign_assignments(self.operation(), props)
        wanted, (ours, by_other_roles) = props[foreign_assignments.WANTED], by_role(found, props["appRoleId"])
        foreign_assignments.report_foreign(ours, by_other_roles, wanted)
        report_unfit(self.operation(), props)
        if others := other_configurations(self.operation(), props):
            report_configurations(others, allowed=self.settings.allow_second)
        seen = {} if wanted == foreign_assignments.REPORT else foreign_assignments.as_principals(ours)
        outputs = {**props, foreign_assignments.SEEN: seen, "people": count_people(self.operation, props)}
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Take out whoever left; everybody, where the service principal is another one, whose job then rests.

        Where others come into scope as well, the job rests until they are assigned: whoever only changes from one to
        the other must not be found outside.

        Calls: none where nobody left, else GET appRoleAssignedTo, POST $batch; GET jobs/{id} and POST pause before.
        """
        operation, service_principal = self.operation(), olds["servicePrincipalId"]
        coming = ids(news) - ids(olds)
        if coming and self.settings.on_existing == "fail":
            foreign_assignments.refuse(operation, news, coming)
        moves = service_principal != news["servicePrincipalId"]
        leaving = ours(olds) if moves else ours(olds) - set(all_of(news).values())
        if news[foreign_assignments.WANTED] == foreign_assignments.REMOVE:
            leaving |= set(foreign_assignments.due(self.operation, olds, news).values())
        if moves or (leaving and coming):
            self.rest(operation, olds)
        if leaving:
            _, unseen = take_out(operation, service_principal, olds["appRoleId"], leaving)
            report_unseen(olds, unseen)
        return UpdateResult({**news, "people": count_people(self.operation, news)})

    @staticmethod
    def rest(operation: Operation, props: Properties) -> None:
        """Bring the job to rest before people go. Calls: GET jobs/{id}, POST pause."""
        job_id, job = current_job(operation, props["servicePrincipalId"], props["jobId"])
        if job is not None:
            refuse_held_deletions(operation, job_id, job, "pause")
            pause(operation, props["servicePrincipalId"], job_id, job)

    def delete(self, _id: str, props: Properties) -> None:
        """Bring the job to rest, then take out whom this stack has put in.

        A job that was found running goes on where nobody is taken out: it is left as it was.

        Calls: those of `other_configurations`; GET jobs/{id} (GET jobs where it is gone), POST pause, GET jobs/{id},
        GET appRoleAssignedTo, POST $batch; `drain` also those of `refuse_to_drain`.

        Raises:
            RefusedError: another configuration needs what goes; with `drain`, where it could not be done or would
                remove somebody else.
        """
        operation, service_principal, leaving = self.operation(), props["servicePrincipalId"], ours(props)
        # A replacement is not the end: azuread assigns whom it has taken out anew, and nobody those who were adopted.
        replaced = program_runs()
        if replaced:
            leaving &= ids(props)
        # At the end it is the record that cannot do without the job.
        draining = props["onDestroy"] == DRAIN and bool(leaving) and not replaced
        if draining or not self.settings.allow_second:
            configurations = other_configurations(operation, props)
            if configurations and not self.settings.allow_second:
                raise still_needed(operation.tenant, configurations)
        job_id, job = current_job(operation, service_principal, props["jobId"])
        if draining and job is not None:
            _, others = parted(in_scope(operation, service_principal), props["appRoleId"], leaving)
            goes = partial(people_in, operation, kinds(those_of(all_of(props), leaving)))
            refuse_protected(operation, props, leaving)
            refuse_to_drain(operation, service_principal, job_id, job, goes, others, props.get("people"))
            refuse_missing(operation, props["foundPeople"], {principal_of(one) for one in others})
            if configurations:
                refuse_shared(operation, goes(), configurations)
        # Paused, a job that never ran does not show that any more, which `drain` has to know.
        if job is not None and not (draining and certainly_never_ran(operation, service_principal, job_id, job)):
            goes_on = props["foundState"] == ACTIVE and not leaving and everybody_there(operation, props)
            set_running(operation, service_principal, job_id, goes_on, job)
            if props["foundState"] == ACTIVE and not goes_on and not draining:
                report(STAYS_AT_REST, severity=WARNING)
        others, unseen = take_out(operation, service_principal, props["appRoleId"], leaving)
        report_unseen(props, unseen)
        if leaving and not draining and not replaced:
            report(f"{RELEASED}: {listed(sorted(those_of(all_of(props), leaving)))}")
        foreign_assignments.report_foreign(foreign_assignments.foreign(props, others))


SYNC_SCOPE = SyncScopeProvider()


# --- resource ----------------------------------------------------------------------------------------------


class SyncScope(TenantResource):
    """Who is in scope.

    Args:
        name: the resource's name.
        home: the source.
        job: service principal, job, role, what was found and how the pair ends, by the names of the inputs.
        principals: object ids by what the configuration calls the users and groups.
        never_remove: object ids of those who may never leave.
        foreign: what becomes of those whom somebody assigns by hand.
        leaving: how many people may leave in one run, and what becomes of them.
        before: its outputs as the last run left them; empty where there are none.
        cut_off: see `left_in_the_state`; of use only without `before`.
        skipped: why the service skips users, by object id.
        depends_on: job and settings; the assignments depend on this.
        options: what this is replaced with.

    Attributes:
        adopted: whom the stack has adopted: object ids by kind and object id.
        people: with `drain`, how many people it would delete, as last counted.
        service_principal_id: the configuration's service principal, for whom it is the record.
        app_role_id: the role that puts people in scope.
    """

    adopted: pulumi.Output[Mapping[str, str]]
    people: pulumi.Output[int | None]
    service_principal_id: pulumi.Output[str]
    app_role_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        job: Mapping[str, pulumi.Input[Any]],
        principals: Mapping[str, str],
        never_remove: Sequence[str],
        foreign: foreign_assignments.Foreign,
        leaving: Leaving,
        before: Mapping[str, Any],
        cut_off: Mapping[str, Any],
        skipped: Mapping[str, str],
        depends_on: Sequence[pulumi.Resource],
        options: pulumi.ResourceOptions,
    ) -> None:
        inputs = {
            **job,
            "principals": dict(principals),
            "neverRemove": list(never_remove),
            foreign_assignments.WANTED: foreign.wanted,
            foreign_assignments.SEEN: {},
            foreign_assignments.ADOPTED: dict(foreign.adopted),
            MAY_LEAVE: leaving.most,
            DELETES: leaving.deletes,
            HOLDS_FROM: leaving.holds_from,
            BEFORE: dict(before),
            CUT_OFF: {} if before else dict(cut_off),
            SKIPPED: dict(skipped),
        }
        computed = ["people"]
        super().__init__(name, home, inputs, computed=computed, depends_on=depends_on, options=options)
