"""ServicePrincipal: waits for the application's service principal, and remembers its first state.

azuread makes the application and waits for that alone. This resource waits for the service principal that
carries everything else, finds the role that puts people in scope, and records a job and settings that were
there before (where somebody brought a hand-made configuration under management).

Source: https://learn.microsoft.com/graph/api/serviceprincipal-get
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pulumi

from .graph import calls
from .graph.errors import RefusedError
from .lifecycle import (
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    inputs_of,
    reference,
)

if TYPE_CHECKING:
    from .graph.client import Operation

TEMPLATE = "Azure2Azure"
# The role the synchronization service looks for. Only its name is fixed: its id differs in each instance.
ROLE = "msiam_access"
INPUTS = ("servicePrincipalId",)


# --- wire form ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SynchronizationBaseline:
    """The synchronization of a service principal before this stack touched it; "" is "there was no job"."""

    job: str = ""
    state: str = ""
    settings: Mapping[str, str] | None = None

    def text(self) -> str:
        """As kept in state."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> SynchronizationBaseline:
        """Read back what `text` wrote."""
        return cls(**json.loads(text))


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


def look(operation: Operation, service_principal: str) -> SynchronizationBaseline:
    """See what synchronizes already. Calls: GET jobs; GET secrets only where there is a job.

    The list is more than a look: it is the first call the synchronization service answers for a new service
    principal. Least permission: Application.ReadWrite.OwnedBy or Synchronization.Read.All.
    """
    jobs = operation.send(calls.list_jobs(service_principal), calls.SERVICE_PRINCIPAL_SETTLES)
    job = job_of_template(jobs)
    if job is None:
        return SynchronizationBaseline()
    settings = settings_by_key(operation.send(calls.get_secrets(service_principal)))
    return SynchronizationBaseline(job["id"], (job.get("schedule") or {}).get("state") or "", settings)


class ServicePrincipalProvider(TenantResourceProvider):
    """Waits and records; owns nothing, so it changes and deletes nothing."""

    replace_keys = INPUTS

    def create(self, props: Properties) -> CreateResult:
        """Wait for the service principal and its role. Calls: GET servicePrincipals/{id}, GET jobs."""
        operation, id_ = self.operation(), props["servicePrincipalId"]
        found = operation.wait_until(
            calls.get_service_principal(id_),
            lambda seen: seen is not None and bool(assignable_role(seen)),
            f"waiting for the service principal and its app role {ROLE} to appear",
        )
        assert found is not None
        baseline = look(operation, id_)
        if baseline.job and self.settings.on_existing == "fail":
            raise RefusedError(
                f"There is a {TEMPLATE} job on the service principal {id_} in {operation.tenant} already",
                f"xtsync:onExisting is fail, and this was found: {baseline.job} ({baseline.state})",
                "set xtsync:onExisting to adopt to take it over, or delete the job",
            )
        operation.client.remember_made(id_)
        outputs = {
            "appId": found["appId"],
            "appRoleId": assignable_role(found),
            "baseline": baseline.text(),
        }
        return CreateResult(id_, {**props, **outputs})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See that it is there. Call: GET servicePrincipals/{id}."""
        found = self.operation().read(calls.get_service_principal(id_))
        if found is None:
            return ReadResult("", {})
        role = assignable_role(found) or props["appRoleId"]
        outputs = {**props, "appId": found.get("appId") or props["appId"], "appRoleId": role}
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def delete(self, _id: str, _props: Properties) -> None:
        """Nothing: it goes with the application, which azuread owns."""


SERVICE_PRINCIPAL = ServicePrincipalProvider()


# --- resource ----------------------------------------------------------------------------------------------


class ServicePrincipal(pulumi.CustomResource):
    """The service principal of the configuration application.

    Args:
        name: the resource's name.
        service_principal_id: its object id, as azuread learned it.
        opts: with the source's explicit provider.

    Attributes:
        app_id: the application (client) id.
        app_role_id: the role to assign people to.
        baseline: the job and settings found at first, as JSON text.
    """

    app_id: pulumi.Output[str]
    app_role_id: pulumi.Output[str]
    baseline: pulumi.Output[str]

    def __init__(
        self, name: str, service_principal_id: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__(
            "pulumi-python:dynamic/xtsync:ServicePrincipal",
            name,
            {
                "servicePrincipalId": service_principal_id,
                "appId": None,
                "appRoleId": None,
                "baseline": None,
                "__provider": reference("service_principal", "SERVICE_PRINCIPAL"),
            },
            opts,
        )

    def translate_output_property(self, prop: str) -> str:
        """The attribute for a property."""
        return {"appId": "app_id", "appRoleId": "app_role_id"}.get(prop, prop)
