"""ServicePrincipal: waits for the application's service principal, and at the end deletes the application.

azuread makes the application and waits for that alone. This resource waits for the service principal that carries
everything else, and finds the role that puts people in scope. azuread does not delete the application
(`retain_on_delete`): its delete fails where somebody has deleted it already.

Source: https://learn.microsoft.com/graph/api/serviceprincipal-get
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from ..graph.consistency import JOB_STATE, SERVICE_PRINCIPAL_IS_OURS
from ..graph.errors import LONGER, DeadlineError
from ..pulumi_runtime.engine import INFO, WARNING, program_runs, report, urn_beside
from ..pulumi_runtime.provider import (
    HOME,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
)
from ..pulumi_runtime.tenant_resource import Home, TenantResource
from ..service_principal.calls import get_service_principal
from ..service_principal.model import ROLE, assignable_role
from ..state import command_on
from ..sync_job.calls import list_jobs
from ..sync_job.model import jobs_of_template
from . import calls
from .multitenant_organization import is_managed, refusal
from .orphans import APPLICATION_TYPE, remove_orphans

if TYPE_CHECKING:
    from ..graph.operation import Operation

INPUTS = (HOME, "servicePrincipalId", "applicationId", "before")
STAYS = "the configuration application was there before this stack and stays; delete it if nobody needs it"
MAY_STAY = (
    "the configuration application stays, as this stack could not see at first whether it was there before (that takes "
    "Application.Read.All); delete it if nobody needs it"
)
DELETED = (
    "if somebody has deleted the enterprise application and left its registration, make both anew: `pulumi refresh`, "
    "then "
)


# --- provider ----------------------------------------------------------------------------------------------


def wait_for(operation: Operation, service_principal: str, application: str) -> Mapping[str, Any]:
    """Wait for the service principal and its role. Call: GET servicePrincipals/{id}.

    Args:
        operation: in the source.
        service_principal: its object id.
        application: the URN of azuread's application; "" where it is not known.

    Raises:
        DeadlineError: it did not appear; it may be gone for good, which azuread does not see.
    """
    try:
        found = operation.wait_until(
            get_service_principal(service_principal),
            lambda seen: seen is not None and bool(seen.get("appId")) and bool(assignable_role(seen)),
            f"waiting for the service principal and its app role {ROLE} to appear",
            SERVICE_PRINCIPAL_IS_OURS,
        )
    except DeadlineError as error:
        anew = command_on("pulumi up --replace URN", "the resource `...-application`", application)
        raise DeadlineError(error.call, operation.tenant, error.why, longer=f"{LONGER}; {DELETED}{anew}") from None
    assert found is not None
    return found


def lives(operation: Operation, service_principal: str) -> bool:
    """Whether a pair goes on with this service principal: one of several looks sees a job. Call: GET jobs."""
    listing = list_jobs(service_principal)
    return bool(operation.look_again(JOB_STATE, lambda: jobs_of_template(operation.read(listing) or {}) or None))


class ServicePrincipalProvider(TenantResourceProvider):
    """Waits; and at the end deletes what it belongs to."""

    replace_keys = ("servicePrincipalId",)

    def create(self, props: Properties) -> CreateResult:
        """Wait for the service principal and its role. Calls: GET servicePrincipals/{id}, applications."""
        operation, id_ = self.operation(), props["servicePrincipalId"]
        application = urn_beside("service-principal", APPLICATION_TYPE, "application")
        found = wait_for(operation, id_, application)
        name = str(found.get("displayName") or "")
        if is_managed(name):
            raise refusal(name, operation.tenant, application)
        if name:
            remove_orphans(operation, name, props.get("before"), found["appId"])
        # Where it is not known, it is left at the end rather than deleted.
        made_by_hand = found["appId"] in props.get("before", [found["appId"]])
        outputs = {"appId": found["appId"], "appRoleId": assignable_role(found), "madeByHand": made_by_hand}
        return CreateResult(id_, {**props, **outputs})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See that it is there. Call: GET servicePrincipals/{id}."""
        found = self.operation().read_settled(get_service_principal(id_))
        if found is None:
            return ReadResult("", {})
        role = assignable_role(found) or props["appRoleId"]
        outputs = {**props, "appId": found.get("appId") or props["appId"], "appRoleId": role}
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Nothing: what was found at first stays remembered."""
        return UpdateResult({**olds, **news})

    def delete(self, id_: str, props: Properties) -> None:
        """Delete the application, where the pair ends and somebody else did not make it.

        Where a program runs it may only be replaced: then it has a job.

        Calls: GET jobs, where a program runs; DELETE applications/{id}.
        """
        if props["madeByHand"]:
            known = props.get("before") is not None
            report(STAYS if known else MAY_STAY, severity=INFO if known else WARNING)
            return
        operation = self.operation()
        if program_runs() and lives(operation, id_):
            report("the configuration application is in use, so the pair goes on: it is not deleted")
            return
        if not operation.remove(calls.delete_application(props["applicationId"])):
            report("the configuration application has been deleted already")


SERVICE_PRINCIPAL = ServicePrincipalProvider()


# --- resource ----------------------------------------------------------------------------------------------


class ServicePrincipal(TenantResource):
    """The service principal of the configuration application.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: its object id, as azuread learned it.
        application_id: the application's object id.
        before: application (client) ids of configurations that were there before this stack.

    Attributes:
        app_id: the application (client) id.
        app_role_id: the role to assign people to.
        made_by_hand: whether the application was there before this stack.
    """

    app_id: pulumi.Output[str]
    app_role_id: pulumi.Output[str]
    made_by_hand: pulumi.Output[bool]

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        service_principal_id: pulumi.Input[str],
        application_id: pulumi.Input[str],
        before: pulumi.Input[Sequence[str]],
    ) -> None:
        inputs = {"servicePrincipalId": service_principal_id, "applicationId": application_id, "before": before}
        # What was made of another application is taken apart first, and this one last.
        options = pulumi.ResourceOptions(delete_before_replace=False)
        computed = ["app_id", "app_role_id", "made_by_hand"]
        super().__init__(name, home, inputs, computed=computed, options=options)
