"""JSON batching, as documented: twenty parts at most, each answered by itself, in any order."""

from __future__ import annotations

from typing import Any

import pytest

from lab.entra import Fault
from lab.world import FOREIGN_TENANT, SOURCE_TENANT

PARTNERS = "/policies/crossTenantAccessPolicy/partners"


def part(number: int, method: str = "GET", url: str = f"{PARTNERS}/{FOREIGN_TENANT}", **more: Any) -> dict[str, Any]:
    return {"id": str(number), "method": method, "url": url, **more}


def answers(world: Any, *parts: dict[str, Any]) -> dict[str, Any]:
    answer = world.target("POST", "/$batch", {"requests": list(parts)})
    assert answer.status_code == 200
    return {one["id"]: one for one in answer.json()["responses"]}


def test_each_part_is_a_call_with_its_own_answer(world: Any) -> None:
    headers = {"Content-Type": "application/json"}
    found = answers(
        world,
        part(1, "POST", PARTNERS, headers=headers, body={"tenantId": SOURCE_TENANT}),
        part(2),
        part(3, url=f"{PARTNERS}/{SOURCE_TENANT.replace('a', 'b')}"),
        part(4, "DELETE", f"{PARTNERS}/{FOREIGN_TENANT}"),
    )
    assert {key: one["status"] for key, one in found.items()} == {"1": 201, "2": 404, "3": 404, "4": 204}
    assert found["1"]["body"]["tenantId"] == SOURCE_TENANT
    assert found["3"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert "body" not in found["4"]


def test_a_part_can_be_throttled_while_the_batch_is_not(world: Any) -> None:
    fault = Fault(method="DELETE", path=PARTNERS, status=429, code="TooManyRequests", headers={"Retry-After": "7"})
    world.entra.faults.add(fault)
    found = answers(world, part(1, "DELETE"), part(2))
    assert (found["1"]["status"], found["1"]["headers"]["Retry-After"]) == (429, "7")
    assert found["2"]["status"] == 200


def test_the_batch_itself_can_fail(world: Any) -> None:
    world.entra.faults.add(Fault(path=r"\$batch$", status=503))
    assert world.target("POST", "/$batch", {"requests": [part(1)]}).status_code == 503


@pytest.mark.parametrize(
    ("requests", "code"),
    [
        ([part(number) for number in range(21)], "MaximumValueExceeded"),
        ([part(1), part(1)], "BadRequest"),
        ([], "BadRequest"),
        ([part(1, url=f"https://elsewhere.example{PARTNERS}")], "BadRequest"),
    ],
)
def test_what_is_no_batch(world: Any, requests: list[Any], code: str) -> None:
    answer = world.target("POST", "/$batch", {"requests": requests})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_a_part_needs_the_permission_of_its_call(world: Any) -> None:
    found = answers(world, part(1, url="/users/x"), part(2))
    assert {key: one["status"] for key, one in found.items()} == {"1": 403, "2": 200}
    recorded = [(call.method, call.path, call.in_batch) for call in world.entra.traffic[-3:]]
    assert recorded[-1] == ("POST", "/$batch", False)
    assert {call[2] for call in recorded[:2]} == {True}
