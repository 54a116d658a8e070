"""What Graph says of parts of a schema before they are saved: expressions parsed, operators spelled.

These are helpers for authors. Where one is not offered or does not answer, the check is saving the schema.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschema
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..graph.errors import CallError, GraphError, RefusedError
from ..graph.nested import unwrapped
from . import calls
from .document import Json, find, without_annotations
from .model import FILTERS, MAPPINGS, plain_operator, same_source

if TYPE_CHECKING:
    from ..graph.call import Call
    from ..graph.operation import Operation
    from ..pulumi_runtime.provider import Properties

# How long a helper may take: the rest of the time is for the schema itself.
SECONDS = 20.0
REFUSAL = 400
# Not `parseExpression`, which is what a service calls that does not have it.
ABOUT_IT = re.compile(r"\bexpression\b|\bParsingError\b", re.IGNORECASE)
# Microsoft's pages agree on the names of all operators but these, which the service is asked for.
ASK_FOR = ("Greater_Than", "Greater_Than_OR_EQUALS", "Includes", "ENDS_WITH")


def asked(operation: Operation, call: Call) -> Json | CallError:
    """What a helper answers, or why it does not."""
    part = operation.client.operation(min(SECONDS, max(operation.remaining, 0)), operation.status)
    try:
        return part.send(call)
    except CallError as error:
        return error


def is_verdict(error: CallError, expression: str) -> bool:
    """Whether a refusal is about the expression: 400 is answered for much else, also where there is no such helper."""
    if not isinstance(error, GraphError) or error.answer.status != REFUSAL:
        return False
    said = [error.answer.code, error.answer.message, *error.answer.details]
    return any(ABOUT_IT.search(text) or expression in text for text in said)


def parsed_sources(operation: Operation, properties: Properties, users: Json) -> dict[str, Json]:
    """Graph's own form of the expressions that are new, by target. Call: POST schema/parseExpression, for each.

    Raises:
        RefusedError: Graph cannot parse one.
    """
    found = {}
    for one in properties.get(MAPPINGS) or ():
        live = find(users, one["target"])
        if "expression" not in one or (live is not None and same_source(live.get("source") or {}, one)):
            continue
        call = calls.parse_expression(properties["servicePrincipalId"], properties["jobId"], one["expression"])
        answer = asked(operation, call)
        if isinstance(answer, CallError):
            if is_verdict(answer, one["expression"]):
                raise unparsed(operation, one, answer.why)
            continue
        if answer.get("parsingSucceeded") is False:
            why = unwrapped((answer.get("error") or {}).get("message") or "it gives no reason")
            raise unparsed(operation, one, why)
        if isinstance(answer.get("parsedExpression"), Mapping):
            found[one["target"]] = without_annotations(answer["parsedExpression"])
    return found


def unparsed(operation: Operation, mapping: Json, why: str) -> RefusedError:
    """The refusal to save an expression that Graph cannot parse."""
    return RefusedError(
        f"Graph cannot parse the expression for {mapping['target']} in {operation.tenant}",
        f"{why}: {mapping['expression']}",
        "correct it in xtsync:attributeMappings; nothing of the schema was changed",
    )


def expressions(sources: Mapping[str, Json]) -> dict[str, str]:
    """Expressions in the service's own writing, by target."""
    return {target: str(source.get("expression") or "") for target, source in sources.items()}


def spelled_operators(operation: Operation, properties: Properties) -> dict[str, str]:
    """How the service spells the operators whose names are not sure. Call, for those: GET schema/filterOperators.

    Raises:
        RefusedError: it does not have one.
    """
    used = {clause["operator"] for group in properties.get(FILTERS) or () for clause in group["clauses"]}
    unsure = sorted(used.intersection(ASK_FOR))
    if not unsure:
        return {}
    answer = asked(operation, calls.filter_operators(properties["servicePrincipalId"], properties["jobId"]))
    if isinstance(answer, CallError):
        return {}
    named = (one.get("name") or one.get("id") for one in answer.get("value") or ())
    names = [name for name in named if name]
    spelled = {plain_operator(name): name for name in names}
    missing = [name for name in unsure if plain_operator(name) not in spelled]
    if missing:
        raise RefusedError(
            f"Cannot filter by {', '.join(missing)} in {operation.tenant}",
            f"the synchronization service offers only {', '.join(sorted(names)) or 'nothing'}",
            "use another operator in xtsync:scopingFilters; nothing of the schema was changed",
        )
    return spelled
