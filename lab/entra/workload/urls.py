"""A GitHub job's and an Azure DevOps job's token endpoint, and the managed identity endpoints of App Service and VMs.

Sources: https://docs.github.com/actions/reference/security/oidc,
https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create,
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference and
https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lab.entra.login.models import TOKEN_SECONDS
from lab.entra.routing import Answer
from lab.entra.workload.models import ManagedIdentity, Pipeline, Workloads

if TYPE_CHECKING:
    from lab.entra.models import Entra

GITHUB = "/workload/github/idtoken"
AZURE_DEVOPS = "/workload/azure-devops/oidctoken"
APP_SERVICE = "/workload/msi/token"
VIRTUAL_MACHINE = "/metadata/identity/oauth2/token"


def answer(
    entra: Entra, host_url: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> Answer | None:
    """Answer a workload's call; None where it is none."""
    known = entra.workloads
    if (method, path) == ("GET", GITHUB):
        return _github(known, query, headers)
    if (method, path) == ("POST", AZURE_DEVOPS):
        return _azure_devops(known, query, headers)
    if (method, path) == ("GET", APP_SERVICE):
        if headers.get("x-identity-header") != known.identity_header or query.get("api-version") != "2019-08-01":
            return Answer(401, {"statusCode": 401, "message": "Unauthorized"})
        return _identity(known, host_url, query)
    if (method, path) == ("GET", VIRTUAL_MACHINE):
        if headers.get("metadata") != "true":
            return Answer(
                400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}
            )
        return _identity(known, host_url, query)
    return None


def _authorised(pipeline: Pipeline | None, headers: Mapping[str, str]) -> bool:
    return pipeline is not None and headers.get("authorization") == f"Bearer {pipeline.request_token}"


def _github(known: Workloads, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    pipeline = known.github
    if pipeline is None or not _authorised(pipeline, headers):
        return Answer(401, {"message": "The job's token was not accepted."})
    pipeline.asked += 1
    # Without a wish GitHub names the repository's owner.
    audience = query.get("audience") or "https://github.com/example"
    return Answer(200, {"count": 2048, "value": pipeline.issuer.token(pipeline.subject, audience)})


def _azure_devops(known: Workloads, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    pipeline = known.azure_devops
    if pipeline is None or not _authorised(pipeline, headers):
        return Answer(401, {"message": "TF400813: The user is not authorized to access this resource."})
    if not query.get("api-version"):
        return Answer(400, {"message": "VS403072: No api-version was supplied."})
    subject = pipeline.connections.get(query.get("serviceConnectionId", ""))
    if subject is None:
        return Answer(404, {"message": "The service connection was not found."})
    pipeline.asked += 1
    return Answer(200, {"oidcToken": pipeline.issuer.token(subject, pipeline.audience)})


def _identity(known: Workloads, host_url: str, query: Mapping[str, str]) -> Answer:
    wanted = query.get("client_id")
    found = [one for one in known.identities if wanted in (None, one.client.client_id)]
    if not found or not query.get("resource"):
        description = "Identity not found"
        return Answer(400, {"error": "invalid_request", "error_description": description, "message": description})
    return Answer(200, _token(found[0], host_url, query["resource"]))


def _token(identity: ManagedIdentity, host_url: str, resource: str) -> dict[str, Any]:
    token = identity.tenant.login.issue(identity.client, host_url, resource.removesuffix("/"))
    return {
        "access_token": token,
        "client_id": identity.client.client_id,
        "expires_in": str(TOKEN_SECONDS),
        "expires_on": str(int(time.time()) + TOKEN_SECONDS),
        "resource": resource,
        "token_type": "Bearer",
    }
