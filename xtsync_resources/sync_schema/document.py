"""The schema of a job as a document: where its parts are, and what of it is sent back.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschema
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]


class UnusableSchemaError(Exception):
    """The schema lacks what is to be changed, or what is to be changed may not be.

    Args:
        why: what is the matter.
        do: what to do about it.
    """

    def __init__(
        self, why: str, do: str = "see the job's mappings in the portal; or drop the keys of the schema"
    ) -> None:
        super().__init__(why)
        self.do = do


# --- where the parts are -----------------------------------------------------------------------------------


def mappings_of(schema: Json, kind: str) -> Iterator[tuple[Json, dict[str, Any]]]:
    """Rules and their mappings of one kind of objects, whatever the case in which that is written."""
    for rule in schema.get("synchronizationRules") or ():
        for mapping in rule.get("objectMappings") or ():
            names = (mapping.get("sourceObjectName"), mapping.get("targetObjectName"))
            if all(str(name).lower() == kind.lower() for name in names):
                yield rule, mapping


def rule_and_mapping(schema: Json, kind: str) -> tuple[Json, dict[str, Any]]:
    """The mapping of users or of groups, as it stands in the schema, and its rule.

    Of several it is the one that is turned on. Where that does not tell, none may be taken: what was written into one
    would be put back into another once somebody has turned them round.

    Raises:
        UnusableSchemaError: there is none, or it cannot be told which one counts.
    """
    found = list(mappings_of(schema, kind))
    if not found:
        raise UnusableSchemaError(f"the job's schema maps no objects of the kind {kind}")
    on = found if len(found) == 1 else [one for one in found if one[1].get("enabled") is not False]
    if len(on) != 1:
        count = f"{len(found)} times, and {len(on) or 'none'} of these mappings are on"
        why = f"the job's schema maps objects of the kind {kind} {count}"
        raise UnusableSchemaError(why, "leave one of them turned on in the portal; or drop the keys of the schema")
    return on[0]


def object_mapping(schema: Json, kind: str) -> dict[str, Any]:
    """The mapping of users or of groups; see `rule_and_mapping`."""
    return rule_and_mapping(schema, kind)[1]


def named_mappings(users: Json) -> dict[str, Json]:
    """The mappings of attributes by target, the first where there are several; those without a target are not ours."""
    found: dict[str, Json] = {}
    for one in users.get("attributeMappings") or ():
        if one.get("targetAttributeName"):
            found.setdefault(one["targetAttributeName"], one)
    return found


def find(users: Json, target: str) -> dict[str, Any] | None:
    """The mapping to an attribute, if there is one."""
    found = (one for one in users.get("attributeMappings") or () if is_to(one, target))
    return next(found, None)


def is_to(mapping: Json, target: str) -> bool:
    """Whether it is the mapping to an attribute, in whatever case people write that."""
    return str(mapping.get("targetAttributeName") or "").lower() == target.lower()


# --- what is sent back -------------------------------------------------------------------------------------


def members(plain: str, **objects: str) -> dict[str, str]:
    """Members of a type: those that are taken as they are, and those that are objects, or lists of them, of a type."""
    return {**dict.fromkeys(plain.split(), ""), **objects}


# What Microsoft documents, by type. The rest is the service's: it adds it again, and may refuse it.
DOCUMENTED: Mapping[str, Mapping[str, str]] = {
    "schema": members("", directories="directory", synchronizationRules="rule"),
    "directory": members("discoverabilities discoveryDateTime id name readOnly version", objects="object"),
    "object": members("name supportedApis", attributes="attribute", metadata="pair"),
    "attribute": members(
        "anchor caseExact defaultValue flowNullValues multivalued mutability name required type",
        apiExpressions="pair",
        metadata="pair",
        referencedObjects="reference",
    ),
    "rule": members(
        "editable id name priority sourceDirectoryName targetDirectoryName",
        containerFilter="containers",
        groupFilter="groups",
        metadata="pair",
        objectMappings="mapping",
    ),
    "mapping": members(
        "enabled flowTypes name sourceObjectName targetObjectName",
        attributeMappings="attributeMapping",
        metadata="pair",
        scope="filter",
    ),
    "attributeMapping": members(
        "defaultValue exportMissingReferences flowBehavior flowType matchingPriority targetAttributeName",
        source="source",
    ),
    "source": members("expression name type", parameters="parameter"),
    "parameter": members("key", value="source"),
    "filter": members("", categoryFilterGroups="group", groups="group", inputFilterGroups="group"),
    "group": members("name", clauses="clause"),
    "clause": members("operatorName sourceOperandName", targetOperand="operand"),
    "operand": members("values"),
    "pair": members("key value"),
    "reference": members("referencedObjectName referencedProperty"),
    "containers": members("includedContainers"),
    "groups": members("includedGroups"),
}


def documented(value: Any, kind: str = "schema") -> Any:
    """A schema, or a part of it, with its documented members only: never its own `id`, nor what the service adds."""
    if isinstance(value, list):
        return [documented(part, kind) for part in value]
    if not isinstance(value, Mapping) or not kind:
        return without_annotations(value)
    known = DOCUMENTED[kind]
    return {name: documented(part, known[name]) for name, part in value.items() if name in known}


def without_annotations(value: Any) -> Any:
    """A JSON value without annotations (of OData, of Graph), at any depth."""
    if isinstance(value, Mapping):
        return {name: without_annotations(part) for name, part in value.items() if "@" not in name}
    return [without_annotations(part) for part in value] if isinstance(value, list) else value


def unlike(schema: Json, made: Json) -> bool:
    """Whether a made schema says something else than the one it was made from."""
    return bool(documented(schema) != documented(made))
