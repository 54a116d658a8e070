"""`xtsync forget --side source`: take a source that is gone out of the state, so that the target half can be destroyed.

Pulumi starts azuread's plugin for its resources in the state, and that refuses to start without a sign-in. So they have
to leave the state first, and with them all else that lives in the source. The state is Pulumi's own export and import;
a copy of it as it was is kept.
"""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..graph.errors import RefusedError
from ..guardrails.stack_facts import PREFIX
from ..partner_policy.calls import get_partner
from ..pulumi_runtime.forgotten import FORGET, refuse_while_it_answers
from ..pulumi_runtime.provider import HOME
from .files import write_private
from .recorded import exported
from .screen import Rows, refuse_to_ask_nobody
from .stack import pulumi

if TYPE_CHECKING:
    from .screen import Screen
    from .stack import Stack

AZUREAD, AZUREAD_PROVIDER = "azuread:", "pulumi:providers:azuread"
SIDE = "source"
Resource = dict[str, Any]


@dataclass(frozen=True)
class Forgotten:
    """Something that leaves the state.

    Attributes:
        name: what the program calls it.
        type: what Pulumi calls its kind.
        id: its id in the tenant.
        urn: what Pulumi calls it.
    """

    name: str
    type: str
    id: str
    urn: str


def of_tenant(resources: list[Resource], tenant: str) -> list[Forgotten]:
    """What lives in a tenant: resources of ours, and azuread's whose provider signs in there, with that provider."""
    providers = {
        one["urn"]
        for one in resources
        if one["type"] == AZUREAD_PROVIDER and (one.get("inputs") or {}).get("tenantId") == tenant
    }
    return [
        Forgotten(one["urn"].rpartition("::")[2], one["type"], str(one.get("id") or ""), one["urn"])
        for one in resources
        if one["urn"] in providers
        or (one["type"].startswith(AZUREAD) and str(one.get("provider")).rpartition("::")[0] in providers)
        or (one["type"].startswith(PREFIX) and (one.get("inputs") or {}).get(HOME) == tenant)
    ]


def without(document: dict[str, Any], urns: Collection[str]) -> dict[str, Any]:
    """The state without some resources, and without a word of them in the others."""
    deployment = dict(document["deployment"])
    deployment["resources"] = [cut(one, urns) for one in deployment["resources"] if one["urn"] not in urns]
    pending = deployment.get("pending_operations") or []
    if pending:
        deployment["pending_operations"] = [
            {**one, "resource": cut(one["resource"], urns)} for one in pending if one["resource"]["urn"] not in urns
        ]
    return {**document, "deployment": deployment}


def cut(resource: Resource, urns: Collection[str]) -> Resource:
    """A resource that depends on none of these any more."""

    def left(names: Any) -> list[str]:
        return [name for name in names or () if name not in urns]

    found = dict(resource)
    for key in ("dependencies", "replaceWith"):
        if key in found:
            found[key] = left(found[key])
    if "propertyDependencies" in found:
        found["propertyDependencies"] = {
            key: left(names) for key, names in (found["propertyDependencies"] or {}).items()
        }
    if found.get("deletedWith") in urns:
        del found["deletedWith"]
    return found


def imported(stack: Stack, document: Mapping[str, Any]) -> None:
    """Have Pulumi take a state."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.json"
        write_private(path, json.dumps(document), replace=False)
        pulumi(["stack", "import", "--stack", stack.called, "--file", str(path)], stack.location.folder)


def command(stack: Stack, screen: Screen, side: str, yes: bool, backup: Path | None) -> int:
    """Show what would be forgotten, ask, and forget it; 1 if it was declined."""
    settings = stack.settings
    if side != SIDE:
        do = f"run `{FORGET}={side} pulumi destroy --stack {shlex.quote(stack.called)}`"
        raise RefusedError("Will not take the target out of the state", "the pair can be taken apart without it", do)
    if not yes:
        refuse_to_ask_nobody("--yes")
    why = refuse_while_it_answers(stack.operation(SIDE), get_partner(settings.target.id))
    document = exported(stack)
    gone = of_tenant(document["deployment"]["resources"], settings.source.id)
    path = backup or stack.location.folder / f"xtsync-forget-{stack.name}.json"
    if not screen.as_json:
        screen.print(shown(gone))
    screen.tell(
        f"{settings.source.full_name} does not let us in: {why}.",
        f"{len(gone)} resources would leave the state of the stack {stack.name}. Nothing is changed in the tenant: "
        "what is there stays there, and people stay in the target. A copy of the state is written first.",
    )
    if gone and not (yes or screen.confirm("Forget them?")):
        screen.declined("the question was answered with no")
        return 1
    if gone:
        write_private(path, json.dumps(document, indent=4), replace=False)
        refuse_another_state(stack, document)
        imported(stack, without(document, {one.urn for one in gone}))
    if screen.as_json:
        screen.json(gone)
    name = shlex.quote(stack.called)
    screen.tell(
        *(
            [f"Forgotten. The state as it was is in {path}: `pulumi stack import --stack {name}` takes it back."]
            if gone
            else []
        ),
        f"Now run `pulumi destroy --stack {name}`, which ends the target half.",
    )
    return 0


def refuse_another_state(stack: Stack, document: Mapping[str, Any]) -> None:
    """Refuse to write over what somebody else has changed meanwhile.

    Raises:
        RefusedError: the state is another one now.
    """
    now = exported(stack)
    if without_secrets(now["deployment"]["resources"]) != without_secrets(document["deployment"]["resources"]):
        what = f"Will not change the state of the stack {stack.name}"
        raise RefusedError(what, "it has changed since it was shown", "see who else works on it, and run this again")


def without_secrets(value: Any) -> Any:
    """A part of a state without what is encrypted in it, which may be encrypted anew whenever it is exported."""
    if isinstance(value, Mapping):
        return None if "ciphertext" in value else {key: without_secrets(item) for key, item in value.items()}
    return [without_secrets(item) for item in value] if isinstance(value, list) else value


def shown(gone: list[Forgotten]) -> Rows:
    """What would be forgotten, as a table."""
    table = Rows("resource", "type", "id in the source")
    for one in gone:
        table.add(one.name, one.type.rpartition(":")[2], one.id)
    return table
