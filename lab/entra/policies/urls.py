"""Calls of the policy area."""

from lab.entra.policies import deleted, responses
from lab.entra.routing import any_of, route

_WRITE = any_of("Policy.ReadWrite.CrossTenantAccess")
_READ = any_of("Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess")
_READ_CAPABILITIES = any_of("Policy.Read.All", "Policy.ReadWrite.CrossTenantCapability")
_READ_AUTHORIZATION = any_of("Policy.Read.All", "Policy.ReadWrite.Authorization")
_POLICY = "/policies/crossTenantAccessPolicy"
_PARTNER = f"{_POLICY}/partners/{{partner}}"
_SYNC = f"{_PARTNER}/identitySynchronization"
_DELETED = "/policies/deletedItems/{kind}"

ROUTES = [
    route("GET", _POLICY, responses.get_policy, _READ),
    route("GET", "/policies/authorizationPolicy", responses.get_authorization_policy, _READ_AUTHORIZATION),
    route("GET", f"{_POLICY}/default", responses.get_default, _READ),
    route("GET", f"{_POLICY}/partners", responses.list_partners, _READ),
    route("POST", f"{_POLICY}/partners", responses.create_partner, _WRITE),
    route("GET", _PARTNER, responses.get_partner, _READ),
    route("PATCH", _PARTNER, responses.update_partner, _WRITE),
    route("DELETE", _PARTNER, responses.delete_partner, _WRITE),
    route("GET", f"{_PARTNER}/m365Capabilities", responses.list_capabilities, _READ_CAPABILITIES),
    route("GET", _SYNC, responses.get_identity_sync, _READ),
    route("PUT", _SYNC, responses.put_identity_sync, _WRITE),
    route("PATCH", _SYNC, responses.update_identity_sync, _WRITE),
    route("DELETE", _SYNC, responses.delete_identity_sync, _WRITE),
    route("GET", _DELETED, deleted.list_deleted, _READ, versions=["beta"]),
    route("GET", f"{_DELETED}/{{partner}}", deleted.get_deleted, _READ, versions=["beta"]),
    route("POST", f"{_DELETED}/{{partner}}/restore", deleted.restore, _WRITE, versions=["beta"]),
    route("DELETE", f"{_DELETED}/{{partner}}", deleted.purge, _WRITE, versions=["beta"]),
]
