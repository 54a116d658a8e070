"""Provisioning logs: step 12 of the how-to.

Source: https://learn.microsoft.com/graph/api/provisioningobjectsummary-list
"""

from __future__ import annotations

from urllib.parse import quote

from ._answers import Events
from ._call import Call

PROVISIONING_LOG = "ProvisioningLog.Read.All"
LOG_ROLE = "Reports Reader"


def provisioning_logs(filter_text: str, top: int) -> Call:
    """List what the job did, newest first, page by page.

    Args:
        filter_text: an OData filter, values in it by `literal`.
        top: entries on a page.
    """
    query = f"$filter={quote(filter_text, safe='')}&$orderby={quote('activityDateTime desc', safe='')}&$top={top}"
    path = f"/auditLogs/provisioning?{query}"
    return Call("GET", path, "read the provisioning logs", PROVISIONING_LOG, LOG_ROLE, answer=Events)
