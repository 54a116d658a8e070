"""Every call to Microsoft Graph the product makes: one function each, in the order of the how-to.

A call declares its behaviour: what it is for (as messages say it), what its answer may be repeated on,
and the least application permission and directory role it needs. All of them are v1.0.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-configure-graph
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote

Body = Mapping[str, Any]

POLICY_ROLE = "Security Administrator"
JOB_ROLE = "Hybrid Identity Administrator or Cloud Application Administrator"
POLICY_READ = "Policy.Read.All"
POLICY_WRITE = "Policy.ReadWrite.CrossTenantAccess"
APPLICATION = "Application.ReadWrite.OwnedBy"
SYNCHRONIZATION = "Synchronization.ReadWrite.All"


class Repeat(Enum):
    """What may be done when it is unknown whether a call was carried out."""

    SAFE = "carrying it out twice is the same as once"
    LOOK_FIRST = "it makes or starts something: look whether it is there, then send it again"


@dataclass(frozen=True)
class Call:
    """One request to Graph, and how to treat it."""

    method: str
    path: str
    purpose: str
    permission: str
    role: str
    body: Body | None = None
    repeat: Repeat = Repeat.SAFE
    version: str = "v1.0"

    @property
    def url_path(self) -> str:
        """The path below the Graph host, with the API version."""
        return f"/{self.version}{self.path}"


@dataclass(frozen=True)
class Patience:
    """Answers that mean "not there yet" right after our own write, and for how long to believe that.

    Attributes:
        why: what is being waited for, as messages say it.
        statuses: the HTTP statuses concerned.
        texts: only answers that mention one of these, where given.
        seconds: how long; None is as long as the operation may take.
    """

    why: str
    statuses: frozenset[int]
    texts: tuple[str, ...] = ()
    seconds: float | None = None


def _segment(value: str) -> str:
    """One path segment; nothing in an id can leave its place in the URL.

    Raises:
        ValueError: the value is empty or a relative step, which no escaping makes a segment.
    """
    if value in ("", ".", ".."):
        raise ValueError(f"{value!r} is not an id")
    return quote(value, safe="")


# --- partner policies: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner

PARTNERS = "/policies/crossTenantAccessPolicy/partners"


def _partner_path(partner: str) -> str:
    return f"{PARTNERS}/{_segment(partner)}"


def get_partner(partner: str) -> Call:
    """Read a partner policy; the key is the partner's tenant id."""
    return Call("GET", _partner_path(partner), f"read the partner policy for {partner}", POLICY_READ, POLICY_ROLE)


def create_partner(partner: str, settings: Body) -> Call:
    """Create a partner policy with its first settings (steps 2, 3 and 4 of the how-to)."""
    return Call(
        "POST",
        PARTNERS,
        f"create the partner policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
        {"tenantId": partner, **settings},
        Repeat.LOOK_FIRST,
    )


def update_partner(partner: str, settings: Body) -> Call:
    """Change a partner policy; properties that are not sent stay as they are."""
    return Call(
        "PATCH",
        _partner_path(partner),
        f"update the partner policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
        settings,
    )


# A deleted identity sync policy holds its partner policy for as long as a replica still knows it.
PARTNER_IS_FREE = Patience(
    "waiting for the deleted identity sync policy to be gone everywhere", frozenset({400, 409}), seconds=60
)


def delete_partner(partner: str) -> Call:
    """Delete a partner policy; Graph refuses while it has an identity sync policy."""
    return Call(
        "DELETE",
        _partner_path(partner),
        f"delete the partner policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
    )


# After our own create another replica may not know the object yet.
PARTNER_APPEARS = Patience("waiting for the new partner policy to appear", frozenset({404}))


# --- identity sync policy: https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner


def _identity_sync_path(partner: str) -> str:
    return f"{_partner_path(partner)}/identitySynchronization"


def get_identity_sync(partner: str) -> Call:
    """Read the identity sync policy of a partner."""
    return Call(
        "GET",
        _identity_sync_path(partner),
        f"read the identity sync policy for {partner}",
        POLICY_READ,
        POLICY_ROLE,
    )


def create_identity_sync(partner: str, settings: Body) -> Call:
    """Create the identity sync policy (step 2); PUT answers 409 when there is one already.

    Repeating it is safe: a second PUT either replaces the same values or is told 409.
    """
    return Call(
        "PUT",
        _identity_sync_path(partner),
        f"create the identity sync policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
        settings,
    )


def update_identity_sync(partner: str, settings: Body) -> Call:
    """Change the identity sync policy."""
    return Call(
        "PATCH",
        _identity_sync_path(partner),
        f"update the identity sync policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
        settings,
    )


def delete_identity_sync(partner: str) -> Call:
    """Delete the identity sync policy; people already synchronized stay."""
    return Call(
        "DELETE",
        _identity_sync_path(partner),
        f"delete the identity sync policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
    )


# --- service principal: https://learn.microsoft.com/graph/api/serviceprincipal-get


def _service_principal_path(service_principal: str) -> str:
    return f"/servicePrincipals/{_segment(service_principal)}"


