"""A name is resolved once: what it meant at the last run is what it means.

Else whoever may name a group (in many tenants every member may make one), or a person, would decide who is in scope:
they rename the one that has the name, and give it to another. The program asks the state before anything is declared;
`SyncScope` looks again.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..graph.errors import RefusedError, TenantName


def is_another(kind: str) -> str:
    """That a name has another object."""
    return "the name belongs to another person now" if kind == "user" else f"the name belongs to another {kind} now"


def ways_out(kind: str, key: str) -> str:
    """What to do about it; `key` is the list that has the name."""
    return (
        f"Find out who gave the name to another {kind}. Then put the object id of the one that is meant into "
        f"xtsync:{key} in its place; or take the name out, run `pulumi up`, and put it in again"
    )


def refuse_other_objects(tenant: TenantName, olds: Mapping[str, str], news: Mapping[str, str]) -> None:
    """Refuse names that mean other objects than they did.

    Args:
        tenant: the source.
        olds: object ids by kind and name, as the last run left them.
        news: the same, as they are to be.

    Raises:
        RefusedError: there are such names.
    """
    known = {name.lower(): object_id for name, object_id in olds.items()}
    swapped = {name: known[name.lower()] for name, now in news.items() if known.get(name.lower(), now) != now}
    if swapped:
        first = next(iter(swapped)).partition(" ")[0]
        listed = "; ".join(f"{name} is {news[name]} now, where it was {was}" for name, was in sorted(swapped.items()))
        raise RefusedError(
            f"Will not change who is in scope in {tenant}",
            f"{is_another(first)}: {listed}",
            ways_out(first, f"{first}s"),
        )
