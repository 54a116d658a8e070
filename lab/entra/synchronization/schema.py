"""The schema a cross-tenant job starts with, and what the service wants of an edited one."""

from __future__ import annotations

import copy
from typing import Any

from lab.entra.context import new_id
from lab.entra.members import check_members
from lab.entra.settings import Settings
from lab.entra.synchronization.exceptions import schema_invalid

SOURCE, TARGET = "Azure Active Directory", "Azure Active Directory (target tenant)"
_MATCHING = "alternativeSecurityIds"
_USER_ATTRIBUTES = """
    accountEnabled displayName department mail givenName surname jobTitle city country companyName employeeId
    preferredLanguage state streetAddress telephoneNumber
"""
# What the directories know besides; nothing maps it in the template.
_MORE_ATTRIBUTES = """
    objectId userPrincipalName userType alternativeSecurityIds showInAddressList members employeeType mailNickname
    manager mobile physicalDeliveryOfficeName postalCode usageLocation appRoleAssignments
"""
_UNARY = ("IS FALSE", "IS NOT NULL", "IS NULL", "IS TRUE")


def _attribute_mapping(target: str, kind: str, expression: str, **more: Any) -> dict[str, Any]:
    return {
        "defaultValue": "",
        "exportMissingReferences": False,
        "flowBehavior": "FlowWhenChanged",
        "flowType": more.get("flow_type", "Always"),
        "matchingPriority": more.get("matching_priority", 0),
        "targetAttributeName": target,
        "source": {
            "expression": expression,
            "name": more.get("name", target),
            "parameters": [],
            "type": kind,
        },
    }


def _object_mapping(name: str, source: str, target: str, mappings: list[Any], *, enabled: bool) -> dict[str, Any]:
    return {
        "enabled": enabled,
        "flowTypes": "Add, Update, Delete",
        "metadata": [],
        "name": name,
        "scope": {"groups": [], "inputFilterGroups": [], "categoryFilterGroups": []},
        "sourceObjectName": source,
        "targetObjectName": target,
        "attributeMappings": mappings,
    }


def template_schema() -> dict[str, Any]:
    """A fresh copy of the template's schema."""
    users = [
        _attribute_mapping(_MATCHING, "Function", "AltSecIdFromNetId([netId])", matching_priority=1),
        _attribute_mapping("userPrincipalName", "Attribute", "[userPrincipalName]"),
        *(_attribute_mapping(name, "Attribute", f"[{name}]") for name in _USER_ATTRIBUTES.split()),
        _attribute_mapping("userType", "Constant", "Member", name="Member", flow_type="ObjectAddOnly"),
        _attribute_mapping("showInAddressList", "Constant", "true", name="true"),
    ]
    groups = [
        _attribute_mapping("displayName", "Attribute", "[displayName]", matching_priority=1),
        _attribute_mapping("members", "Attribute", "[members]"),
    ]
    rule = {
        "containerFilter": {"includedContainers": []},
        "editable": True,
        "groupFilter": {"includedGroups": []},
        "id": new_id(),
        "metadata": [{"key": "supportsProvisionOnDemand", "value": "True"}],
        "name": "USER_INBOUND_USER",
        "priority": 1,
        "sourceDirectoryName": SOURCE,
        "targetDirectoryName": TARGET,
        "objectMappings": [
            _object_mapping("Provision Azure Active Directory Users", "User", "User", users, enabled=True),
            _object_mapping("Provision Microsoft Entra ID Groups", "Group", "Group", groups, enabled=False),
        ],
    }
    return {
        "id": f"Azure2Azure.{new_id()}",
        "version": "1",
        "directories": [_directory(SOURCE), _directory(TARGET)],
        "synchronizationRules": [rule],
    }


def _directory(name: str) -> dict[str, Any]:
    attributes = [{"name": name, "type": "String"} for name in f"{_USER_ATTRIBUTES} {_MORE_ATTRIBUTES}".split()]
    objects = [{"name": kind, "attributes": attributes, "metadata": []} for kind in ("User", "Group")]
    return {"id": new_id(), "name": name, "discoverabilities": "None", "version": "1", "objects": objects}


def shown_schema(schema: dict[str, Any], settings: Settings, *, expanded: bool) -> dict[str, Any]:
    """A schema as GET gives it."""
    shown = copy.deepcopy(schema)
    if settings.schema_directories == "never" or (settings.schema_directories == "expanded" and not expanded):
        del shown["directories"]
    for rule in shown["synchronizationRules"]:
        for mapping in rule["objectMappings"]:
            for group in (mapping.get("scope") or {}).get("groups") or []:
                for clause in group["clauses"]:
                    if settings.unary_operands == "blank" and clause["operatorName"] in _UNARY:
                        clause["targetOperand"] = {"values": [""]}
            if settings.schema_additions:
                mapping["changeId"] = new_id()
        if settings.schema_additions:
            rule["lastEdited"] = "0001-01-01T00:00:00Z"
    return {**shown, "provisioningTaskIdentifier": new_id()} if settings.schema_additions else shown


