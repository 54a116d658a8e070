"""Reading a job's schema and sending it back changed; the rest of it stays as it was.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-update
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..graph.consistency import JOB_APPEARS
from ..graph.errors import NOT_OFFERED, GraphError
from ..pulumi_runtime.provider import Properties
from . import calls
from .document import Json, UnusableSchemaError, documented, unlike
from .unusable import refusing_unusable

if TYPE_CHECKING:
    from ..graph.operation import Operation


def change(
    operation: Operation, properties: Properties, make: Callable[[Json], dict[str, Any]], *, first: bool = False
) -> Json | None:
    """Read the schema, and send it back as `make` has it; gives it as read.

    Calls: GET and PUT jobs/{id}/schema (Application.ReadWrite.OwnedBy); None where the job is gone.

    Args:
        operation: in the source.
        properties: of the resource.
        make: the schema to send, from the one that was read.
        first: whether this stack changes it for the first time. Then the job may be too new to be everywhere, and a
            read that says that nothing is to be done is not older than our own last write.
    """
    service_principal, job = properties["servicePrincipalId"], properties["jobId"]
    get = calls.get_schema(service_principal, job)
    schema = operation.send(get, JOB_APPEARS) if first else operation.read_settled(get)
    if schema is None:
        return None
    schema = with_directories(operation, properties, schema)
    with refusing_unusable(operation.tenant, job):
        made = make(schema)
        if not made.get("directories"):
            raise UnusableSchemaError("Graph's answer leaves out the directories, and what is not sent back is deleted")
    if not first or unlike(schema, made):
        operation.send(calls.put_schema(service_principal, job, documented(made)), JOB_APPEARS)
    return schema


def with_directories(operation: Operation, properties: Properties, schema: Json) -> Json:
    """A schema with its directories, which Graph may leave out; as it is where it does not give them at all.

    Call, where they are left out: GET jobs/{id}/schema?$expand=directories.
    """
    if schema.get("directories"):
        return schema
    expanded = calls.get_schema(properties["servicePrincipalId"], properties["jobId"], expand=True)
    try:
        return operation.read(expanded) or schema
    except GraphError as error:
        if error.answer.status not in NOT_OFFERED:
            raise
        return schema
