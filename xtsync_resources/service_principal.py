"""ServicePrincipal: waits for the application's service principal, and remembers its first state.

azuread makes the application and waits for that alone. This resource waits for the service principal that
carries everything else, finds the role that puts people in scope, and records a job and settings that were
there before (where somebody brought a hand-made configuration under management).

Source: https://learn.microsoft.com/graph/api/serviceprincipal-get
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pulumi

from . import records
from .config.kinds import GUID
from .graph import calls
from .graph.errors import LONGER, CallError, DeadlineError, RefusedError
from .lifecycle import (
    HOME,
    WARNING,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    tell,
)
from .multitenant_organization import is_managed, refusal
from .tenant_resource import Home, TenantResource

if TYPE_CHECKING:
    from .graph.operation import Operation

APPLICATION_TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
TEMPLATE = "Azure2Azure"
# The role the synchronization service looks for. Only its name is fixed: its id differs in each instance.
ROLE = "msiam_access"
INPUTS = (HOME, "servicePrincipalId")
DELETED = (
    "if somebody has deleted the enterprise application and left its registration, make both anew: `pulumi refresh`, "
    "then `pulumi up --replace URN` with the URN of the resource `application` (`pulumi stack --show-urns`)"
)


# --- wire form ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SynchronizationBaseline:
    """The synchronization of a service principal before this stack touched it; "" is "there was no job"."""

    job: str = ""
    state: str = ""
    settings: Mapping[str, str] | None = None

    def text(self) -> str:
        """As kept in state."""
        return records.text(asdict(self))

    @classmethod
    def parse(cls, text: str) -> SynchronizationBaseline:
        """Read back what `text` wrote."""
        return cls(**records.parse(text))


def found_everybody(baseline: str) -> bool | None:
    """Whether the job that was there at first had everybody in scope; None where it had not, or there was none."""
    settings = SynchronizationBaseline.parse(baseline).settings or {}
    return True if settings.get("SyncAll") == "true" else None


def assignable_role(service_principal: Mapping[str, Any]) -> str:
    """From Graph: the id of the role to assign people to; "" while there is none."""
    roles: Sequence[Mapping[str, Any]] = [
        role
        for role in service_principal.get("appRoles") or ()
        if role.get("isEnabled", True) and "User" in (role.get("allowedMemberTypes") or ("User",))
    ]
    named = [role for role in roles if ROLE in (role.get("displayName"), role.get("value"))]
    return str((named or roles)[0]["id"]) if len(roles) == 1 or named else ""


def job_of_template(jobs: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """From Graph: the job of our template among a service principal's jobs."""
    return next((job for job in jobs.get("value") or () if job.get("templateId") == TEMPLATE), None)


def settings_by_key(answer: Mapping[str, Any]) -> dict[str, str]:
    """From Graph: the synchronization settings by key; sensitive ones are `*`."""
    return {item["key"]: item.get("value") or "" for item in answer.get("value") or ()}


# --- lifecycle ---------------------------------------------------------------------------------------------

_REPLACED: set[str] = set()


def look(operation: Operation, service_principal: str) -> SynchronizationBaseline:
    """See what synchronizes already. Calls: GET jobs; GET secrets only where there is a job.

    The list is more than a look: it is the first call the synchronization service answers for a new service
    principal. Least permission: Application.ReadWrite.OwnedBy or Synchronization.Read.All.
    """
    jobs = operation.send(calls.list_jobs(service_principal), *calls.SERVICE_PRINCIPAL_SETTLES)
    job = job_of_template(jobs)
    if job is None:
        return SynchronizationBaseline()
    settings = settings_by_key(operation.send(calls.get_secrets(service_principal)))
    return SynchronizationBaseline(job["id"], (job.get("schedule") or {}).get("state") or "", settings)


def wait_for(operation: Operation, service_principal: str) -> Mapping[str, Any]:
    """Wait for the service principal and its role. Call: GET servicePrincipals/{id}.

    Raises:
        DeadlineError: it did not appear; it may be gone for good, which azuread does not see.
    """
    try:
        found = operation.wait_until(
            calls.get_service_principal(service_principal),
            lambda seen: seen is not None and bool(seen.get("appId")) and bool(assignable_role(seen)),
            f"waiting for the service principal and its app role {ROLE} to appear",
            calls.SERVICE_PRINCIPAL_IS_OURS,
        )
    except DeadlineError as error:
        raise DeadlineError(error.call, operation.tenant, error.why, longer=f"{LONGER}; {DELETED}") from None
    assert found is not None
    return found


