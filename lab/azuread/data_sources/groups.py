"""Groups, which azuread reads from beta."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.azuread.data_sources.lookup import asked, exactly_one, flags, hashed, lists, only, same, texts
from lab.azuread.exceptions import ProviderError
from lab.azuread.graph import Entity, Graph, quoted
from lab.azuread.values import Properties

_VERSION = "beta"
_TEXTS = {
    **same("description displayName mail mailNickname preferredLanguage theme visibility"),
    "objectId": "id",
    "onpremisesDomainName": "onPremisesDomainName",
    "onpremisesNetbiosName": "onPremisesNetBiosName",
    "onpremisesSamAccountName": "onPremisesSamAccountName",
    "onpremisesSecurityIdentifier": "onPremisesSecurityIdentifier",
}
_FLAGS = {
    **same("mailEnabled securityEnabled"),
    "assignableToRole": "isAssignableToRole",
    "onpremisesSyncEnabled": "onPremisesSyncEnabled",
}
_LISTS = {
    **same("proxyAddresses"),
    "behaviors": "resourceBehaviorOptions",
    "provisioningOptions": "resourceProvisioningOptions",
    "types": "groupTypes",
}
_UNIFIED = {
    "autoSubscribeNewMembers": "autoSubscribeNewMembers",
    "externalSendersAllowed": "allowExternalSenders",
    "hideFromAddressLists": "hideFromAddressLists",
    "hideFromOutlookClients": "hideFromOutlookClients",
}


def get_group(graph: Graph, arguments: Properties) -> Properties:
    """One group with its members and owners."""
    key, value = exactly_one(arguments, "displayName", "mailNickname", "objectId")
    found = _get(graph, value, arguments) if key == "objectId" else _named(graph, key, value, arguments)
    object_id = found.get("id")
    if not object_id:
        raise ProviderError("Bad API Response: API returned group with nil object ID")
    transitive = bool(arguments.get("includeTransitiveMembers"))
    writeback = found.get("writebackConfiguration") or {}
    return {
        "id": f"/groups/{object_id}",
        **texts(found, _TEXTS),
        **flags(found, _FLAGS),
        **lists(found, _LISTS),
        **flags(_unified(graph, found), _UNIFIED),
        "dynamicMemberships": _dynamic_memberships(found),
        "includeTransitiveMembers": transitive,
        "members": _ids(graph, object_id, "transitiveMembers" if transitive else "members"),
        "onpremisesGroupType": writeback.get("onPremisesGroupType") or "",
        "owners": _ids(graph, object_id, "owners"),
        "writebackEnabled": bool(writeback.get("isEnabled")),
    }


def _named(graph: Graph, key: str, name: str, arguments: Mapping[str, Any]) -> Entity:
    conditions = " and ".join([f"{key} eq {quoted(name)}", *_conditions(arguments)])
    groups = asked(f"Retrieving groups for filter ({conditions})", lambda: _list(graph, conditions))
    group = only(
        groups,
        f"No group found matching specified filter ({conditions})",
        f"More than one group found matching specified filter ({conditions})",
    )
    assert group is not None
    return group


def _get(graph: Graph, object_id: str, arguments: Mapping[str, Any]) -> Entity:
    group = _found(graph, object_id)
    for name in ("mailEnabled", "securityEnabled"):
        wanted = arguments.get(name)
        if wanted is not None and bool(group.get(name)) != wanted:
            setting = "mail_enabled" if name == "mailEnabled" else "security_enabled"
            raise ProviderError(
                f'Group with object ID "{object_id}" does not have the specified {setting} setting '
                f"(expected: {_go(wanted)}, actual: {_go(bool(group.get(name)))})"
            )
    return group


def _found(graph: Graph, object_id: str) -> Entity:
    words = f'Retrieving group with object ID: "{object_id}"'
    group = asked(words, lambda: graph.find(f"/groups/{object_id}", version=_VERSION))
    if group is None:
        raise ProviderError(f'No group found with object ID: "{object_id}"')
    return group


def _conditions(arguments: Mapping[str, Any]) -> list[str]:
    names = ("mailEnabled", "securityEnabled")
    return [f"{name} eq {_go(arguments[name])}" for name in names if arguments.get(name) is not None]


def _go(value: bool) -> str:
    return "true" if value else "false"


def _list(graph: Graph, conditions: str) -> list[Entity]:
    query = {"filter": conditions} if conditions else {}
    return graph.list("/groups", version=_VERSION, **query)


def _ids(graph: Graph, object_id: str, relation: str) -> list[str]:
    what = "members" if relation == "members" else relation.replace("transitiveMembers", "transitive members")
    words = f'Could not retrieve group {what} for group with object ID: "{object_id}"'
    found = asked(words, lambda: graph.list(f"/groups/{object_id}/{relation}", version=_VERSION))
    return [str(one["id"]) for one in found]


def _unified(graph: Graph, group: Entity) -> Mapping[str, Any]:
    """What Graph tells of Microsoft 365 groups only when asked for it."""
    if "Unified" not in (group.get("groupTypes") or []):
        return {}
    select = ",".join(_UNIFIED.values())
    words = f'Could not retrieve group with object ID "{group["id"]}"'
    path, query = f"/groups/{group['id']}", {"$select": select}
    return asked(words, lambda: graph.call("GET", path, query=query, version=_VERSION)) or {}


def _dynamic_memberships(group: Entity) -> list[Properties]:
    rule = group.get("membershipRule")
    if rule is None:
        return []
    return [{"enabled": group.get("membershipRuleProcessingState") != "Paused", "rule": rule}]


def get_groups(graph: Graph, arguments: Properties) -> Properties:
    """Several groups, with one GET for each."""
    names = ("displayNames", "objectIds", "displayNamePrefix", "returnAll")
    argument, value = exactly_one(arguments, *names)
    found = _several(graph, argument, value, arguments)
    listed = [
        {**texts(group, {"displayName": "displayName", "objectId": "id"}), **flags(group, _FLAGS)} for group in found
    ]
    groups = [
        {name: group[name] for name in ("displayName", "mailEnabled", "objectId", "securityEnabled")}
        for group in listed
    ]
    return {
        "id": hashed("groups", [group["displayName"] for group in groups], "-"),
        "displayNamePrefix": value if argument == "displayNamePrefix" else "",
        "displayNames": [group["displayName"] for group in groups],
        "groups": groups,
        "ignoreMissing": bool(arguments.get("ignoreMissing")),
        "mailEnabled": bool(arguments.get("mailEnabled")),
        "objectIds": [group["objectId"] for group in groups],
        "returnAll": argument == "returnAll",
        "securityEnabled": bool(arguments.get("securityEnabled")),
    }


def _several(graph: Graph, argument: str, value: Any, arguments: Mapping[str, Any]) -> list[Entity]:
    conditions = _conditions(arguments)
    ignore_missing = bool(arguments.get("ignoreMissing"))
    if argument == "returnAll":
        found = asked("Could not retrieve groups", lambda: _list(graph, " and ".join(conditions)))
        return _any(found, "No groups found")
    if argument == "displayNamePrefix":
        words = f'No groups found with display name prefix: "{value}"'
        prefix = f"startswith(displayName,{quoted(value)})"
        return _any(asked(words, lambda: _list(graph, " and ".join([*conditions, prefix]))), words)
    one = _by_name if argument == "displayNames" else _by_id
    groups = (one(graph, key, conditions, ignore_missing=ignore_missing) for key in value)
    return [group for group in groups if group is not None]


def _any(found: list[Entity], none: str) -> list[Entity]:
    if not found:
        raise ProviderError(none)
    return found


def _by_name(graph: Graph, name: str, conditions: list[str], *, ignore_missing: bool) -> Entity | None:
    none = f'No group found with display name: "{name}"'
    filtered = " and ".join([*conditions, f"displayName eq {quoted(name)}"])
    found = asked(none, lambda: _list(graph, filtered))
    return only(found, "" if ignore_missing else none, f'More than one group found with display name: "{name}"')


def _by_id(graph: Graph, object_id: str, _conditions: list[str], *, ignore_missing: bool) -> Entity | None:
    words = f'Retrieving group with object ID: "{object_id}"'
    group = asked(words, lambda: graph.find(f"/groups/{object_id}", version=_VERSION))
    if group is None and not ignore_missing:
        raise ProviderError(f'No group found with object ID: "{object_id}"')
    return group
