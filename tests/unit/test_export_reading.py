"""Reading a pair that runs: one that cannot be read does not hide the others, and nobody is named by a display name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.graph_fakes import SOURCE, TARGET, TARGET_ID, Reply, answer, operation_for, refusal
from xtsync_resources.config import parse
from xtsync_resources.graph.errors import RefusedError
from xtsync_resources.graph.transport import Request, Response
from xtsync_resources.operate import export

ALICE, BOB = (f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "ab")


V1 = "https://graph.microsoft.com/v1.0"


class Graph:
    """Answers by what a path contains, the first that fits; else with an empty collection, and no partner policy."""

    def __init__(self, **replies: Reply) -> None:
        self.replies = replies

    def send(self, request: Request) -> Response:
        if request.url.endswith("/$batch"):
            return self.batch(json.loads(request.body or b"{}"))
        path = request.url.removeprefix(V1).replace("-", "_").replace("/", "_")
        nothing = refusal(404) if "partners" in path else answer(200, {"value": [], "synchronizationRules": []})
        found = next((reply for part, reply in self.replies.items() if part in path), nothing)
        assert isinstance(found, Response)
        return found

    def batch(self, body: Any) -> Response:
        """Each part of a batch as if it were asked by itself."""
        parts = [(one["id"], self.send(Request("GET", f"{V1}{one['url']}", {}, None))) for one in body["requests"]]
        answers = [{"id": id_, "status": one.status, "body": json.loads(one.body or b"{}")} for id_, one in parts]
        return answer(200, {"responses": answers})


def instances(*names: str) -> Reply:
    return answer(200, {"value": [{"id": name, "appId": f"app-{name}", "displayName": name} for name in names]})


def good(name: str) -> dict[str, Reply]:
    job = {"id": "j", "templateId": "Azure2Azure", "schedule": {"state": "Active"}}
    return {
        f"{name}_synchronization_jobs_j_schema": answer(200, {"synchronizationRules": []}),
        f"{name}_synchronization_jobs": answer(200, {"value": [job]}),
        f"{name}_synchronization_secrets": answer(200, {"value": [{"key": "CompanyId", "value": TARGET_ID}]}),
    }


@pytest.mark.parametrize("part", ["jobs", "secrets"])
@pytest.mark.parametrize("status", [403, 404, 503])
def test_an_instance_that_cannot_be_read_does_not_stop_the_others(status: int, part: str) -> None:
    broken = {**good("bad"), f"bad_synchronization_{part}": refusal(status, "X")}
    graph = Graph(**broken, **good("pair"), servicePrincipals_pair=answer(200, {"id": "pair", "value": []}))
    graph.replies["servicePrincipals?"] = instances("bad", "pair")
    source, clock = operation_for(graph, SOURCE)
    found = export.look(source, operation_for(Graph(), TARGET)[0], "")
    assert found.display_name == "pair"
    warning = next(text for text in found.warnings if "bad (bad) could not be read" in text)
    assert str(status) in warning
    assert clock.time <= 900 / 4


def test_only_unreadable_instances_are_named_with_the_reason() -> None:
    graph = Graph(bad_synchronization=refusal(403, "Denied"))
    graph.replies["servicePrincipals?"] = instances("bad")
    with pytest.raises(RefusedError, match=r"not read: bad \(bad\): .*403 Denied") as raised:
        export.look(operation_for(graph, SOURCE)[0], operation_for(graph, TARGET)[0], "")
    assert "permission" in raised.value.do


@pytest.mark.parametrize(
    ("reply", "configured"),
    [
        (answer(200, {"id": ALICE, "userPrincipalName": "alice@contoso.com"}), "alice@contoso.com"),
        (answer(200, {"id": ALICE}), ALICE),
        (refusal(403, "Denied"), ALICE),
        (refusal(404, "Request_ResourceNotFound"), ALICE),
    ],
)
def test_who_has_no_readable_principal_name_is_configured_by_object_id(reply: Reply, configured: str) -> None:
    def assignment(principal: str, kind: str) -> dict[str, Any]:
        named = {"principalId": principal, "principalType": kind, "principalDisplayName": "Alice @ Contoso"}
        return {"id": "a", "appRoleId": "r", **named}

    entries = [assignment(ALICE, "User"), assignment(BOB, "Group")]
    graph = Graph(appRoleAssignedTo=answer(200, {"value": entries}), users_=reply)
    people, warnings = export.assigned(operation_for(graph)[0], "pair", "r")
    values = {"source": f'{{"tenantId": "{ALICE}"}}', "target": f'{{"tenantId": "{BOB}"}}', "users": '["a@b.c"]'}
    found = export.Found("", "pair", "pair", {}, {}, people, {}, "", {}, warnings)
    settings = parse(values, {}, {})
    config = export.as_config(settings, found)
    assert config["xtsync:users"] == [configured]
    assert config["xtsync:groups"] == [BOB]
    assert bool(warnings) == (configured == ALICE)
    assert (f"- {ALICE}  # Alice @ Contoso" in export.as_yaml(settings, found)) == (configured == ALICE)
