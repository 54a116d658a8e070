"""Wire errors of the policy endpoints."""

from __future__ import annotations

from lab.entra.exceptions import GraphError

CONFLICTING = "A conflicting object with one or more of the specified property values is present in the directory."


def partner_exists() -> GraphError:
    """409 of POST partners."""
    return GraphError(
        409,
        "Request_MultipleObjectsWithSameKeyValue",
        "Another object with the same value for property tenantId already exists.",
        details=[{"code": "ObjectConflict", "message": CONFLICTING, "target": "tenantId"}],
    )


def identity_sync_exists() -> GraphError:
    """409 of PUT identitySynchronization."""
    return GraphError(
        409,
        "Request_MultipleObjectsWithSameKeyValue",
        CONFLICTING,
        details=[{"code": "ConflictingObjects", "message": CONFLICTING, "target": "tenantId"}],
    )


def policy_missing() -> GraphError:
    """404 of a write to a policy that is not there."""
    return GraphError(404, "Directory_ObjectNotFound", "Unable to read the company information from the directory.")


def sync_policy_in_the_way() -> GraphError:
    """400 of deleting a partner that still has an identity synchronization policy."""
    return GraphError(
        400,
        "Request_BadRequest",
        "The partner configuration cannot be deleted while it has an identity synchronization policy. "
        "Delete the identity synchronization policy first.",
    )