def report_twins(operation: Operation, service_principal: Mapping[str, Any]) -> None:
    """Warn of other instances of the template with the same name.

    azuread repeats the creating call after an answer like 504, which may leave a first application that no
    state knows. One read, once, in the life of a pair. Call: GET applications (Application.Read.All).
    """
    name = service_principal.get("displayName")
    if not name:
        return
    try:
        answer = operation.send(calls.list_applications(str(name)))
    except CallError as error:
        tell(f"could not look for twins of the configuration application: {error.why}", severity=WARNING)
        return
    for application in answer.get("value") or ():
        same_template = application.get("applicationTemplateId") == APPLICATION_TEMPLATE
        known = application.get("appId") in (service_principal.get("appId"), *_REPLACED)
        if same_template and not known:
            tell(
                f"there is another configuration application of this name: {application['id']}, made "
                f"{application.get('createdDateTime')}. A lost answer may have left it; if nobody uses it, delete "
                f"it {how_to_delete(str(application['id']))}",
                severity=WARNING,
            )


def how_to_delete(application_id: str) -> str:
    """How to delete an application; what is no id stands in no command that somebody may paste."""
    if GUID.fullmatch(application_id):
        return f"with `az ad app delete --id {application_id}`"
    return "in the Entra admin center: what Graph says is its id is none"


class ServicePrincipalProvider(TenantResourceProvider):
    """Waits and records; owns nothing, so it changes and deletes nothing."""

    replace_keys = INPUTS[1:]

    def create(self, props: Properties) -> CreateResult:
        """Wait for the service principal and its role. Calls: GET servicePrincipals/{id}, applications, jobs."""
        operation, id_ = self.operation(), props["servicePrincipalId"]
        found = wait_for(operation, id_)
        if is_managed(name := str(found.get("displayName") or "")):
            raise refusal(name, operation.tenant)
        baseline = look(operation, id_)
        if baseline.job and self.settings.on_existing == "fail":
            raise RefusedError(
                f"There is a {TEMPLATE} job on the service principal {id_} in {operation.tenant} already",
                f"xtsync:onExisting is fail, and this was found: {baseline.job} ({baseline.state})",
                "set xtsync:onExisting to adopt to take it over, or delete the job",
            )
        report_twins(operation, found)
        operation.client.remember_made(id_)
        outputs = {
            "appId": found["appId"],
            "appRoleId": assignable_role(found),
            "baseline": baseline.text(),
        }
        return CreateResult(id_, {**props, **outputs})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See that it is there. Call: GET servicePrincipals/{id}."""
        found = self.operation().read_surely(calls.get_service_principal(id_))
        if found is None:
            return ReadResult("", {})
        role = assignable_role(found) or props["appRoleId"]
        outputs = {**props, "appId": found.get("appId") or props["appId"], "appRoleId": role}
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Nothing: what was found at first stays remembered."""
        return UpdateResult({**olds, **news})

    def delete(self, _id: str, props: Properties) -> None:
        """Nothing: it goes with the application, which azuread owns. While it is replaced that is still there."""
        _REPLACED.add(str(props.get("appId")))


SERVICE_PRINCIPAL = ServicePrincipalProvider()


# --- resource ----------------------------------------------------------------------------------------------


class ServicePrincipal(TenantResource):
    """The service principal of the configuration application.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: its object id, as azuread learned it.

    Attributes:
        app_id: the application (client) id.
        app_role_id: the role to assign people to.
        baseline: the job and settings found at first, as JSON text.
    """

    provider_reference = ("service_principal", "SERVICE_PRINCIPAL")
    app_id: pulumi.Output[str]
    app_role_id: pulumi.Output[str]
    baseline: pulumi.Output[str]

    def __init__(self, name: str, home: Home, service_principal_id: pulumi.Input[str]) -> None:
        inputs = {"servicePrincipalId": service_principal_id}
        super().__init__(name, home, inputs, computed=["app_id", "app_role_id", "baseline"])
