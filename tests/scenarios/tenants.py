"""What somebody does by hand in the tenants of a scenario, and what is looked at there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from lab.entra import Fault, Tenant
from lab.entra.applications.models import ServicePrincipal
from lab.entra.synchronization.models import Synchronization
from tests.scenarios.stacks import Lab
from xtsync_resources.sync_secrets.model import NOTIFICATION, THRESHOLD, THRESHOLD_ON


def assign(lab: Lab, name: str) -> str:
    """Somebody puts a user in scope by hand; the user's object id."""
    (principal,) = (p for p in lab.source.applications.principals.values() if p.synchronization.jobs)
    user = lab.source.directory.user(name).id
    lab.source.applications.assign(principal, principal.roles[0]["id"], lab.source.directory.assignee(user))
    return user


def delete_user(lab: Lab, name: str) -> str:
    """Somebody deletes a user, whose assignment goes along; the object id."""
    user = lab.source.directory.user(name).id
    lab.source.directory.delete_user(user)
    unassign(lab, user)
    return user


def unassign(lab: Lab, object_id: str) -> None:
    for principal in lab.source.applications.principals.values():
        for assignment in [one.id for one in principal.assignments.values() if one.principal_id == object_id]:
            del principal.assignments[assignment]


def grant(tenant: Tenant, client: str, *, more: Set[str] = frozenset(), less: Set[str] = frozenset()) -> None:
    registered = tenant.login.clients[client]
    tenant.login.clients[client] = replace(registered, permissions=(registered.permissions | more) - less)


def lag(lab: Lab, reads: int) -> None:
    """From now on so many reads after a write see the state before it; of an assignment azuread takes no late read."""
    for tenant in (lab.source, lab.target):
        tenant.settings = replace(tenant.settings, lag_reads=reads, lag_spares=frozenset({"assignments"}))


def refuse_assignments(lab: Lab) -> None:
    fault = Fault(method="POST", path="appRoleAssignedTo$", status=403, code="Authorization_RequestDenied", times=1000)
    lab.entra.faults.add(fault)


def synchronization(lab: Lab) -> Synchronization:
    (found,) = (p.synchronization for p in lab.source.applications.principals.values() if p.synchronization.jobs)
    return found


def schema_of(lab: Lab) -> dict[str, Any]:
    (job,) = lab.jobs()
    found: dict[str, Any] = job.schema
    return found


@contextmanager
def cycle_after(lab: Lab, looks: int) -> Iterator[None]:
    """Let a cycle of the job end after so many looks at the job."""
    number, ended = len(lab.entra.traffic), threading.Event()

    def watch() -> None:
        while sum("/jobs/" in call.path for call in lab.calls_since(number)) < looks:
            if ended.wait(0.01):
                return
        lab.pass_time()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def principal_of(lab: Lab) -> ServicePrincipal:
    (found,) = (one for one in lab.source.applications.principals.values() if one.synchronization.jobs)
    return found


def set_in_portal(lab: Lab, threshold: int | None) -> None:
    settings = synchronization(lab).secrets
    changed_ = {THRESHOLD_ON: threshold is not None, THRESHOLD: threshold or 500}
    settings[NOTIFICATION] = json.dumps({**json.loads(settings[NOTIFICATION]), **changed_})
