"""What `xtsync verify` reads: the how-to's reads in both tenants, as far as the objects are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...application.calls import find_application
from ...assignments.calls import list_assignments
from ...graph.call import Call
from ...graph.errors import ForbiddenError, GraphError, NoAnswerError, NotFoundError, SignInError, UnusableAnswerError
from ...graph.headers import parse_date
from ...graph.json_reader import NO_IDS
from ...graph.remedies import permission_remedy
from ...identity_sync_policy.calls import get_identity_sync
from ...partner_policy.calls import get_partner, get_policy_defaults
from ...service_principal.calls import get_service_principal
from ...sync_job.calls import get_job, list_jobs
from ...sync_job.model import TEMPLATE
from ...sync_schema.calls import filter_operators, get_schema, get_template_schema
from ...sync_secrets.calls import get_secrets
from .facts import IDENTITY_SYNC, JOBS, OPERATORS, PARTNER, SCHEMA, SECRETS, TEMPLATE_SCHEMA, Heard
from .record import Outcome, Read, What, compare, shown_code

if TYPE_CHECKING:
    from ...graph.operation import Operation
    from ..checks import Look

SIGN_IN, PRINCIPAL = "sign-in", "service principal"
PARTNERS = "policies/crossTenantAccessPolicy"
OF_PRINCIPAL = "servicePrincipals/{id}"
SYNCHRONIZATION = f"{OF_PRINCIPAL}/synchronization"
# With these the program itself takes an answer for none.
UNUSABLE = (What.MISSING_MEMBER, What.ANOTHER_KIND)


@dataclass(frozen=True)
class Planned:
    """A read that is to be made.

    Attributes:
        name: what is read.
        request: the request, with a word in the place of each id.
        call: the call.
        ours: whether the stack has made or adopted what is read, so that it has to be there.
    """

    name: str
    request: str
    call: Call
    ours: bool = True


# --- what to read ----------------------------------------------------------------------------------------------


def of_policies(look: Look) -> Iterator[Planned]:
    """The reads of policies, which both tenants have.

    Calls: GET partners/{id}, GET partners/{id}/identitySynchronization, GET default (Policy.Read.All).
    """
    partner, path = look.partner.id, f"{PARTNERS}/partners/{{id}}"
    yield Planned(PARTNER, path, get_partner(partner), look.set_up)
    inbound, identity_sync = look.set_up and look.side == "target", f"{path}/identitySynchronization"
    yield Planned(IDENTITY_SYNC, identity_sync, get_identity_sync(partner), inbound)
    if look.settings.sync_groups:
        call = get_identity_sync(partner, groups=True)
        yield Planned(f"{IDENTITY_SYNC} with groups", identity_sync, call, inbound)
    yield Planned("cross-tenant defaults", f"{PARTNERS}/default", get_policy_defaults())


def of_configuration(look: Look) -> Iterator[Planned]:
    """The reads of the source below the configuration that the stack has made or adopted; none before it has.

    Calls: GET servicePrincipals/{id} (Application.ReadWrite.OwnedBy), GET appRoleAssignedTo, its first page
    (Application.Read.All); GET jobs, jobs/{id}, secrets, jobs/{id}/schema, templates/{id}/schema and
    jobs/{id}/schema/filterOperators (Synchronization.Read.All).
    """
    own, job = look.own, str(look.outputs.get("jobId") or "")
    if look.side != "source" or own in NO_IDS:
        return
    yield Planned(PRINCIPAL, f"{OF_PRINCIPAL}?$select", get_service_principal(own))
    yield Planned(JOBS, f"{SYNCHRONIZATION}/jobs", list_jobs(own))
    yield Planned(SECRETS, f"{SYNCHRONIZATION}/secrets", get_secrets(own))
    template = get_template_schema(own, TEMPLATE)
    yield Planned(TEMPLATE_SCHEMA, f"{SYNCHRONIZATION}/templates/{TEMPLATE}/schema", template)
    if job not in NO_IDS:
        path = f"{SYNCHRONIZATION}/jobs/{{id}}"
        yield Planned("job", path, get_job(own, job))
        yield Planned(SCHEMA, f"{path}/schema", get_schema(own, job))
        yield Planned(OPERATORS, f"{path}/schema/filterOperators", filter_operators(own, job))
    yield Planned("assignments", f"{OF_PRINCIPAL}/appRoleAssignedTo", list_assignments(own))


def of_application(heard: list[Heard]) -> Iterator[Planned]:
    """The read of the application, by the id that its service principal has.

    Call: GET applications, filtered by appId (Application.Read.All).
    """
    found = next((one.answer for one in heard if one.read.name == PRINCIPAL), None) or {}
    if found.get("appId"):
        yield Planned("application", "applications?$filter&$select", find_application(str(found["appId"])))


# --- reading ---------------------------------------------------------------------------------------------------


def read_tenant(look: Look, status: Callable[[str], None]) -> list[Heard]:
    """Make all reads of one tenant; one that fails does not end the others, unless nothing can be reached."""
    heard: list[Heard] = []
    for plan in (of_policies(look), of_configuration(look), of_application(heard)):
        for planned in plan:
            status(f"{look.tenant.name}: {planned.name}")
            try:
                heard.append(read(look, planned))
            except SignInError:
                return [*heard, no_sign_in(look.side)]
            except NoAnswerError as error:
                heard.append(Heard(unread(look.side, planned, "no answer came from Graph")))
                if error.unsent:
                    return heard
    return heard


def no_sign_in(side: str) -> Heard:
    """What is said of a tenant that nobody can sign in to: its messages have ids and names, so nothing of them."""
    return Heard(Read(side, SIGN_IN, "", "", Outcome.NOT_READ, problem="there is no sign-in to this tenant"))


def read(look: Look, planned: Planned) -> Heard:
    """Make one read, and compare its answer with the shape that the call declares.

    Raises:
        SignInError: no token.
        NoAnswerError: no answer came.
    """
    operation = look.operation()
    try:
        # Any shape is taken here, as it comes: the difference is what is looked for.
        answer: Any = operation.send(replace(planned.call, answer=Any, whole=False, none_has=None))
    except UnusableAnswerError:
        return heard_of(operation, unread(look.side, planned, "the answer is not what Graph answers"))
    except GraphError as error:
        return heard_of(operation, refused(look.side, planned, error))
    return heard_of(operation, compared(look.side, planned, answer), answer)


def compared(side: str, planned: Planned, answer: Any) -> Read:
    """What an answer is, beside its shape; pure."""
    found = compare(answer, planned.call.answer)
    outcome = Outcome.DIFFERS if found.differences else Outcome.EXPECTED
    plain = Read(side, planned.name, f"{planned.call.method} {planned.request}", planned.call.version, outcome)
    return replace(plain, differences=found.differences, left_out=found.left_out, members=found.members)


def refused(side: str, planned: Planned, error: GraphError) -> Read:
    """What an error answer means: not there, no permission, or something else; pure."""
    code = shown_code(error.answer.code)
    if isinstance(error, NotFoundError):
        outcome = Outcome.GONE if planned.ours else Outcome.NOT_THERE
        why = "the stack has made or adopted it, and it is not there" if planned.ours else ""
        return replace(unread(side, planned, why), outcome=outcome, error_code=code)
    if isinstance(error, ForbiddenError) and error.do == permission_remedy(planned.call):
        call = planned.call
        found = unread(side, planned, f"the sign-in may not read it: it takes {call.permission}")
        return replace(found, error_code=code, permission=call.permission, role=call.role)
    return replace(unread(side, planned, "Graph answered with an error"), error_code=code)


def unread(side: str, planned: Planned, why: str) -> Read:
    """A read without an answer that could be compared."""
    request = f"{planned.call.method} {planned.request}"
    return Read(side, planned.name, request, planned.call.version, Outcome.NOT_READ, problem=why)


def heard_of(operation: Operation, found: Read, answer: Any = None) -> Heard:
    """A read with what the answer says beside its body."""
    said = operation.answered
    if said is not None:
        skew = clock_skew(said.headers.get("date"), operation.client.clock.now())
        found = replace(found, status=said.status, clock_skew_seconds=skew)
    usable = isinstance(answer, dict) and not any(one.what in UNUSABLE for one in found.differences)
    return Heard(found, answer if usable else None)


def clock_skew(date: str | None, now: datetime) -> int | None:
    """How many seconds this computer's clock is ahead of the `Date` of an answer; None without one."""
    theirs = parse_date(date)
    return None if theirs is None else round((now - theirs).total_seconds())
