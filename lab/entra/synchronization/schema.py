"""The schema a cross-tenant job starts with, and what the service wants of an edited one."""

from __future__ import annotations

from typing import Any

from lab.entra.context import new_id
from lab.entra.members import check_members
from lab.entra.synchronization.exceptions import schema_invalid

SOURCE, TARGET = "Azure Active Directory", "Azure Active Directory (target tenant)"
_MATCHING = "alternativeSecurityIds"
_USER_ATTRIBUTES = """
    accountEnabled displayName department mail givenName surname jobTitle city country companyName employeeId
    preferredLanguage state streetAddress telephoneNumber
"""


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
    attributes = [{"name": attribute, "type": "String"} for attribute in ("objectId", *_USER_ATTRIBUTES.split())]
    objects = [{"name": kind, "attributes": attributes, "metadata": []} for kind in ("User", "Group")]
    return {"id": new_id(), "name": name, "discoverabilities": "None", "version": "1", "objects": objects}


def checked_schema(body: Any, current: dict[str, Any]) -> dict[str, Any]:
    """A schema from a PUT: whole, and with the matching attribute untouched."""
    shape = {"id": str, "version": str, "directories": [object], "synchronizationRules": [object]}
    schema = check_members(body, {**shape, "provisioningTaskIdentifier": str})
    rules = schema.get("synchronizationRules")
    if not rules or not schema.get("directories"):
        raise schema_invalid("The schema must have directories and synchronization rules.")
    if _matching(schema) != _matching(current):
        raise schema_invalid("The matching attribute of the user mapping cannot be changed.")
    return schema


def object_mapping(schema: dict[str, Any], kind: str) -> dict[str, Any]:
    """The mapping of users or of groups; empty when the schema has none."""
    for rule in schema["synchronizationRules"]:
        for mapping in rule.get("objectMappings", []):
            if mapping.get("sourceObjectName") == kind:
                found: dict[str, Any] = mapping
                return found
    return {}


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