def get_service_principal(service_principal: str) -> Call:
    """Read the service principal's application id and app roles."""
    return Call(
        "GET",
        f"{_service_principal_path(service_principal)}?$select=id,appId,displayName,appRoles",
        f"read the configuration's service principal {service_principal}",
        APPLICATION,
        "Cloud Application Administrator",
    )


# The template's service principal comes after its application, and is known everywhere later still: 404, then
# (to the synchronization service, and before ownership is known) 403 or 409. Those two also mean "missing
# permission", so they are believed for a minute only.
SERVICE_PRINCIPAL_IS_OURS = Patience(
    "waiting for the new service principal to be known as ours", frozenset({400, 401, 403}), seconds=60
)
SERVICE_PRINCIPAL_SETTLES = Patience(
    "waiting for the new service principal to be known to the synchronization service",
    frozenset({401, 403, 404, 409}),
    seconds=60,
)


def list_applications(display_name: str) -> Call:
    """Find applications by display name, to report twins."""
    name = quote(display_name.replace("'", "''"), safe="")
    return Call(
        "GET",
        f"/applications?$filter=displayName%20eq%20'{name}'&$select=id,appId,applicationTemplateId,createdDateTime",
        "look for twins of the configuration application",
        "Application.Read.All",
        "Cloud Application Administrator",
    )


# --- synchronization: https://learn.microsoft.com/graph/api/resources/synchronization-overview


def _synchronization(
    method: str,
    service_principal: str,
    path: str,
    purpose: str,
    body: Body | None = None,
    repeat: Repeat = Repeat.SAFE,
) -> Call:
    return Call(
        method,
        f"{_service_principal_path(service_principal)}/synchronization/{path}",
        purpose,
        # Owners manage what they made with Application.ReadWrite.OwnedBy; Synchronization.* works for any.
        SYNCHRONIZATION,
        JOB_ROLE,
        body,
        repeat,
    )


def validate_credentials(service_principal: str, template: str, target: str) -> Call:
    """Ask the synchronization service whether both tenants allow the pair (step 6); changes nothing."""
    body = {
        "useSavedCredentials": False,
        "templateId": template,
        "credentials": [
            {"key": "CompanyId", "value": target},
            {"key": "AuthenticationType", "value": "SyncPolicy"},
        ],
    }
    purpose = f"validate that {target} accepts synchronization"
    return _synchronization("POST", service_principal, "jobs/validateCredentials", purpose, body)


# The synchronization service sees new policies of either tenant with a delay; its other refusals are final.
POLICIES_APPEAR = Patience(
    "waiting for the synchronization service to see the policies of both tenants",
    frozenset(range(400, 500)),
    texts=(
        "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure",
        "AzureDirectoryB2BManagementPolicyCheckFailure",
        "has not enabled automatic user consent",
        "has not enabled inbound synchronization",
    ),
)


JOB_APPEARS = Patience("waiting for the new job to appear", frozenset({404}), seconds=60)


def list_jobs(service_principal: str) -> Call:
    """List the service principal's synchronization jobs."""
    return _synchronization("GET", service_principal, "jobs", f"list the jobs of {service_principal}")


def create_job(service_principal: str, template: str) -> Call:
    """Create a synchronization job from a template (step 7); it starts out disabled."""
    purpose = f"create the {template} job of {service_principal}"
    return _synchronization("POST", service_principal, "jobs", purpose, {"templateId": template}, Repeat.LOOK_FIRST)


def get_job(service_principal: str, job: str) -> Call:
    """Read a job's schedule and status (step 12)."""
    return _synchronization("GET", service_principal, f"jobs/{_segment(job)}", f"read the job {job}")


def delete_job(service_principal: str, job: str) -> Call:
    """Delete a job with its state; the people it synchronized stay."""
    return _synchronization("DELETE", service_principal, f"jobs/{_segment(job)}", f"delete the job {job}")


def start_job(service_principal: str, job: str) -> Call:
    """Start a job (step 11). Not to be repeated on a job that runs."""
    return _synchronization(
        "POST",
        service_principal,
        f"jobs/{_segment(job)}/start",
        f"start the job {job}",
        repeat=Repeat.LOOK_FIRST,
    )


def pause_job(service_principal: str, job: str) -> Call:
    """Pause a job; a cycle that runs is finished first, and the state is kept."""
    return _synchronization("POST", service_principal, f"jobs/{_segment(job)}/pause", f"pause the job {job}")


def get_secrets(service_principal: str) -> Call:
    """Read the settings ("secrets") of the synchronization; sensitive values come back as `*`."""
    return _synchronization(
        "GET", service_principal, "secrets", f"read the synchronization settings of {service_principal}"
    )


def put_secrets(service_principal: str, values: Mapping[str, str]) -> Call:
    """Write settings of the synchronization (step 8)."""
    body = {"value": [{"key": key, "value": value} for key, value in values.items()]}
    purpose = f"save the synchronization settings of {service_principal}"
    return _synchronization("PUT", service_principal, "secrets", purpose, body)
