"""Calls of the directory area."""

from lab.entra.directory import deleted, responses
from lab.entra.routing import OWNED, any_of, route

_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")
_USERS = any_of("User.Read.All", "User.ReadWrite.All", *_DIRECTORY)
_WHOLE_GROUPS = ("GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All")
_MEMBERS = any_of("GroupMember.ReadBasic.All", "GroupMember.ReadWrite.All", *_WHOLE_GROUPS)
_GROUPS = any_of("Group.ReadBasic.All", "Directory.ReadWrite.All", *_WHOLE_GROUPS)
_ORGANIZATION = any_of("Organization.Read.All", "Organization.ReadWrite.All", *_DIRECTORY)
_SKUS = any_of("LicenseAssignment.Read.All", "Organization.Read.All", *_DIRECTORY)
_DELETED_READ = any_of("Application.Read.All", "Application.ReadWrite.All", OWNED, "User.Read.All", *_DIRECTORY)
_DELETED_WRITE = any_of("Application.ReadWrite.All", OWNED, "User.ReadWrite.All", "Directory.ReadWrite.All")
_DELETED = "/directory/deletedItems"

ROUTES = [
    route("GET", "/users", responses.list_users, _USERS),
    route("GET", "/users/{user}", responses.get_user, _USERS),
    route("DELETE", "/users/{user}", responses.delete_user, any_of("User.ReadWrite.All")),
    route("GET", "/groups", responses.list_groups, _GROUPS),
    route("GET", "/groups/{group}", responses.get_group, _GROUPS),
    route("GET", "/groups/{group}/members", responses.list_members, _MEMBERS),
    route("GET", "/groups/{group}/owners", responses.list_owners, _GROUPS),
    route("GET", "/organization", responses.get_organization, _ORGANIZATION),
    route("GET", "/subscribedSkus", responses.list_skus, _SKUS),
    route(
        "GET",
        "/tenantRelationships/findTenantInformationByTenantId(tenantId='{tenant}')",
        responses.find_tenant,
        any_of("CrossTenantInformation.ReadBasic.All"),
    ),
    route("GET", _DELETED, deleted.list_all, _DELETED_READ),
    route("GET", f"{_DELETED}/microsoft.graph.{{kind}}", deleted.list_deleted, _DELETED_READ),
    route("GET", f"{_DELETED}/{{object}}", deleted.get_deleted, _DELETED_READ, owned="deleted"),
    route("POST", f"{_DELETED}/{{object}}/restore", deleted.restore, _DELETED_WRITE, owned="deleted"),
    route("DELETE", f"{_DELETED}/{{object}}", deleted.purge, _DELETED_WRITE, owned="deleted"),
]