_METADATA = [{"key": str, "value": str}]
_INNER_SOURCE = {"expression": str, "name": str, "type": str, "parameters": [object]}
_SOURCE = {**_INNER_SOURCE, "parameters": [{"key": str, "value": _INNER_SOURCE}]}
_CLAUSE = {"operatorName": str, "sourceOperandName": str, "targetOperand": {"values": [str]}}
_GROUPS = [{"name": str, "clauses": [_CLAUSE]}]
_ATTRIBUTE_MAPPING = {
    "defaultValue": str,
    "exportMissingReferences": bool,
    "flowBehavior": ("FlowWhenChanged", "FlowAlways"),
    "flowType": ("Always", "ObjectAddOnly", "MultiValueAddOnly", "ValueAddOnly", "AttributeAddOnly"),
    "matchingPriority": int,
    "targetAttributeName": str,
    "source": _SOURCE,
}
_MAPPING = {
    "enabled": bool,
    "flowTypes": str,
    "metadata": _METADATA,
    "name": str,
    "scope": {"groups": _GROUPS, "inputFilterGroups": _GROUPS, "categoryFilterGroups": _GROUPS},
    "sourceObjectName": str,
    "targetObjectName": str,
    "attributeMappings": [_ATTRIBUTE_MAPPING],
}
_RULE = {
    "containerFilter": {"includedContainers": [str]},
    "editable": bool,
    "groupFilter": {"includedGroups": [str]},
    "id": str,
    "metadata": _METADATA,
    "name": str,
    "priority": int,
    "sourceDirectoryName": str,
    "targetDirectoryName": str,
    "objectMappings": [_MAPPING],
}
_ATTRIBUTE = dict.fromkeys(("anchor", "caseExact", "multivalued", "required"), bool) | dict.fromkeys(
    ("name", "type", "defaultValue", "flowNullValues", "mutability", "apiExpressions", "metadata", "referencedObjects"),
    object,
)
_DIRECTORY = {
    "id": str,
    "name": str,
    "discoverabilities": str,
    "discoveryDateTime": str,
    "readOnly": bool,
    "version": str,
    "objects": [{"name": str, "attributes": [_ATTRIBUTE], "metadata": _METADATA, "supportedApis": [str]}],
}
_SCHEMA = {"directories": [_DIRECTORY], "synchronizationRules": [_RULE]}


def checked_schema(body: Any, current: dict[str, Any]) -> dict[str, Any]:
    """A schema from a PUT: whole, and with the matching attribute untouched; `id` and `version` are the service's."""
    schema = check_members(body, _SCHEMA)
    rules = schema.get("synchronizationRules")
    if not rules or not schema.get("directories"):
        raise schema_invalid("The schema must have directories and synchronization rules.")
    if _matching(schema) != _matching(current):
        raise schema_invalid("The matching attribute of the user mapping cannot be changed.")
    return {**schema, "id": current["id"], "version": str(int(current["version"]) + 1)}


def object_mapping(schema: dict[str, Any], kind: str) -> dict[str, Any]:
    """The mapping of users or of groups, one that is turned on before others; empty when the schema has none."""
    found: list[dict[str, Any]] = [
        mapping
        for rule in schema["synchronizationRules"]
        for mapping in rule.get("objectMappings", [])
        if str(mapping.get("sourceObjectName")).lower() == kind.lower()
    ]
    return next((one for one in found if one.get("enabled")), found[0] if found else {})


def _matching(schema: dict[str, Any]) -> list[tuple[str, str]]:
    mappings = object_mapping(schema, "User").get("attributeMappings", [])
    return [
        (one.get("targetAttributeName", ""), (one.get("source") or {}).get("expression", ""))
        for one in mappings
        if one.get("matchingPriority")
    ]


def constant_user_type(schema: dict[str, Any]) -> tuple[str, bool]:
    """The user type new people get, and whether it is put on existing ones too."""
    for mapping in object_mapping(schema, "User").get("attributeMappings", []):
        if mapping.get("targetAttributeName") == "userType":
            value = str((mapping.get("source") or {}).get("expression", "Member")).strip('"')
            return value or "Member", mapping.get("flowType") == "Always"
    return "Member", False
