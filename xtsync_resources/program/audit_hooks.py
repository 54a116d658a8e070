"""What azuread makes, for the audit: the engine tells the program of it, with what azuread was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pulumi

from ..graph.errors import XtsyncError, lines_of
from ..pulumi_runtime import messages

if TYPE_CHECKING:
    from ..graph.call import Call
    from ..graph.client import GraphClient


Names = Mapping[str, str]


def made_by_azuread(name: str, client: GraphClient, call: Call, names: Names = MappingProxyType({})) -> list[Any]:
    """The hook after a create that records it; none where nobody asks for an audit.

    Args:
        name: of the hook; part of the state.
        client: of the source, whose audit it goes to.
        call: what azuread makes; `{id}` in its path is the service principal's.
        names: whom object ids mean.
    """
    if client.audit is None:
        return []

    def after(made: pulumi.ResourceHookArgs) -> None:
        outputs = made.new_outputs or {}
        record(client, call, made.name, made.new_inputs, str(outputs.get("applicationObjectId") or made.id), names)

    return [pulumi.ResourceHook(name, after)]


def tried_by_azuread(
    client: GraphClient, call: Call, failed: pulumi.ErrorHookArgs, names: Names = MappingProxyType({})
) -> None:
    """Record what azuread has tried and ended with an error: it may have been made all the same."""
    if failed.failed_operation != "create":
        return
    try:
        record(client, call, failed.name, failed.new_inputs, "", names)
    except XtsyncError as error:  # azuread's own error is what counts here
        messages.warn(*lines_of(error))


def record(
    client: GraphClient, call: Call, resource: str, inputs: Mapping[str, Any] | None, made: str, names: Names
) -> None:
    """Record a write of azuread, whose answer nobody but azuread knows."""
    if client.audit is None:
        return
    given = {key: value for key, value in (inputs or {}).items() if isinstance(value, str)}
    where = str(given.get("resourceObjectId") or given.get("templateId") or "")
    whom = names.get(given.get("principalObjectId", ""))
    purpose = f"{call.purpose}: {whom}" if whom else call.purpose
    said = replace(call, path=call.path.replace("{id}", where), body=given, purpose=purpose)
    write = client.audit.announce(said, resource)
    client.audit.answer(write, None, made.rpartition("/")[2])
