"""What is told of the job before a run changes the scope: what cannot be read of it hides nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.in_memory_graph import InMemory
from tests.unit.graph_fakes import SOURCE, refusal
from xtsync_resources.graph.errors import RefusedError
from xtsync_resources.graph.operation import Operation
from xtsync_resources.sync_job.provisioning_log import Identity
from xtsync_resources.sync_scope import beforehand
from xtsync_resources.sync_scope.prediction import among

ALICE, BOB = Identity("alice", "id-alice"), Identity("bob", "id-bob")
OLDS: dict[str, Any] = {
    "servicePrincipalId": "",
    "jobId": "job",
    "appRoleId": "role",
    "principals": ["id-alice"],
    "rested": "once",
}
RAN = {"timeBegan": "2026-01-01T00:00:00Z", "timeEnded": "2026-01-01T00:01:00Z", "state": "Succeeded"}


def told(
    monkeypatch: pytest.MonkeyPatch, graph: InMemory, held: Any, rested: str = "once", *, preview: bool = False
) -> str:
    """What is said where a job is to let others into scope, of whom it holds back some."""
    said: list[str] = []
    monkeypatch.setattr(beforehand, "report", lambda text, **_: said.append(text))
    monkeypatch.setattr(beforehand, "at_a_glance", lambda *_, **__: held)
    olds = {**OLDS, "servicePrincipalId": graph.configuration()}
    news = {**OLDS, "principals": ["id-alice", "x"], "rested": rested, "preview": preview}
    beforehand.tell_of_job(lambda: graph.client(SOURCE).operation(900), olds, news)
    return "\n".join(said)


def test_who_is_deleted_is_told_also_where_it_cannot_be_read_who_is_assigned(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, held = InMemory(), among((ALICE, BOB), (), 500, young=False)
    assert "Not assigned now, though configured: id-alice. Unless a run" in told(monkeypatch, graph, held)
    graph = InMemory()
    graph.interventions.append(lambda _, url: refusal(403) if "appRoleAssignedTo" in url else None)
    said = told(monkeypatch, graph, held)
    assert "the next cycle DELETES 2 people in the target: alice, bob" in said
    assert "Whether everybody who is configured is assigned could not be read: " in said


def test_who_is_unassigned_is_told_by_id_where_names_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(*_: Any) -> str:
        raise RefusedError("names", "names cannot be read", "wait")

    monkeypatch.setattr(beforehand, "names_in", unread)
    said = told(monkeypatch, InMemory(), among((ALICE, BOB), (), 500, young=False))
    assert "Not assigned now, though configured: id-alice. Unless a run" in said


@pytest.mark.parametrize(
    ("rested", "preview", "says"),
    [("once", True, True), ("once", False, True), ("again", True, True), ("again", False, False)],
)
def test_a_job_that_this_run_has_brought_to_rest_is_not_said_to_be_paused(
    monkeypatch: pytest.MonkeyPatch, rested: str, preview: bool, says: bool
) -> None:
    paused = {"id": "job", "schedule": {"state": "Paused"}, "status": {"code": "Paused", "lastExecution": RAN}}
    monkeypatch.setattr(Operation, "read", lambda *_: paused)
    assert ("is paused now" in told(monkeypatch, InMemory(), None, rested, preview=preview)) is says


@pytest.mark.parametrize(
    ("principals", "rested", "something"),
    [
        (["id-alice"], "once", False),
        (["id-alice", "id-bob"], "once", True),
        ([], "once", True),
        (["id-alice"], "again", True),
        (["id-bob"], "once", False),  # a swap, which the scope tells, or refuses
    ],
)
def test_what_changes_the_job_is_told_of(principals: list[str], rested: str, something: bool) -> None:
    common = {"assignments": "digest", "unfinished": ""}
    news = {**OLDS, **common, "principals": principals, "rested": rested}
    assert beforehand.changes_something({**OLDS, **common}, news) is something
