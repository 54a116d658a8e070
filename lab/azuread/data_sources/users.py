"""Users, and who we are."""

from __future__ import annotations

from typing import Any

from lab.azuread.data_sources.lookup import asked, exactly_one, flags, hashed, lists, only, same, texts
from lab.azuread.exceptions import GraphError, ProviderError
from lab.azuread.graph import NOT_FOUND, Entity, Graph, quoted
from lab.azuread.values import Properties

_LISTED_TEXTS = {
    **same("displayName employeeId mail mailNickname usageLocation userPrincipalName"),
    "objectId": "id",
    "onpremisesImmutableId": "onPremisesImmutableId",
    "onpremisesSamAccountName": "onPremisesSamAccountName",
    "onpremisesUserPrincipalName": "onPremisesUserPrincipalName",
}
_TEXTS = {
    **_LISTED_TEXTS,
    **same("ageGroup city companyName consentProvidedForMinor country creationType department employeeHireDate"),
    **same("employeeType externalUserState faxNumber givenName jobTitle mobilePhone officeLocation postalCode"),
    **same("preferredLanguage state streetAddress surname userType"),
    "onpremisesDistinguishedName": "onPremisesDistinguishedName",
    "onpremisesDomainName": "onPremisesDomainName",
    "onpremisesSecurityIdentifier": "onPremisesSecurityIdentifier",
}
_FLAGS = {**same("accountEnabled showInAddressList"), "onpremisesSyncEnabled": "onPremisesSyncEnabled"}
_LISTS = same("businessPhones imAddresses otherMails proxyAddresses")
_SELECT_LISTED = ",".join(sorted({*_LISTED_TEXTS.values(), "accountEnabled", "userType"}))
_SELECT = ",".join(sorted({*_TEXTS.values(), *_FLAGS.values(), *_LISTS, "employeeOrgData"}))
# Argument of getUser (plural in getUsers) -> member in Graph, and what azuread calls it in errors.
_KEYS = {
    "userPrincipalName": ("userPrincipalName", "UPN"),
    "objectId": ("id", "object ID"),
    "mailNickname": ("mailNickname", "email alias"),
    "mail": ("mail", "mail address"),
    "employeeId": ("employeeId", "employee ID"),
}


def get_client_config(graph: Graph, _arguments: Properties) -> Properties:
    """Who we are, as the access token says."""
    claims = graph.tokens.claims()
    object_id = claims.get("oid")
    if not object_id:
        raise ProviderError("the access token has no `oid` claim")
    tenant_id = graph.tenant_id or claims.get("tid", "")
    client_id = claims.get("appid") or graph.client_id
    return {
        "id": f"{tenant_id}-{client_id}-{object_id}",
        "clientId": client_id,
        "objectId": object_id,
        "tenantId": tenant_id,
    }


def get_user(graph: Graph, arguments: Properties) -> Properties:
    """One user in full, with one GET; the manager is not looked up."""
    key, value = exactly_one(arguments, *_KEYS)
    user = _find(graph, key, value, _SELECT)
    if user is None:
        raise ProviderError(_missing(key, value))
    if not user.get("id"):
        raise ProviderError("Bad API Response: API returned user with nil object ID")
    organization = user.get("employeeOrgData") or {}
    return {
        "id": f"/users/{user['id']}",
        **texts(user, _TEXTS),
        **flags(user, _FLAGS),
        **lists(user, _LISTS),
        **texts(organization, same("costCenter division")),
    }


def get_users(graph: Graph, arguments: Properties) -> Properties:
    """Several users, with one GET for each."""
    plurals = {f"{key}s": key for key in _KEYS}
    argument, values = exactly_one(arguments, *plurals, "returnAll")
    ignore_missing = bool(arguments.get("ignoreMissing"))
    if argument == "returnAll":
        found = asked("Could not retrieve users", lambda: graph.list("/users", select=_SELECT_LISTED))
        if not found:
            raise ProviderError("No users found")
    else:
        found = _find_all(graph, plurals[argument], values, ignore_missing=ignore_missing)
    if any(not user.get("id") or not user.get("userPrincipalName") for user in found):
        raise ProviderError("Bad API Response: API returned user with nil object ID or userPrincipalName")
    listed = [{**texts(user, _LISTED_TEXTS), **flags(user, same("accountEnabled"))} for user in found]
    return {
        "id": hashed("users", [user["userPrincipalName"] for user in listed], "/"),
        "ignoreMissing": ignore_missing,
        "returnAll": argument == "returnAll",
        **{plural: [user[key] for user in listed if user[key]] for plural, key in plurals.items()},
        "users": listed,
    }


def _find_all(graph: Graph, key: str, values: Any, *, ignore_missing: bool) -> list[Entity]:
    found = []
    for value in values:
        user = _find(graph, key, value, _SELECT_LISTED)
        if user is not None:
            found.append(user)
        elif not ignore_missing:
            raise ProviderError(_missing(key, value))
    return found


def _find(graph: Graph, key: str, value: str, select: str) -> Entity | None:
    member, words = _KEYS[key]
    if key == "objectId":
        return _get(graph, value, select)
    found = asked(
        f'Finding user with {words}: "{value}"',
        lambda: graph.list("/users", filter=f"{member} eq {quoted(value)}", select=select),
    )
    return only(found, "", f'More than one user found with {words}: "{value}"')


def _get(graph: Graph, object_id: str, select: str) -> Entity | None:
    try:
        user = graph.call("GET", f"/users/{object_id}", query={"$select": select})
    except GraphError as error:
        if error.status == NOT_FOUND:
            return None
        raise ProviderError(f'Retrieving user with object ID: "{object_id}": {error}') from error
    return user if isinstance(user, dict) else {}


def _missing(key: str, value: str) -> str:
    if key == "userPrincipalName":
        return f'User with UPN "{value}" was not found'
    return f'User not found with {_KEYS[key][1]}: "{value}"'
