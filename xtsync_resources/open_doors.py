"""What stands open in a tenant once former values are back: a pair that ends leaves each tenant as it was found.

What was found may let in more than the pair needed. Nobody looks at a pair that is gone, so it is said by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .graph.calls import GROUP_SYNC
from .graph.errors import TenantName
from .lifecycle import WARNING, tell
from .pair_facts import EVERYONE, is_part, shut, wide
from .partner_object import COLLABORATION, Values, leaf


def tell_of_open_doors(tenant: TenantName, partner: str, doors: Sequence[str]) -> None:
    """Say what stands open, if anything."""
    if doors:
        tell(
            f"former values come back, and leave {tenant} open for {partner}: {', '.join(doors)}. This pair does not "
            "need that; close it in the cross-tenant access settings if nobody else does",
            severity=WARNING,
        )


def doors_of_partner(former: Values, written: Values) -> list[str]:
    """What former values of a partner policy open, by Graph's names."""
    return [
        f"{name}.{member} ({what})"
        for name, members in former.items()
        for member, value in members.items()
        if (what := opens(name, member, value, leaf(written, name, member)))
    ]


def opens(name: str, member: str, value: Any, written: Any) -> str:
    """What a former value lets through, in words; "" where it is nothing."""
    if value is True:
        return "true"
    if is_part(value):
        if shut(member, value):
            return ""
        return EVERYONE[member] if wide(member, value) else "those it names"
    # Microsoft's default lets guests of every tenant in and out.
    narrower = (
        name in COLLABORATION.values() and is_part(written) and (shut(member, written) or not wide(member, written))
    )
    if value is None and narrower:
        return f"the tenant's default, which is {EVERYONE[member]} unless somebody has changed it"
    return ""


def doors_of_sync(former: Mapping[str, Any]) -> list[str]:
    """What former values of an identity sync policy open."""
    kinds = ("userSyncInbound", GROUP_SYNC)
    return [f"{kind}.isSyncAllowed (true)" for kind in kinds if leaf(former, kind, "isSyncAllowed") is True]
