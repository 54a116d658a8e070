"""Applications and service principals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.azuread.data_sources.lookup import asked, exactly_one, flags, lists, only, same, texts
from lab.azuread.exceptions import ProviderError
from lab.azuread.graph import Entity, Graph, quoted
from lab.azuread.values import Properties

_KEYS = {"clientId": "appId", "displayName": "displayName", "identifierUri": "identifierUris"}
_PRINCIPAL_TEXTS = {
    **same("description displayName loginUrl logoutUrl notes preferredSingleSignOnMode samlMetadataUrl signInAudience"),
    "applicationTenantId": "appOwnerOrganizationId",
    "clientId": "appId",
    "homepageUrl": "homepage",
    "objectId": "id",
    "type": "servicePrincipalType",
}
_PRINCIPAL_LISTS = {**same("alternativeNames notificationEmailAddresses tags"), "redirectUris": "replyUrls"}
_APPLICATION_TEXTS = {
    **same("description displayName notes publisherDomain serviceManagementReference signInAudience"),
    "clientId": "appId",
    "objectId": "id",
}
_APPLICATION_FLAGS = {
    "deviceOnlyAuthEnabled": "isDeviceOnlyAuthSupported",
    "fallbackPublicClientEnabled": "isFallbackPublicClient",
    "oauth2PostResponseRequired": "oauth2RequirePostResponse",
}
_TAGS = {
    "customSingleSignOn": "WindowsAzureActiveDirectoryCustomSingleSignOnApplication",
    "enterprise": "WindowsAzureActiveDirectoryIntegratedApp",
    "gallery": "WindowsAzureActiveDirectoryGalleryApplicationNonPrimaryV1",
    "hide": "HideApp",
}


def get_service_principal(graph: Graph, arguments: Properties) -> Properties:
    """One service principal."""
    key, value = exactly_one(arguments, "clientId", "displayName", "objectId")
    if key == "objectId":
        words = f'Retrieving service principal with object ID "{value}"'
        principal = asked(words, lambda: graph.find(f"/servicePrincipals/{value}"))
        missing = f'Service principal with object ID "{value}" was not found'
    else:
        principal = _matching(graph, "servicePrincipals", "service principals", "service principal", key, value)
        missing = ""
    if principal is None:
        raise ProviderError(missing)
    if not principal.get("id"):
        raise ProviderError("Bad API Response: API returned service principal with nil object ID")
    tags = principal.get("tags") or []
    scopes = principal.get("oauth2PermissionScopes") or []
    names = principal.get("servicePrincipalNames") or []
    saml = principal.get("samlSingleSignOnSettings")
    return {
        "id": f"/servicePrincipals/{principal['id']}",
        **texts(principal, _PRINCIPAL_TEXTS),
        **flags(principal, same("accountEnabled appRoleAssignmentRequired")),
        **lists(principal, _PRINCIPAL_LISTS),
        **_roles(principal),
        "featureTags": [_features(tags)],
        "features": [_old_features(tags)],
        "oauth2PermissionScopeIds": _ids_by_value(scopes),
        "oauth2PermissionScopes": [_scope(scope) for scope in scopes],
        "samlSingleSignOns": [texts(saml, same("relayState"))] if saml else [],
        "servicePrincipalNames": [name for name in names if name.lower() != principal["appId"].lower()],
    }


def get_application(graph: Graph, arguments: Properties) -> Properties:
    """One application with its owners."""
    key, value = exactly_one(arguments, "clientId", "displayName", "identifierUri", "objectId")
    if key == "objectId":
        words = f'Retrieving Application with object ID "{value}"'
        application = asked(words, lambda: graph.find(f"/applications/{value}"))
        missing = f'Application with object ID "{value}" was not found'
    else:
        application = _matching(graph, "applications", "applications", "application", key, value)
        missing = ""
    if application is None:
        raise ProviderError(missing)
    object_id = application.get("id")
    if not object_id:
        raise ProviderError("Bad API Response: nil object ID returned for application")
    words = f'Could not retrieve owners for application with object ID "{object_id}"'
    owners = asked(words, lambda: graph.list(f"/applications/{object_id}/owners"))
    claims = application.get("groupMembershipClaims")
    return {
        "id": f"/applications/{object_id}",
        **texts(application, _APPLICATION_TEXTS),
        **flags(application, _APPLICATION_FLAGS),
        **lists(application, same("identifierUris tags")),
        **_roles(application),
        **_blocks(application),
        "disabledByMicrosoft": application.get("disabledByMicrosoftStatus") or "",
        "featureTags": [_features(application.get("tags") or [])],
        "groupMembershipClaims": claims.split(",") if claims else [],
        "identifierUri": value if key == "identifierUri" else "",
        "owners": [owner["id"] for owner in owners],
    }


def _matching(graph: Graph, collection: str, several: str, one: str, key: str, value: str) -> Entity | None:
    member = _KEYS[key]
    condition = f"{member} eq {quoted(value)}"
    if key == "identifierUri":
        condition = f"{member}/any(uri:uri eq {quoted(value)})"
    words = f'Listing {several} for filter "{condition}"'
    found = asked(words, lambda: graph.list(f"/{collection}", filter=condition))
    return only(
        found,
        f'{one.capitalize()} not found: No {several} found matching filter: "{condition}"',
        f'Multiple {several} found: Found multiple {several} matching filter: "{condition}"',
    )


def _roles(entity: Mapping[str, Any]) -> Properties:
    roles = entity.get("appRoles") or []
    return {
        "appRoleIds": _ids_by_value(roles),
        "appRoles": [
            {
                **texts(role, same("description displayName id value")),
                **lists(role, same("allowedMemberTypes")),
                **flags(role, {"enabled": "isEnabled"}),
            }
            for role in roles
        ],
    }


def _ids_by_value(items: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {item["value"]: item["id"] for item in items if item.get("value")}


def _scope(scope: Mapping[str, Any]) -> Properties:
    names = (
        "adminConsentDescription adminConsentDisplayName id type userConsentDescription userConsentDisplayName value"
    )
    return {**texts(scope, same(names)), **flags(scope, {"enabled": "isEnabled"})}


def _features(tags: Sequence[str]) -> dict[str, bool]:
    present = {tag.lower() for tag in tags}
    return {name: tag.lower() in present for name, tag in _TAGS.items()}


def _old_features(tags: Sequence[str]) -> dict[str, bool]:
    features = _features(tags)
    return {
        "customSingleSignOnApp": features["customSingleSignOn"],
        "enterpriseApplication": features["enterprise"],
        "galleryApplication": features["gallery"],
        "visibleToUsers": not features["hide"],
    }


def _blocks(application: Mapping[str, Any]) -> Properties:
    """The nested objects, each a list of one."""
    api = application.get("api") or {}
    info = application.get("info") or {}
    scopes = api.get("oauth2PermissionScopes") or []
    return {
        "apis": [
            {
                **lists(api, same("knownClientApplications")),
                "mappedClaimsEnabled": bool(api.get("acceptMappedClaims")),
                "oauth2PermissionScopes": [_scope(scope) for scope in scopes],
                "requestedAccessTokenVersion": api.get("requestedAccessTokenVersion") or 1,
            }
        ],
        "oauth2PermissionScopeIds": _ids_by_value(scopes),
        "optionalClaims": _optional_claims(application.get("optionalClaims")),
        "publicClients": _redirects(application.get("publicClient")),
        "requiredResourceAccesses": [
            {
                "resourceAppId": access.get("resourceAppId") or "",
                "resourceAccesses": [texts(one, same("id type")) for one in access.get("resourceAccess") or []],
            }
            for access in application.get("requiredResourceAccess") or []
        ],
        "singlePageApplications": _redirects(application.get("spa")),
        "webs": [_web(application.get("web") or {})],
        **texts(info, same("logoUrl marketingUrl privacyStatementUrl supportUrl termsOfServiceUrl")),
    }


def _redirects(client: Mapping[str, Any] | None) -> list[Properties]:
    return [lists(client, same("redirectUris"))] if client else []


def _web(web: Mapping[str, Any]) -> Properties:
    grants = web.get("implicitGrantSettings") or {}
    members = {
        "accessTokenIssuanceEnabled": "enableAccessTokenIssuance",
        "idTokenIssuanceEnabled": "enableIdTokenIssuance",
    }
    return {
        **texts(web, {"homepageUrl": "homePageUrl", "logoutUrl": "logoutUrl"}),
        **lists(web, same("redirectUris")),
        "implicitGrants": [flags(grants, members)],
    }


def _optional_claims(claims: Mapping[str, Any] | None) -> list[Properties]:
    if not claims:
        return []
    kinds = {"accessTokens": "accessToken", "idTokens": "idToken", "saml2Tokens": "saml2Token"}
    return [{name: [_claim(claim) for claim in claims.get(member) or []] for name, member in kinds.items()}]


def _claim(claim: Mapping[str, Any]) -> Properties:
    return {
        **texts(claim, same("name source")),
        **lists(claim, same("additionalProperties")),
        **flags(claim, same("essential")),
    }
