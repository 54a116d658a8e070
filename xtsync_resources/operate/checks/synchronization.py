"""The pair as it runs: the job, its settings, and who is in scope beside the stack file.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationjob
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...assignments.operations import Assignment, by_role, in_scope, name_and_id, principal_of
from ...directory.find import names_now
from ...directory.members import GROUP, USER
from ...graph.errors import XtsyncError
from ...service_principal.calls import get_service_principal
from ...service_principal.model import assignable_role
from ...sync_job.calls import get_job
from ...sync_job.model import holds_deletions
from ...sync_job.quarantine import reason_of, said_by_doctor
from ...sync_job.running import how_it_went
from ...sync_scope.foreign_assignments import BY_ANOTHER_ROLE, WHAT_BECOMES
from ...sync_scope.principals import last_scope
from ...sync_secrets.calls import get_secrets
from ...sync_secrets.model import deletion_threshold, settings_by_key, sync_all
from ..gone import PEOPLE_STAY, make_all_again
from ..health import ASSIGN_NEW, read_health
from ..held_back import at_a_glance, changes_by_up, judged
from ..in_scope import Outside, is_new, who_may_leave
from . import drift
from .drift import MEND, of_other_settings, of_schema
from .finding import DELETES, Finding, Look, as_advice, listed
from .people import kind_of, scope_of

AREA = drift.AREA

if TYPE_CHECKING:
    from ...graph.operation import Operation
    from ...sync_scope.prediction import HeldBack
    from ..health import Health
    from .people import Scope


def check(look: Look) -> list[Finding]:
    """Look at the pair that this stack has set up; nothing where it has not.

    Calls: GET servicePrincipals/{id}, GET jobs/{id}, GET appRoleAssignedTo; those of `outside_of`, `at_a_glance` and
    `beside_the_job`.
    """
    if not look.own:
        return []
    operation = look.operation()
    principal = operation.read(get_service_principal(look.own))
    if principal is None:
        found = f"the configuration's service principal {look.own} is gone, and the job with it; {PEOPLE_STAY}"
        return [look.problem(AREA, found, make_all_again(look.stack))]
    job_id = str(look.outputs.get("jobId"))
    job = operation.read(get_job(look.own, job_id))
    if job is None:
        why, do = how_it_went(operation, look.own, look.job_urn, look.stack)
        return [look.problem(AREA, f"the job {job_id} is gone: {why}; {PEOPLE_STAY}", do)]
    health = read_health(job, operation.client.clock.now(), running=look.settings.running)
    try:
        assigned, others = by_role(in_scope(operation, look.own), assignable_role(principal))
        beside = beside_the_job(look, assigned, others, held=holds_deletions(job))
        outside = outside_of(look, assigned, scope_of(look))
    except XtsyncError as error:  # what is known of the job counts more
        beside, outside = [look.not_checked(AREA, error)], Outside()
    # Large groups take long to read; whose deletions are held back is seen with time of its own.
    held = at_a_glance(look.operation(), look.own, job_id, job, look.settings, changes_by_up(outside))
    return [of_job(look, health, held, outside), *beside]


def of_job(look: Look, health: Health, held: HeldBack | None, outside: Outside) -> Finding:
    """How a job does; what the reason of a quarantine means is found, and no advice."""
    more = f". {held.sentence(look.settings.target.name)}" if held else ""
    if health.healthy:
        return look.ok(AREA, health.headline + more)
    meaning = reason_of(health.quarantine).meaning if health.quarantine else ""
    first = health.remedy.removeprefix(f"{meaning}. ")
    remedy = judged(replace(health, remedy=first), held, outside).remedy
    if meaning and first in remedy:
        more = f": {meaning}{more}"
    return look.problem(AREA, health.headline + more, as_advice(said_by_doctor(remedy)))


def outside_of(look: Look, assigned: Collection[Assignment], scope: Scope) -> Outside:
    """Who of the stack file is not in scope, or not known to be; who is renamed is who it meant.

    Calls: those of `names_now`, where a name is nobody's.
    """
    users = [(USER, name) for name in scope.unknown_users if name in look.settings.users]
    unknown = [*users, *((GROUP, name) for name in scope.unknown_groups)]
    meant = {(kind, id_): name for kind, name in unknown if (id_ := look.meant.get(f"{kind} {name}".lower()))}
    there = {principal_of(one) for one in assigned}
    names = names_now(look.operation(), [*meant])
    lost = [meant[one] for one, name in zip(meant, names, strict=True) if name is None or one[1] not in there]
    nameless = [name for _, name in unknown if name not in meant.values()]
    found = not_in_scope(look, assigned, scope.assigned)
    others = there - {*scope.assigned, *(id_ for _, id_ in meant)}
    return replace(
        found,
        unassigned=[*found.unassigned, *lost],
        nameless=[*nameless, *scope.ambiguous_groups],
        may_leave=who_may_leave(last_scope(look.state(), look.tenant.id), others, look.settings) if others else (),
    )


def beside_the_job(
    look: Look, assigned: Collection[Assignment], others: Collection[Assignment], *, held: bool
) -> list[Finding]:
    """What of settings, scope and schema is not as the stack file says. Calls: `scope_of` and `check_settings`.

    Args:
        look: at the source.
        assigned: by the role that this stack assigns.
        others: by other roles of the application only.
        held: whether the job holds deletions back.
    """
    configured = scope_of(look).assigned
    of_scope = of_assignments(look, assigned, configured, held=held)
    return [*check_settings(look), *of_scope, *of_other_roles(look, others, configured)]


def of_other_roles(
    look: Look, others: Collection[Assignment], configured: Mapping[str, Sequence[str]]
) -> list[Finding]:
    """Who is in scope by a role that this stack does not assign, and not configured."""
    if found := sorted(name_and_id(one) for one in others if principal_of(one) not in configured):
        text = f"in scope by another role of the application, and not configured: {listed(found)}"
        return [look.warning(AREA, text, BY_ANOTHER_ROLE)]
    return []


def check_settings(look: Look) -> list[Finding]:
    """Look whether settings and schema say what the stack file says. Calls: GET secrets; those of `of_schema`."""
    operation = look.operation()
    settings = settings_by_key(operation.send(get_secrets(look.own)))
    return [*of_settings(look, settings), *schema_findings(look, operation, str(look.outputs.get("jobId")))]


def schema_findings(look: Look, operation: Operation, job_id: str) -> list[Finding]:
    """What the schema does beside the stack file; a schema that cannot be read hides nothing else."""
    try:
        return of_schema(look, operation, job_id)
    except XtsyncError as error:
        return [look.not_checked(AREA, error)]


def of_settings(look: Look, live: Mapping[str, str]) -> list[Finding]:
    """What the settings do beside the stack file; pure."""
    findings = []
    if sync_all(live):
        text = "everybody is in scope (SyncAll): somebody has switched that on"
        findings.append(look.problem(AREA, text, MEND))
    known, wanted = deletion_threshold(live), look.settings.deletion_threshold or None
    if known != wanted:
        text = f"the job holds {threshold(known)}, and by the stack file it would hold {threshold(wanted)}"
        raised = known is not None and (wanted is None or wanted > known)
        first = (ALLOWED_FIRST if look.settings.allow_deletions else HELD_FIRST) if raised else ""
        findings.append(look.problem(AREA, text, f"{first}{MEND}"))
    return [*findings, *of_other_settings(look, live)]


# An `up` may let go whom the job holds back.
JOB_FIRST = "see first what is said of the job, which holds deletions back: that says when to run `pulumi up`"
# Whoever comes back into scope and has no account gets another one.
RESTORE_FIRST = "restore before that whose account is deleted already (Deleted users, 30 days)"
# The threshold is the brake that holds them back.
HELD_FIRST = (
    "where the job holds deletions back, put those people back or let them go first, as `pulumi up` does not raise it "
    "before that; else "
)
ALLOWED_FIRST = (
    "where the job holds deletions back, put those people back or let them go first, and take xtsync:allowDeletions "
    "out of the stack file, with which `pulumi up` raises it at once and lets them go; else "
)


def threshold(number: int | None) -> str:
    """What is held by a deletion threshold, in words."""
    return "no deletions back" if number is None else f"deletions back where a cycle has {number} or more"


def not_in_scope(look: Look, assigned: Collection[Assignment], configured: Mapping[str, Sequence[str]]) -> Outside:
    """Who is configured and not assigned, with object ids. Calls: none; the state is read once."""
    there = {principal_of(one) for one in assigned}
    out = {object_id: names[0] for object_id, names in configured.items() if object_id not in there}
    record = last_scope(look.state(), look.tenant.id) if out else {}
    new = [id_ for id_, name in out.items() if is_new(record, kind_of(look, name), name, [id_])]
    return Outside(
        sorted(f"{name} ({id_})" for id_, name in out.items() if id_ not in new),
        sorted(f"{out[id_]} ({id_})" for id_ in new),
        ids={*out},
        new_ids={*new},
    )


def of_assignments(
    look: Look, assigned: Collection[Assignment], configured: Mapping[str, Sequence[str]], *, held: bool = False
) -> list[Finding]:
    """Who is in scope and not configured, and the other way round. Calls: none; the state is read once."""
    adopted = set(((look.outputs.get("scope") or {}).get("adopted") or {}).values())
    # Whom the stack has put in scope may be called otherwise now, which is said of the names.
    known = {*configured, *adopted, *look.meant.values()}
    foreign = sorted(name_and_id(one) for one in assigned if principal_of(one) not in known)
    outside = not_in_scope(look, assigned, configured)
    findings = []
    if foreign:
        text = f"in scope and not configured: {listed(foreign)}"
        findings.append(look.warning(AREA, text, WHAT_BECOMES[look.settings.foreign_assignments]))
    if outside.unassigned:
        deletes = f"; {DELETES}" if look.settings.deletes else ""
        text = f"configured and not in scope: {listed(outside.unassigned)}{deletes}"
        restore = f"; {RESTORE_FIRST} in {look.partner.name}" if look.settings.deletes else ""
        unsure = "" if look.state() else "; new entries come with the next `pulumi up`"
        findings.append(look.problem(AREA, text, JOB_FIRST if held else f"{MEND}{restore}{unsure}"))
    if outside.new:
        text = f"not in scope yet, as new in the stack file: {listed(outside.new)}"
        # A plain `up` assigns nobody of those above.
        findings.append(look.warning(AREA, text, JOB_FIRST if held else MEND if outside.unassigned else ASSIGN_NEW))
    return findings
