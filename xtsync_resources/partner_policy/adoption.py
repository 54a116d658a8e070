"""Taking over a policy that exists, or refusing to."""

from __future__ import annotations

import json
from collections.abc import Callable

from ..graph.call import Call
from ..graph.errors import RefusedError, TenantName
from ..pulumi_runtime.provider import Properties, is_unknown
from .base_provider import PolicyProvider
from .model import Baseline, Json, settings_of


def refuse_to_adopt(what: str, tenant: TenantName, found: Json) -> RefusedError:
    """The refusal of `onExisting: fail`, with what was found and how to go on."""
    return RefusedError(
        f"There is {what} in {tenant} already",
        f"xtsync:onExisting is fail, and this was found: {json.dumps(dict(found), sort_keys=True)}",
        "set xtsync:onExisting to adopt to take it over (only the configured fields are written, and their "
        "former values come back with `pulumi destroy`), or remove it",
    )


def to_be_adopted(
    provider: PolicyProvider, props: Properties, call: Call, pick: Callable[[Baseline], Json | None], what: str
) -> Json | None:
    """What a create will adopt, or None. Reads only in a preview, when no baseline is known yet.

    Args:
        provider: who asks.
        props: its inputs, with the baseline.
        call: reads the object.
        pick: takes it out of a baseline.
        what: names it in a refusal.

    Raises:
        RefusedError: there is one, and `onExisting` is `fail`; in an update the baseline has refused before.
    """
    if not is_unknown(props["baseline"]):
        return pick(Baseline.parse(props["baseline"]))
    found = provider.operation().read(call)
    # An identity sync policy has no redemption flag, and so is never taken for the opposite pair's.
    joined = Baseline(found, None).may_be_joined(provider.settings.tenant.side)
    if found is not None and provider.settings.on_existing == "fail" and not joined:
        raise refuse_to_adopt(what, provider.settings.tenant, settings_of(found))
    return found
