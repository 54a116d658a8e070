"""Wire errors of the synchronization service."""

from __future__ import annotations

import json

from lab.entra.exceptions import GraphError, not_found

POLICY_CHECK = "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure"


def refused(code: str, message: str) -> GraphError:
    """400 of validateCredentials."""
    return GraphError(400, code, message)


def source_consent_missing() -> GraphError:
    """The source does not redeem invitations for the target."""
    return refused(
        POLICY_CHECK,
        "The source tenant has not enabled automatic user consent with the target tenant. "
        "Please enable the outbound cross-tenant access policy for automatic user consent in the source tenant.",
    )


def target_sync_missing() -> GraphError:
    """The target does not let the source synchronize, or does not redeem its invitations."""
    return refused(
        POLICY_CHECK,
        "The target tenant has not enabled inbound synchronization with this tenant. "
        "Please request the target tenant admin to enable the inbound synchronization on their policy.",
    )


def external_tenant_missing(tenant_id: str) -> GraphError:
    """The target is not in this cloud."""
    return refused("ExternalTenantNotFound", f"The external tenant '{tenant_id}' could not be found in this cloud.")


def invalid_secrets(message: str) -> GraphError:
    """Credentials that are no cross-tenant credentials."""
    return refused("InvalidCredentials", message)


def notification_settings_invalid() -> GraphError:
    """400 of notification settings that are no JSON object, the way the service behind Graph says it."""
    message = "The notification settings provided are invalid. Provide a JSON object."
    inner = {"error": {"code": "InvalidNotificationSettings", "message": message, "innerError": {"code": "BadRequest"}}}
    return GraphError(400, "UnknownError", json.dumps(inner))


def job_missing(job_id: str) -> GraphError:
    """404 of a job that is not there."""
    return not_found(job_id)


def schema_invalid(message: str) -> GraphError:
    """400 of a schema the service does not take."""
    return GraphError(400, "schemaInvalid", message)


def no_resource(path: str) -> GraphError:
    """404 the way the service behind Graph answers for a method it does not have."""
    uri = f"https://syncfabric.windowsazure.com/api{path}?api-version=2.0"
    inner = {"Message": f"No HTTP resource was found that matches the request URI '{uri}'."}
    return GraphError(404, "UnknownError", json.dumps(inner))
