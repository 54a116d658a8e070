"""The schema of a job as Microsoft Graph has it, as far as it is read.

What is not named here is passed on as it is; a member that is not required may be missing or null. Of a collection
`value` is required: an answer without it says nothing, and must not be taken for an empty one.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschema
"""

# Not with postponed annotations: `Required` in a text is not seen.
from typing import Any, Required, TypedDict

from ..sync_job.graph_types import Failure


class MappingSource(TypedDict, total=False):
    """Where a value comes from."""

    type: str | None
    name: str | None
    expression: str | None


class AttributeMapping(TypedDict, total=False):
    """How one attribute is made."""

    targetAttributeName: str | None
    source: MappingSource | None
    flowType: str | None
    defaultValue: str | None
    matchingPriority: int | None


class Operand(TypedDict, total=False):
    """What a clause compares with."""

    values: list[Any] | None


class Clause(TypedDict, total=False):
    """A condition."""

    operatorName: str | None
    sourceOperandName: str | None
    targetOperand: Operand | None


class FilterGroup(TypedDict, total=False):
    """Conditions that have to hold together."""

    name: str | None
    clauses: list[Clause] | None


class Filter(TypedDict, total=False):
    """Who is in scope."""

    groups: list[FilterGroup] | None


class ObjectMapping(TypedDict, total=False):
    """How one kind of objects is made."""

    sourceObjectName: str | None
    targetObjectName: str | None
    enabled: bool | None
    flowTypes: str | None
    scope: Filter | None
    attributeMappings: list[AttributeMapping] | None


class Metadata(TypedDict, total=False):
    """What a rule says of itself."""

    key: str | None
    value: Any


class Rule(TypedDict, total=False):
    """What is synchronized with what."""

    id: str | None
    metadata: list[Metadata] | None
    sourceDirectoryName: str | None
    targetDirectoryName: str | None
    objectMappings: list[ObjectMapping] | None


class AttributeDefinition(TypedDict, total=False):
    """An attribute that a directory knows."""

    name: str | None


class ObjectDefinition(TypedDict, total=False):
    """A kind of objects that a directory knows."""

    name: str | None
    attributes: list[AttributeDefinition] | None


class DirectoryDefinition(TypedDict, total=False):
    """What a directory knows."""

    name: str | None
    objects: list[ObjectDefinition] | None


class Schema(TypedDict, total=False):
    """A job's rules. It is saved whole, so an answer without them must not be taken for an empty one."""

    synchronizationRules: Required[list[Rule]]
    directories: list[DirectoryDefinition] | None


class Operator(TypedDict, total=False):
    """An operator of scoping filters. Microsoft's pages give its name as `name`, the metadata as `id`."""

    name: str | None
    id: str | None


class Operators(TypedDict):
    """A page of operators."""

    value: list[Operator]


class ParsedExpression(TypedDict, total=False):
    """What Graph makes of an expression."""

    parsingSucceeded: bool | None
    parsedExpression: MappingSource | None
    error: Failure | None
