"""Taking this stack's part of a tenant's policies back: former values return, and what is only ours goes.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner
and https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..graph.consistency import PARTNER_DELETABLE, SHARED_OBJECT
from ..graph.errors import NOT_OFFERED, GraphError, NotFoundError
from ..graph.permissions import POLICY_READ
from ..identity_sync_policy.calls import GROUP_SYNC, delete_identity_sync, get_identity_sync, update_identity_sync
from ..pulumi_runtime.engine import WARNING, report
from . import calls
from .capabilities import Capabilities, capabilities, removal
from .model import USER_SYNC, Baseline, Json, Values, changes, foreign_settings, leaf, settings_of
from .open_doors import doors_of_partner, report_open_doors
from .write import write

if TYPE_CHECKING:
    from ..graph.operation import Operation


def restore_partner(
    operation: Operation, partner: str, written: Values, former: Values, as_created: Json | None, baseline: Baseline
) -> None:
    """Take our fields back: former values return, and an object that is only ours goes.

    Calls: GET and PATCH partners/{id}; GET identitySynchronization, GET m365Capabilities
    (Policy.Read.All) and DELETE partners/{id} (Policy.ReadWrite.CrossTenantAccess).

    Args:
        operation: where to.
        partner: the partner's tenant id.
        written: the managed fields and what we wrote into them.
        former: the managed fields and the values they had before.
        as_created: the object as we created it, {} where that answer was lost, None where it was adopted.
        baseline: what was there at first.
    """
    live = latest(operation, partner, written)
    body = changes(live or {}, former, written)
    try:
        # Written where no read has seen it, too: Graph itself says whether it is gone. Whoever else has written
        # before is seen then, and only that is a reason for deleting or not.
        after = write(operation, partner, body, live) if body else live
    except NotFoundError:
        return
    if after is None:
        return
    report_open_doors(operation.tenant, partner, doors_of_partner(former, written))
    if as_created is not None:
        others = foreign_settings(after, former, as_created)
        ours_alone = not others
    else:
        # Two stacks, one for each direction, share the object. The first one adopted nothing; the second
        # adopted what the first had set. Whichever ends last finds an object that says nothing any more.
        others = {}
        ours_alone = baseline.looks_like_opposite_direction(operation.tenant.side) and not settings_of(after)
    if ours_alone and operation.read(get_identity_sync(partner)) is None:
        remove_unless_kept(operation, partner)
    elif others and Baseline(after, None).looks_like_opposite_direction(operation.tenant.side):
        report(
            "the partner policy stays: the pair in the other direction uses it. Only our fields went back to inherit"
        )
    elif others:
        report(
            "the partner policy stays: others have added "
            f"{', '.join(sorted(others))} since it was made. Only our fields went back to inherit",
            severity=WARNING,
        )


def latest(operation: Operation, partner: str, written: Values) -> Json | None:
    """The policy, from a read that is no older than our own last write; from any read where somebody changed it since.

    Call: GET partners/{id}.
    """
    get = calls.get_partner(partner)
    live = operation.read_settled(get)
    if live is None or not changes(live, written):
        return live

    def look() -> Json | None:
        nonlocal live
        live = operation.read(get)
        return None if live is None or changes(live, written) else live

    operation.status("waiting until reads show what this stack wrote last")
    operation.look_again(SHARED_OBJECT, look)
    return live


def remove_unless_kept(operation: Operation, partner: str) -> None:
    """Delete a partner policy that says nothing, unless Microsoft 365 keeps something in it, or that cannot be seen.

    Calls: GET m365Capabilities; DELETE, GET partners/{id}.
    """
    found = capabilities(operation, partner)
    if found is Capabilities.NONE:
        delete_partner_policy(operation, partner)
        return
    why = "others have set Microsoft 365 capabilities (m365Capabilities) in it"
    if found is Capabilities.HIDDEN:
        why = (
            "others may have set Microsoft 365 capabilities (m365Capabilities) in it, which cannot be seen "
            f"(as a rule it takes {POLICY_READ}). If nobody has, {removal(operation, partner)} removes it"
        )
    report(f"the partner policy stays, emptied of ours: {why}", severity=WARNING)


def delete_partner_policy(operation: Operation, partner: str) -> None:
    """Delete a partner policy and see it gone. Calls: DELETE, GET partners/{id}."""
    if not operation.remove(calls.delete_partner(partner), PARTNER_DELETABLE):
        return
    # Deletes are answered before they are everywhere; until then a new policy would be refused. What says something is
    # not the empty one that was deleted: somebody has made another.
    operation.wait_until(
        calls.get_partner(partner),
        lambda seen: seen is None or bool(settings_of(seen)),
        "waiting for the partner policy to be gone",
    )


def restore_identity_sync(operation: Operation, partner: str, written: Json) -> None:
    """Delete an identity sync policy of ours; where others let groups in by it since, only what is ours is closed.

    Calls: unless we let groups in ourselves GET identitySynchronization (beta); DELETE, GET or PATCH it.

    Args:
        operation: in the target.
        partner: the source's tenant id.
        written: what we wrote.
    """
    if GROUP_SYNC in written or not lets_groups_in(operation, partner):
        delete_identity_sync_policy(operation, partner)
        return
    operation.send(update_identity_sync(partner, {USER_SYNC: {"isSyncAllowed": False}}))
    report(
        f"the identity sync policy stays, as others have let groups in by it ({GROUP_SYNC}) since it was made, "
        "and with it the partner policy. People are not let in any more",
        severity=WARNING,
    )


def lets_groups_in(operation: Operation, partner: str) -> bool:
    """Whether an identity sync policy lets groups in; a service that does not know that does not.

    Call: GET identitySynchronization (beta).
    """
    try:
        found = operation.read(get_identity_sync(partner, groups=True))
    except GraphError as error:
        if error.answer.status not in NOT_OFFERED:
            raise
        return False
    return leaf(found or {}, GROUP_SYNC, "isSyncAllowed") is True


def delete_identity_sync_policy(operation: Operation, partner: str) -> None:
    """Delete an identity sync policy and see it gone: the partner policy cannot go before.

    Calls: DELETE, GET partners/{id}/identitySynchronization.
    """
    if not operation.remove(delete_identity_sync(partner)):
        return
    operation.wait_until(
        get_identity_sync(partner),
        lambda seen: seen is None,
        "waiting for the identity sync policy to be gone",
    )
