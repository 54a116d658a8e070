"""Time that passes under `lab serve`: what happened lies longer ago, and not ahead of this computer's clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.door import Door
from lab.entra import Entra, RunningClock
from lab.entra.ageing import age, aged
from lab.entra.synchronization.models import Execution
from lab.world import SOURCE_TENANT
from tests.lab.test_breaking_pairs import world_with_a_pair

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def job_of(entra: Entra) -> Any:
    principals = entra.tenants[SOURCE_TENANT].applications.principals.values()
    return next(job for one in principals for job in one.synchronization.jobs.values())


def moments(value: Any) -> Iterator[datetime]:
    """All times in a snapshot."""
    if isinstance(value, dict):
        for one in value.values():
            yield from moments(one)
    elif isinstance(value, list):
        for one in value:
            yield from moments(one)
    elif isinstance(value, str) and value[:2] == "20":
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return
        yield found


def test_everything_is_aged_by_the_same_and_only_once() -> None:
    shared = Execution(NOW, NOW, "Succeeded", "id")
    several = aged(
        [shared, {"again": shared, "text": "2026-01-01T12:00:00Z", "never": "0001-01-01T00:00:00Z"}], HOUR, set()
    )
    assert (shared.began, shared.ended) == (NOW - HOUR, NOW - HOUR)
    assert several[1]["text"] == "2026-01-01T11:00:00Z"
    assert several[1]["never"] == "0001-01-01T00:00:00Z"


def test_between_two_moments_nothing_changes() -> None:
    entra = world_with_a_pair()
    job, now = job_of(entra), entra.clock.now()
    waits, ago = job.next_cycle - now, now - job.last_execution.ended
    logged = [one["activityDateTime"] for one in entra.tenants[SOURCE_TENANT].audit.provisioning]
    age(entra, HOUR)
    assert entra.clock.now() == now - HOUR
    assert (job.next_cycle - entra.clock.now(), entra.clock.now() - job.last_execution.ended) == (waits, ago)
    after = [one["activityDateTime"] for one in entra.tenants[SOURCE_TENANT].audit.provisioning]
    assert logged
    assert [datetime.fromisoformat(one) + HOUR for one in after] == [datetime.fromisoformat(one) for one in logged]


def test_after_time_has_passed_nothing_that_has_happened_lies_ahead() -> None:
    entra = world_with_a_pair(RunningClock())
    door = Door(entra)
    for asked in ({"minutes": 300}, {"what": "consent", "name": "", "undo": False}, {"minutes": 41}):
        answer = door(door.path, json.dumps(asked).encode())
        assert answer is not None
        assert answer[0] == 200
    now = datetime.now(UTC)
    job = job_of(entra)
    assert job.quarantine is not None
    assert abs(entra.clock.now() - now) < timedelta(seconds=5)
    job.next_cycle = job.quarantine.next_attempt = now
    assert max(moments(entra.snapshot())) <= now + timedelta(seconds=5)
