"""The calls for the job's schema.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschema
"""

from __future__ import annotations

from ..graph.call import Body, Call, segment
from ..service_principal.calls import synchronization_call
from .graph_types import Operators, ParsedExpression, Schema


def get_schema(service_principal: str, job: str, *, expand: bool = False) -> Call:
    """Read a job's rules, mappings and scoping filters; `expand` asks for the directories, which may be left out."""
    path = f"jobs/{segment(job)}/schema{'?$expand=directories' if expand else ''}"
    return synchronization_call("GET", service_principal, path, f"read the schema of the job {job}", answer=Schema)


def get_template_schema(service_principal: str, template: str) -> Call:
    """Read the schema that jobs of a template start with.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-get
    """
    path = f"templates/{segment(template)}/schema"
    purpose = f"read the schema of the template {template}"
    return synchronization_call("GET", service_principal, path, purpose, answer=Schema)


def put_schema(service_principal: str, job: str, schema: Body) -> Call:
    """Replace a job's schema, whole: what is left out is deleted. PATCH does not exist.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-update
    """
    path = f"jobs/{segment(job)}/schema"
    return synchronization_call("PUT", service_principal, path, f"save the schema of the job {job}", schema)


def filter_operators(service_principal: str, job: str) -> Call:
    """List the operators of scoping filters, as the service spells them.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-filteroperators
    """
    path = f"jobs/{segment(job)}/schema/filterOperators"
    purpose = f"list the filter operators of the job {job}"
    return synchronization_call("GET", service_principal, path, purpose, answer=Operators)


def parse_expression(service_principal: str, job: str, expression: str) -> Call:
    """Have Graph parse an expression of a mapping; changes nothing.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-parseexpression
    """
    path = f"jobs/{segment(job)}/schema/parseExpression"
    body = {"expression": expression}
    purpose = f"check the expression {expression}"
    return synchronization_call("POST", service_principal, path, purpose, body, answer=ParsedExpression, read_only=True)
