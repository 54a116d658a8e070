"""What azuread makes, for the audit: the engine tells the program of it, with what azuread was given."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    from ..graph.call import Call
    from ..graph.client import GraphClient


def made_by_azuread(name: str, client: GraphClient, call: Call) -> list[Any]:
    """The hook after a create that records it; none where nobody asks for an audit.

    Args:
        name: of the hook; part of the state.
        client: of the source, whose audit it goes to.
        call: what azuread makes; `{id}` in its path is the service principal's.
    """
    audit = client.audit
    if audit is None:
        return []

    def after(made: pulumi.ResourceHookArgs) -> None:
        given = {key: value for key, value in (made.new_inputs or {}).items() if isinstance(value, str)}
        about = {"run": f"pulumi, process {os.getppid()}", "stack": pulumi.get_stack(), "resource": made.name}
        outputs = made.new_outputs or {}
        where = str(given.get("resourceObjectId") or given.get("templateId") or "")
        written = replace(call, path=call.path.replace("{id}", where), body=given)
        document = {"id": str(outputs.get("applicationObjectId") or made.id)}
        audit.record(written, None, {}, document, about)

    return [pulumi.ResourceHook(name, after)]
