"""The call that provisions one person: step 10 of the how-to.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-provisionondemand
"""

from __future__ import annotations

from ..graph.call import Call, Repeat, segment
from ..service_principal.calls import synchronization_call


def provision_on_demand(service_principal: str, job: str, rule: str, user: str) -> Call:
    """Provision one user now (step 10). Not repeated blindly: the first try may still be creating the person.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-provisionondemand
    """
    subject = {"objectId": user, "objectTypeName": "User"}
    body = {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
    path = f"jobs/{segment(job)}/provisionOnDemand"
    return synchronization_call(
        "POST", service_principal, path, f"provision {user} on demand", body, Repeat.CHECK_IF_DONE
    )
