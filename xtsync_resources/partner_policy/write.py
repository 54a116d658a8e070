"""Writing a partner policy that others write too, while reads may be older than the last write.

Only our own members are written. Graph does not say whether it merges a complex value or replaces it, and a read may be
older than a write of somebody else. So after a write the policy is read until what was written is seen: such a read is
older than nothing that was written before. What others had set and is missing then is put back if it went by our write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..graph.consistency import PARTNER_APPEARS, SHARED_OBJECT, Propagation
from ..graph.errors import ConflictError, GraphError, NotFoundError
from ..pulumi_runtime.engine import WARNING, report
from . import calls
from .model import CONSENT, Json, Values, changes, leaf, lost, members_of_others, what_is_said, with_values

if TYPE_CHECKING:
    from ..graph.operation import Operation


def write(operation: Operation, partner: str, body: Values, live: Json | None, *propagation: Propagation) -> Json:
    """Write our members, and see that nothing of others is lost by it.

    Calls: PATCH and GET partners/{id} (Policy.ReadWrite.CrossTenantAccess).

    Args:
        operation: where to.
        partner: the partner's tenant id.
        body: our members, by complex value.
        live: the policy as read before; None where no read has seen it.
        propagation: answers to the write that mean "not there yet".

    Returns:
        The policy as it is with what was written.

    Raises:
        NotFoundError: there is no such policy.
    """
    operation.send(calls.update_partner(partner, body), *propagation)
    others = members_of_others(live or {}, body)
    after = until_seen(operation, partner, body, others)
    gone = lost(others, after)
    if gone and went_by_our_write(operation, partner, body, gone):
        whole = with_values(body, gone)
        operation.send(calls.update_partner(partner, whole))
        after = until_seen(operation, partner, whole, {})
    empty = [name for name in body if name != CONSENT and after.get(name) is not None and is_empty(after, name)]
    if empty:  # null is how Graph shows what nobody has touched
        operation.send(calls.update_partner(partner, dict.fromkeys(empty)))
    return after


def is_empty(partner: Json, name: str) -> bool:
    """Whether a complex value has no member that says anything, false included."""
    members = partner.get(name) or {}
    return what_is_said(members, members) is None


def until_seen(operation: Operation, partner: str, body: Values, others: dict[str, dict[str, object]]) -> Json:
    """Read the policy until it is as written. Calls: GET, at worst PATCH partners/{id}.

    Args:
        operation: where.
        partner: the partner's tenant id.
        body: what was written.
        others: what others have set beside it; what more of that is seen on the way is added.

    Raises:
        NotFoundError: there is no such policy any more.
    """
    get = calls.get_partner(partner)

    def look() -> Json | None:
        found = operation.read(get)
        if found is None:
            return None
        for name, members in members_of_others(found, body).items():
            others.setdefault(name, {}).update(members)
        return None if changes(found, body) else found

    seen = operation.look_again(SHARED_OBJECT, look)
    if seen is None:  # somebody has written it otherwise in the same moment
        operation.send(calls.update_partner(partner, body))
        seen = operation.look_again(SHARED_OBJECT, look)
    if seen is None:
        report(
            f"what was written ({', '.join(body)}) is not to be seen in the partner policy: somebody else writes it as "
            "well, or Graph shows it otherwise. `pulumi refresh --diff` shows what it says",
            severity=WARNING,
        )
    return seen or operation.read(get) or {}


def went_by_our_write(operation: Operation, partner: str, body: Values, gone: Values) -> bool:
    """Whether members of others are missing because Graph replaces complex values, or were taken back meanwhile.

    The opposite direction's run may just have ended; its flag put back would be an open door that nobody knows of. So
    its flag, which is missing, is written as missing: where Graph replaces, our own flag goes by that, and is seen to
    go. For as long as that takes our flag may be closed, and nothing is open that was not.
    """
    if CONSENT not in gone:
        return True
    ((own, value),) = body[CONSENT].items()
    if value is None:
        closed = {CONSENT: {own: False}}
        operation.send(calls.update_partner(partner, closed))
        until_seen(operation, partner, closed, {})
    operation.send(calls.update_partner(partner, {CONSENT: dict.fromkeys(gone[CONSENT])}))

    def own_flag_goes() -> bool | None:
        found = operation.read(calls.get_partner(partner))
        return True if found is not None and leaf(found, CONSENT, own) is None else None

    if operation.look_again(SHARED_OBJECT, own_flag_goes):
        return True
    if value is None:
        operation.send(calls.update_partner(partner, {CONSENT: {own: None}}))
        until_seen(operation, partner, {CONSENT: {own: None}}, {})
    return False


# --- a policy that is there, or has to be made ---------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """The partner policy after our creating call; `certain` if it is that call's own answer."""

    partner: Json
    certain: bool


def write_or_create(
    operation: Operation, partner: str, wanted: Values, live: Json | None, written: Values | None = None
) -> Made | None:
    """Make our fields so in the policy as just read, or in a new one; None where there was one.

    Reads may be late in both ways, so Graph decides: changing what is gone answers 404, making what is there 409, and
    each leads to the other until one of them is taken.

    Calls: PATCH, POST, GET partners (Policy.ReadWrite.CrossTenantAccess).
    """
    set_ = {name: members for name, members in wanted.items() if any(value is not None for value in members.values())}
    create = calls.create_partner(partner, set_)
    made: Made | None = None

    def attempt() -> bool | None:
        nonlocal live, made
        if live is None:
            made = post(operation, partner, set_)
            if made is None:
                return None
            live = made.partner
        body = changes(live, wanted, written)
        certain = made is not None and made.certain
        if not body and not certain:
            return True
        try:
            if body:
                write(operation, partner, body, live, *([PARTNER_APPEARS] if certain else []))
            else:
                until_seen(operation, partner, wanted, {})
        except NotFoundError:  # what we read was a ghost of a policy just deleted
            live = made = None
            return None
        return True

    operation.poll(attempt, create, "waiting for a deleted partner policy to make room", calls.PARTNER_IN_THE_WAY)
    return made


def post(operation: Operation, partner: str, wanted: Values) -> Made | None:
    """Create the partner policy with its fields in one call, as far as Graph takes them that way.

    Returns:
        The object before anything of ours was merged into it, and whether it is our call's own answer. None where
        there is one (or one deleted a moment ago still blocks the key) that no read has seen yet.
    """
    found: Json | None
    certain = True

    def look() -> Json | None:
        nonlocal certain
        certain = False  # what is found may have settings of others already
        return operation.read(calls.get_partner(partner))

    try:
        try:
            found = operation.make(calls.create_partner(partner, wanted), look)
        except GraphError as error:
            if error.answer.status != 400 or isinstance(error, ConflictError):
                raise
            # A setting in the creating call may be more than this Graph takes: the how-to's two steps.
            found = operation.make(calls.create_partner(partner, {}), look)
    except ConflictError:
        found = look()
    return None if found is None else Made(found, certain)
