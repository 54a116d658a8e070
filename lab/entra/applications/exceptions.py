"""Wire errors of the application endpoints."""

from __future__ import annotations

from lab.entra.exceptions import GraphError, bad_request


def assignment_exists() -> GraphError:
    """400 of a duplicate app role assignment."""
    return bad_request("Permission being assigned already exists on the object")


def not_a_reference() -> GraphError:
    """400 of an assignment to an object the directory has not replicated."""
    return bad_request("Not a valid reference update")


def unknown_role() -> GraphError:
    """400 of an assignment with a role the service principal does not have."""
    return bad_request("Permission being assigned was not found on application")


def principal_hidden(status: int, principal_id: str) -> GraphError:
    """What a service principal answers before it has replicated."""
    if status == 403:
        return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    if status == 400:
        return not_a_reference()
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{principal_id}' does not exist or one of its queried reference-property objects are not present.",
    )
