"""Whether settings and schema of the job say what the stack file says, compared as the resources compare them.

Sources: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschema and
https://learn.microsoft.com/graph/api/synchronization-serviceprincipal-put-synchronization
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...sync_schema.calls import get_schema
from ...sync_schema.model import FILTERS, MAPPINGS, live_parts
from ...sync_schema.unusable import refusing_unusable
from ...sync_secrets.model import NOTIFICATION, SYNC_ALL, THRESHOLD, THRESHOLD_ON, from_graph, settings_for
from .finding import Finding, Look
from .in_words import filters_in_words, mapping_in_words, value_in_words

if TYPE_CHECKING:
    from ...graph.operation import Operation

AREA = "synchronization"
MEND = "run `pulumi up --refresh --diff`, which shows what it changes"
# Told in words of their own.
TOLD_ELSEWHERE = (SYNC_ALL, THRESHOLD, THRESHOLD_ON)


def told(name: str, live: str, wanted: str) -> str:
    """One thing that is not as configured, both in words."""
    return f"{name} is {live}, and the stack file says {wanted}"


def of_other_settings(look: Look, live: Mapping[str, str]) -> list[Finding]:
    """The settings that are told nowhere else; pure."""
    settings = look.settings
    wanted = settings_for(settings.target.id, settings.notify_email, settings.deletion_threshold)
    now = from_graph(wanted, live)
    pairs = [
        *((key, now.get(key), value) for key, value in wanted.items() if key != NOTIFICATION),
        *((name, (now.get(NOTIFICATION) or {}).get(name), value) for name, value in wanted[NOTIFICATION].items()),
    ]
    return [
        look.problem(AREA, f"the setting {told(key, value_in_words(live), value_in_words(value))}", MEND)
        for key, live, value in pairs
        if key not in TOLD_ELSEWHERE and live != value
    ]


def of_schema(look: Look, operation: Operation, job_id: str) -> list[Finding]:
    """Mappings, filters and flow types. Call, where some are configured: GET jobs/{id}/schema.

    Raises:
        RefusedError: the schema has no place for them.
    """
    wanted = look.settings.schema_inputs()
    if not wanted:
        return []
    schema = operation.send(get_schema(look.own, job_id))
    with refusing_unusable(operation.tenant, job_id):
        live = live_parts(schema, wanted, look.written)
    found = [look.problem(AREA, of_part(*pair), MEND) for pair in parts_that_differ(wanted, live)]
    return [*found, *(mapping_that_differs(look, *pair) for pair in mappings_that_differ(wanted, live))]


def of_part(part: str, live: Any, wanted: Any) -> str:
    """One part of the schema that is otherwise."""
    words = filters_in_words if part == FILTERS else value_in_words
    return told(part, words(live), words(wanted))


def parts_that_differ(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The parts but the mappings that are otherwise."""
    return [(part, live[part], value) for part, value in wanted.items() if part != MAPPINGS and live[part] != value]


def mappings_that_differ(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> Sequence[tuple[Any, Any]]:
    """The mappings that are otherwise."""
    pairs = zip(live.get(MAPPINGS) or (), wanted.get(MAPPINGS) or (), strict=True)
    return [(now, one) for now, one in pairs if now != one]


def mapping_that_differs(look: Look, live: Mapping[str, Any], wanted: Mapping[str, Any]) -> Finding:
    """One of them: a problem, unless the service may only have written the expression in its own way."""
    said = told(f"the mapping to {wanted['target']}", mapping_in_words(live), mapping_in_words(wanted))
    if "expression" in wanted and "expression" in live and wanted["target"] not in look.written:
        why = "the service may have written the same in its own way, which only the stack's state can tell"
        return look.warning(AREA, f"{said}; {why}", MEND)
    return look.problem(AREA, said, MEND)
