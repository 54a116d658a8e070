"""Deleted directory objects on the wire: list, read, restore, purge."""

from __future__ import annotations

from typing import Any

from lab.entra.applications.models import Application, ServicePrincipal
from lab.entra.applications.responses import application_body, principal_body
from lab.entra.directory.models import Group, User
from lab.entra.directory.responses import group_body, user_body
from lab.entra.exceptions import bad_request, no_segment, not_found
from lab.entra.odata import filtered, operations, page
from lab.entra.routing import Answer, Call

_EQ = operations("eq", "in")
_FILTERS = {"id": _EQ, "displayName": _EQ, "appId": _EQ, "userPrincipalName": _EQ}
DeletedObject = Application | ServicePrincipal | User | Group


def _collections(call: Call) -> dict[str, dict[str, Any]]:
    tenant = call.tenant
    return {
        "application": tenant.applications.deleted_applications,
        "servicePrincipal": tenant.applications.deleted_principals,
        "user": tenant.directory.deleted_users,
        "group": tenant.directory.deleted_groups,
    }


def _body(call: Call, item: DeletedObject) -> dict[str, Any]:
    if isinstance(item, Application):
        return {"@odata.type": "#microsoft.graph.application", **application_body(item)}
    if isinstance(item, ServicePrincipal):
        body = principal_body(item, call.tenant.tenant_id)
        return {"@odata.type": "#microsoft.graph.servicePrincipal", **body}
    if isinstance(item, User):
        return {"@odata.type": "#microsoft.graph.user", **user_body(item)}
    return {"@odata.type": "#microsoft.graph.group", **group_body(item)}


def list_deleted(call: Call) -> Answer:
    """GET deleted objects of one type."""
    kind = call.parameters["kind"]
    collection = _collections(call).get(kind)
    if collection is None:
        raise no_segment(f"microsoft.graph.{kind}")
    bodies = [_body(call, item) for item in collection.values()]
    found = filtered(bodies, call.query.get("$filter"), _FILTERS)
    return Answer(200, page(call, "directoryObjects", found))


def list_all(_call: Call) -> Answer:
    """GET deletedItems without a type, which Graph refuses."""
    raise bad_request("The type of the deleted items must be given, as in directory/deletedItems/microsoft.graph.user.")


def _holder(call: Call) -> tuple[dict[str, Any], str]:
    object_id = call.parameters["object"]
    for collection in _collections(call).values():
        if object_id in collection:
            return collection, object_id
    raise not_found(object_id)


def get_deleted(call: Call) -> Answer:
    """GET one deleted object."""
    collection, object_id = _holder(call)
    return Answer(
        200,
        {"@odata.context": call.context("directoryObjects/$entity"), **_body(call, collection[object_id])},
    )


def restore(call: Call) -> Answer:
    """POST restore."""
    collection, object_id = _holder(call)
    tenant = call.tenant
    is_application = isinstance(collection[object_id], Application | ServicePrincipal)
    item: DeletedObject = (
        tenant.applications.restore(object_id) if is_application else tenant.directory.restore(object_id)
    )
    return Answer(200, {"@odata.context": call.context("directoryObjects/$entity"), **_body(call, item)})


def purge(call: Call) -> Answer:
    """DELETE for good."""
    collection, object_id = _holder(call)
    del collection[object_id]
    return Answer()
