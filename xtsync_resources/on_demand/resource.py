"""ProvisionOnDemand: some people are provisioned at once, and what came of it is an output.

It is an action, not an object: it is done when the list of people is new or longer, never undone, and nothing of it can
drift. Whoever was not provisioned, as somebody who was not in scope, is tried again once the scope has changed.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-provisionondemand
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ..graph.errors import XtsyncError
from ..pulumi_runtime.engine import WARNING, Partial, report, urn_beside
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
from .operations import FAILURE, provision

INPUTS = (HOME, "servicePrincipalId", "jobId", "users", "scope")


# --- provider ----------------------------------------------------------------------------------------------


class ProvisionOnDemandProvider(TenantResourceProvider):
    """Provisions people who are new in the list."""

    replace_keys = ("servicePrincipalId",)

    def create(self, props: Properties) -> CreateResult:
        """Provision everybody in the list. Calls: GET schema, POST provisionOnDemand for each."""
        id_ = f"{props['servicePrincipalId']}/on-demand"
        return CreateResult(id_, self.provision(id_, props, {}, new=True))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Nothing to look at; people who could not be provisioned are still to come, for the next `pulumi up`."""
        verdicts = props.get("verdicts") or {}
        done = {
            name: id_ for name, id_ in props["users"].items() if not verdicts.get(name, FAILURE).startswith(FAILURE)
        }
        outputs = {**props, "users": done}
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Provision those who are new in the list, or did not get through the last time; often nobody, and no call."""
        return UpdateResult(self.provision(id_, news, olds.get("verdicts") or {}))

    def provision(self, id_: str, props: Properties, before: Mapping[str, str], *, new: bool = False) -> Properties:
        """Provision whoever has no good verdict yet.

        Raises:
            Partial: somebody could not be; the next `pulumi up` tries them again.
        """
        from ..graph.pace import Pace  # noqa: PLC0415 - with the client, which a no-op does not need

        users: Mapping[str, str] = props["users"]
        verdicts = {name: before[name] for name in users if str(before.get(name, "")).startswith(GOOD)}
        due = {object_id: name for name, object_id in users.items() if name not in verdicts}
        failed: list[str | XtsyncError] = []
        if due:
            operation = self.operation()
            made = provision(
                operation,
                props["servicePrincipalId"],
                props["jobId"],
                due,
                Pace(operation.client.clock),
                # Whoever is in scope by a group cannot be told from whoever is not.
                assigned=lambda user: user in props["scope"]["users"] or bool(props["scope"]["groups"]),
                new=new,
                urn=urn_beside("provision-on-demand", "SyncJob", "job"),
            )
            try:
                for object_id, verdict in made:
                    name, words = due[object_id], "; ".join(p for p in (str(verdict), verdict.remedy) if p)
                    verdicts[name] = str(verdict)
                    if verdict.result == FAILURE:
                        failed.append(f"{name} could not be provisioned: {words}")
                    report(f"{name}: {words}", severity=WARNING if not verdict.good else 1)
            except XtsyncError as error:  # those who are done stay done
                failed.append(error)
        outputs = {**props, "verdicts": verdicts}
        if failed:
            raise Partial(id_, outputs, failed)
        return outputs

    def delete(self, _id: str, _props: Properties) -> None:
        """Nothing: what was provisioned belongs to the job."""


GOOD = ("Success", "Warning")
PROVISION_ON_DEMAND = ProvisionOnDemandProvider()


# --- resource ----------------------------------------------------------------------------------------------


class ProvisionOnDemand(TenantResource):
    """People who are provisioned at once.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        job_id: the job.
        users: object ids by the names the configuration gives them.
        scope: what decides who is in scope: another one is a reason to try again.
        depends_on: what must be there before, such as assignments and settings.

    Attributes:
        verdicts: what came of each, in words, by name.
    """

    verdicts: pulumi.Output[Mapping[str, Any]]

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        service_principal_id: pulumi.Input[str],
        job_id: pulumi.Input[str],
        users: Mapping[str, str],
        scope: Mapping[str, Any],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {"servicePrincipalId": service_principal_id, "jobId": job_id, "users": dict(users), "scope": scope}
        super().__init__(name, home, inputs, computed=["verdicts"], depends_on=depends_on)
