"""Users and groups in scope who are gone, or who may not sign in, told by `refresh`.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..directory.find import KINDS, by_id
from ..graph.errors import ForbiddenError
from ..pulumi_runtime.engine import WARNING, report
from .affected import told
from .foreign_assignments import ADOPTED

if TYPE_CHECKING:
    from ..graph.operation import Operation

# They are named in the state only.
BY_ITSELF = "nothing is to be done, as this stack had adopted the assignment, which is gone with them"


def report_unfit(operation: Operation, properties: Mapping[str, Any]) -> None:
    """Say who of those in scope was deleted in the source, and who is disabled there.

    Calls: those of `find_objects`; what may not be read is not told, as `xtsync doctor` says it.

    Args:
        operation: in the source.
        properties: of the scope.
    """
    principals = {**properties[ADOPTED], **properties["principals"]}
    gone: dict[str, str] = {}
    disabled: dict[str, str] = {}
    for kind in KINDS:
        wanted = {name: object_id for name, object_id in principals.items() if name.startswith(f"{kind} ")}
        try:
            there = by_id(operation, kind, wanted.values()) if wanted else {}
        except ForbiddenError:
            continue
        gone |= {name: object_id for name, object_id in wanted.items() if object_id not in there}
        disabled |= {
            name: object_id
            for name, object_id in wanted.items()
            if there.get(object_id, {}).get("accountEnabled") is False
        }
    configured = {name: object_id for name, object_id in gone.items() if name in properties["principals"]}
    adopted = {name: object_id for name, object_id in gone.items() if name not in configured}
    for those, do in ((configured, "take them out of the stack file"), (adopted, BY_ITSELF)):
        if those:
            verb = "was" if len(those) == 1 else "were"
            report(f"{told(those)} {verb} deleted in the source: {do}", severity=WARNING)
    if disabled:
        verb = "is" if len(disabled) == 1 else "are"
        report(f"{told(disabled)} {verb} disabled in the source, and so in the target", severity=WARNING)
