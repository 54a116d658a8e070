"""Who of several people is in scope by what a run may be about to do, read once."""

from __future__ import annotations

import pytest

from lab import world
from lab.entra.directory.models import DirectoryBackend
from tests.in_memory_graph import InMemory
from tests.unit.graph_fakes import SOURCE, refusal
from xtsync_resources.sync_job.provisioning_log import Identity
from xtsync_resources.sync_scope import deletions
from xtsync_resources.sync_scope.deletions import in_scope_by
from xtsync_resources.sync_scope.prediction import NO_CHANGE, Change

NAMES = ("alice", "bob", "carol", "dave")


@pytest.fixture
def graph() -> InMemory:
    return InMemory()


def directory(graph: InMemory) -> DirectoryBackend:
    return graph.entra.tenants[world.SOURCE_TENANT].directory


def somebody(graph: InMemory, name: str) -> str:
    """The object id of a person, or of a group whose name begins with a capital."""
    if name.istitle():
        return next(one.id for one in directory(graph).groups.values() if one.display_name == name)
    return directory(graph).user(f"{name}@contoso.com").id


def by(graph: InMemory, *changes: Change) -> list[set[str] | None]:
    """The names of those in scope by each change, where alice and the group of carol and dave are assigned."""
    principal = graph.configuration()
    graph.assign(principal)
    graph.requests.clear()
    several = [Identity(name, somebody(graph, name)) for name in NAMES]
    found = in_scope_by(graph.client(SOURCE).operation(900), principal, several, changes)
    return [None if people is None else {one.name for one in people} for people in found]


def test_each_change_counts_by_itself_and_everything_is_read_once(graph: InMemory) -> None:
    alice, bob, finance = (somebody(graph, name) for name in ("alice", "bob", "Finance"))
    found = by(
        graph, NO_CHANGE, Change("", [bob], [finance]), Change("", [alice, finance], [alice]), Change("", [], [finance])
    )
    assert found == [{"alice", "carol", "dave"}, {"alice", "bob"}, {"carol", "dave"}, {"alice"}]
    assert sum(one.startswith("GET appRoleAssignedTo") for one in graph.calls) == 1
    assert sum(one.startswith("GET members") for one in graph.calls) == 1


def test_a_group_that_comes_brings_its_members(graph: InMemory) -> None:
    nested, finance = somebody(graph, "Nested"), somebody(graph, "Finance")
    directory(graph).groups[nested].members.append(somebody(graph, "bob"))
    assert by(graph, NO_CHANGE, Change("", [nested], [finance])) == [{"alice", "carol", "dave"}, {"alice", "bob"}]


@pytest.mark.parametrize("status", [403, 500])
def test_members_that_cannot_be_read_are_not_taken_for_nobody(graph: InMemory, status: int) -> None:
    graph.interventions.append(lambda _, url: refusal(status) if "/members" in url else None)
    without = Change("", [somebody(graph, "bob")], [somebody(graph, "Finance")])
    assert by(graph, NO_CHANGE, without) == [None, {"alice", "bob"}]


def test_more_people_than_can_be_read_in_time_are_not_told(graph: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletions, "MOST_IN_SCOPE", 2)
    assert by(graph, NO_CHANGE, Change("", [], [somebody(graph, "Finance")])) == [None, {"alice"}]


def test_people_of_several_groups_count_once_and_who_is_assigned_twice_is_read_once(
    graph: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "MOST_IN_SCOPE", 3)
    members = [directory(graph).user(f"{name}@contoso.com") for name in ("carol", "dave")]
    same = directory(graph).add_group("Same", members).id
    assert by(graph, NO_CHANGE, Change("", [same], [somebody(graph, "Finance")])) == [{"alice", "carol", "dave"}] * 2


def test_where_nobody_can_be_read_no_change_is_told(graph: InMemory) -> None:
    graph.interventions.append(lambda _, url: refusal(403) if "appRoleAssignedTo" in url else None)
    assert by(graph, NO_CHANGE, Change("", [somebody(graph, "bob")])) == [None, None]
