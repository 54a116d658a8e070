"""What is told of the job before a run changes the scope: what cannot be read of it hides nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.in_memory_graph import InMemory
from tests.unit.graph_fakes import SOURCE, refusal
from xtsync_resources.sync_job.provisioning_log import Identity
from xtsync_resources.sync_scope import beforehand
from xtsync_resources.sync_scope.prediction import among

ALICE, BOB = Identity("alice", "id-alice"), Identity("bob", "id-bob")
OLDS: dict[str, Any] = {"servicePrincipalId": "", "jobId": "job", "appRoleId": "role", "principals": ["id-alice"]}


def told(monkeypatch: pytest.MonkeyPatch, graph: InMemory, held: Any) -> str:
    """What is said where a job is to let others into scope, of whom it holds back some."""
    said: list[str] = []
    monkeypatch.setattr(beforehand, "report", lambda text, **_: said.append(text))
    monkeypatch.setattr(beforehand, "at_a_glance", lambda *_, **__: held)
    olds = {**OLDS, "servicePrincipalId": graph.configuration()}
    beforehand.tell_of_job(lambda: graph.client(SOURCE).operation(900), olds, {**OLDS, "principals": ["id-alice", "x"]})
    return "\n".join(said)


def test_who_is_deleted_is_told_also_where_it_cannot_be_read_who_is_assigned(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, held = InMemory(), among((ALICE, BOB), (), 500, young=False)
    assert "Not assigned now, though configured: id-alice. Unless a run" in told(monkeypatch, graph, held)
    graph = InMemory()
    graph.interventions.append(lambda _, url: refusal(403) if "appRoleAssignedTo" in url else None)
    said = told(monkeypatch, graph, held)
    assert "the next cycle DELETES 2 people in the target: alice, bob" in said
    assert "Whether everybody who is configured is assigned could not be read: " in said
