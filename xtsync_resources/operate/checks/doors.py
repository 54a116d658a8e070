"""Who has changed what a tenant lets through, the stack file or somebody by hand, and what `up` makes of that.

The state of the last `up` tells: what it made and the stack file still says was changed by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import records
from ...graph.errors import CallError
from ...identity_sync_policy.model import permissions_of
from ...partner_policy.calls import get_policy_defaults
from ...partner_policy.model import COMPLEX_VALUES, Values, leaf, live_values, same, with_values
from ...partner_policy.open_doors import changes_of_doors
from ...pulumi_runtime.provider import HOME
from ...state import type_token
from .drift import MEND

if TYPE_CHECKING:
    from ...graph.operation import Operation
    from ...program.stack_state import Recorded
    from .finding import Look

PARTNER_POLICY, IDENTITY_SYNC_POLICY = type_token("PartnerPolicy"), type_token("IdentitySyncPolicy")


def left_by_up(state: Sequence[Recorded], tenant_id: str, partner_id: str) -> dict[str, dict[str, Any]]:
    """The members of a tenant's policies that a stack manages, as the last `up` or `refresh` has left them."""
    found: dict[str, dict[str, Any]] = {}
    for one in state:
        if (one.outputs.get(HOME), one.outputs.get("tenantId")) != (tenant_id, partner_id):
            continue
        if one.type == PARTNER_POLICY:
            # Pulumi drops nulls: which members are managed is told by their former values.
            found |= live_values(one.outputs, records.parse(one.outputs["former"]))
        elif one.type == IDENTITY_SYNC_POLICY:
            found |= live_values(one.outputs, {name: {"isSyncAllowed": None} for name in permissions_of(one.outputs)})
    return found


def as_made(known: Values, wanted: Values) -> dict[str, dict[str, Any]]:
    """What of the wanted members the last `up` has made so: where one is otherwise, somebody has changed it by hand."""
    return {
        name: {
            member: value
            for member, value in members.items()
            if member in known.get(name, {}) and same(known[name][member], value)
        }
        for name, members in wanted.items()
    }


def asked_anew(look: Look, known: Values, wanted: Values) -> dict[str, dict[str, Any]]:
    """What of the wanted members of a policy the last `up` certainly has not made: nobody can have changed it since."""
    policy_known = any(name in known for name in wanted)
    # A refresh forgets a policy that somebody has deleted; a job is made after the policies.
    if not look.state() or (not policy_known and look.outputs.get("jobId")):
        return {}
    return {
        name: {member: value for member, value in members.items() if member not in known.get(name, {})}
        for name, members in wanted.items()
    }


def in_effect(operation: Operation, live: Mapping[str, Any], members: Values) -> Mapping[str, Any]:
    """Policies with what a tenant's default says of members that are left to it.

    Call: GET default (Policy.Read.All or Policy.ReadWrite.CrossTenantAccess), where some are.
    """
    left = {
        name: [member for member in wanted if leaf(live, name, member) is None]
        for name, wanted in members.items()
        if name in COMPLEX_VALUES
    }
    if not any(left.values()):
        return live
    try:
        defaults: Mapping[str, Any] = operation.send(get_policy_defaults())
    except CallError:  # who reads on takes what is not known for what may be opened
        return live
    return with_values(live, {name: {one: leaf(defaults, name, one) for one in found} for name, found in left.items()})


def mend(look: Look, operation: Operation, live: Mapping[str, Any], wanted: Values, remedy: str = MEND) -> str:
    """What to do where a policy is not as the stack file says, and whom to ask before anything is opened again.

    Call: that of `in_effect`.
    """
    known = left_by_up(look.state(), look.tenant.id, look.partner.id)
    now = in_effect(operation, live, wanted)
    opens, closes = changes_of_doors(now, wanted)
    made = as_made(known, wanted)
    reopens, closes_again = changes_of_doors(now, made)
    if opens:  # it may also close what the tenant's default lets through, which cannot be seen
        closes = changes_of_doors(now, seen(now, wanted))[1]
    steps = [remedy]
    if closes:
        beyond = "what somebody has opened by hand" if closes_again else "what goes beyond the stack file"
        steps.append(f"closes {beyond}")
    if opens:
        what = "the rest" if closes else "that"
        if len(reopens) == len(opens) and seen(now, made) == made:
            what += f" again; ask in {look.tenant.name} before who has closed it and why"
        elif len(changes_of_doors(now, asked_anew(look, known, wanted))[0]) < len(opens):
            what += f"; where somebody has closed it by hand, ask in {look.tenant.name} before why"
        steps.append(f"opens {what}")
    return ", and ".join(steps)


def seen(now: Mapping[str, Any], members: Values) -> dict[str, dict[str, Any]]:
    """Members of policies of which it is known what is in effect."""
    return {
        name: {
            one: value for one, value in found.items() if name not in COMPLEX_VALUES or leaf(now, name, one) is not None
        }
        for name, found in members.items()
    }
