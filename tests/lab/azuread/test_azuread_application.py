"""The application from a template, as the real provider handles it."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from lab.azuread.http import Deadline
from lab.azuread.values import UNKNOWN, from_struct
from lab.entra import Fault, Settings
from tests.lab.azuread.azuread_client import (
    APPLICATION,
    APPLICATION_INPUTS,
    NOWHERE,
    OTHER_TEMPLATE,
    TEMPLATE,
    Plugin,
    init_failure,
    refused,
    running,
)

INSTANTIATE = "/instantiate$"


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    with running(monkeypatch) as found:
        yield found


def test_creation_waits_for_five_reads_of_the_application_and_none_of_the_service_principal(plugin: Plugin) -> None:
    plugin.entra.settings = Settings(principal_lag_seconds=3600)
    identifier, outputs = plugin.create(APPLICATION, APPLICATION_INPUTS)
    (application,) = plugin.tenant.applications.applications.values()
    (principal,) = (p for p in plugin.tenant.applications.principals.values() if p.template_id)
    assert identifier == f"/applicationTemplates/{TEMPLATE}/instantiate/{application.id}/{principal.id}"
    assert outputs == {
        "id": identifier,
        **APPLICATION_INPUTS,
        "applicationId": f"/applications/{application.id}",
        "applicationObjectId": application.id,
        "servicePrincipalId": f"/servicePrincipals/{principal.id}",
        "servicePrincipalObjectId": principal.id,
    }
    path = f"/applications/{application.id}"
    assert plugin.calls() == [("POST", f"/applicationTemplates/{TEMPLATE}/instantiate"), *[("GET", path)] * 6]


def test_between_the_five_reads_are_five_of_the_real_plugins_seconds(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []
    monkeypatch.setattr(plugin.stopping, "wait", paused.append)
    for second in ("1", "0.5"):
        monkeypatch.setenv("LAB_AZUREAD_SECOND", second)
        plugin.configure(plugin.properties())
        plugin.create(APPLICATION, APPLICATION_INPUTS)
    assert paused == [5.0] * 4 + [2.5] * 4


def test_a_time_that_is_too_short_for_the_five_reads_fails_and_keeps_the_application(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        plugin.create(APPLICATION, APPLICATION_INPUTS, timeout=15)
    assert init_failure(caught.value).id


def test_an_application_that_goes_while_it_is_made_is_nil(plugin: Plugin) -> None:
    gone = Fault(method="GET", path="/applications/", status=404, code="Request_ResourceNotFound", skip=5)
    plugin.entra.faults.add(gone)
    with refused() as texts:
        plugin.create(APPLICATION, APPLICATION_INPUTS)
    assert texts[0].startswith("expected non-nil error with nil state during Create of urn:pulumi:dev::test::")


def test_an_error_is_logged_beside_the_refusal(plugin: Plugin) -> None:
    plugin.entra.faults.add(Fault(method="POST", path=INSTANTIATE, status=403, code="Authorization_RequestDenied"))
    with refused() as texts:
        plugin.create(APPLICATION, APPLICATION_INPUTS)
    ((urn, text),) = plugin.logged
    assert urn.endswith("::it")
    assert text.startswith("  sdk-v2/provider2.go:572: sdk.helper_schema: creating Application Template (")
    assert text.endswith(": provider=azuread@6.11.1")
    assert "unexpected status 403 (403 Forbidden) with error: Authorization_RequestDenied: " in texts[0]


def test_the_five_reads_must_be_in_a_row(plugin: Plugin) -> None:
    missing = Fault(method="GET", path="/applications/", status=404, code="Request_ResourceNotFound", skip=3)
    plugin.entra.faults.add(missing)
    plugin.create(APPLICATION, APPLICATION_INPUTS)
    assert len(plugin.calls("GET")) == 3 + 1 + 5 + 1


def test_a_504_after_the_effect_leaves_two_applications(plugin: Plugin) -> None:
    plugin.entra.faults.add(Fault(when="after", method="POST", path=INSTANTIATE, status=504))
    _, outputs = plugin.create(APPLICATION, APPLICATION_INPUTS)
    found = list(plugin.tenant.applications.applications)
    assert len(found) == 2
    assert outputs["applicationObjectId"] == found[1]


def test_retry_after_is_honoured(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin.entra.faults.add(Fault(method="POST", path=INSTANTIATE, status=429, headers={"Retry-After": "7"}))
    paused: list[float] = []

    def pause(_: Deadline, seconds: float) -> bool:
        paused.append(seconds)
        return True

    monkeypatch.setattr(Deadline, "pause", pause)
    plugin.create(APPLICATION, APPLICATION_INPUTS)
    assert paused[0] == 7
    assert len(plugin.calls("POST")) == 2


def test_a_retry_after_beyond_the_deadline_ends_the_creation_at_once(plugin: Plugin) -> None:
    plugin.entra.faults.add(Fault(method="POST", path=INSTANTIATE, status=429, headers={"Retry-After": "900"}, times=9))
    with refused() as texts:
        plugin.create(APPLICATION, APPLICATION_INPUTS, timeout=5)
    assert "unexpected status 429 (429 Too Many Requests) with error: ServiceUnavailable: " in texts[0]
    assert len(plugin.calls("POST")) == 1


def test_a_reset_of_the_creating_call_is_not_repeated(plugin: Plugin) -> None:
    plugin.entra.faults.add(Fault(kind="reset", method="POST", path=INSTANTIATE))
    with refused() as texts:
        plugin.create(APPLICATION, APPLICATION_INPUTS)
    assert "HTTP response was nil; connection may have been reset" in texts[0]
    assert texts[0].startswith("1 error occurred:\n\t* creating Application Template ")
    assert len(plugin.calls("POST")) == 1


def test_a_reset_of_a_read_is_repeated(plugin: Plugin) -> None:
    plugin.entra.faults.add(Fault(kind="reset", method="GET", path="/applications/"))
    identifier, _ = plugin.create(APPLICATION, APPLICATION_INPUTS)
    assert identifier
    assert len(plugin.calls("GET")) == 7


def test_a_cut_off_answer_is_an_empty_model(plugin: Plugin) -> None:
    plugin.entra.faults.add(Fault(kind="truncate", when="after", method="POST", path=INSTANTIATE))
    with refused() as texts:
        plugin.create(APPLICATION, APPLICATION_INPUTS)
    assert texts[0].rstrip().endswith("application was nil")
    assert len(plugin.tenant.applications.applications) == 1


def test_an_answer_that_is_no_json_is_an_error(plugin: Plugin) -> None:
    plugin.entra.faults.add(Fault(kind="html", when="after", method="POST", path=INSTANTIATE))
    with refused() as texts:
        plugin.create(APPLICATION, APPLICATION_INPUTS)
    assert 'unimplemented unmarshal function for content type "text/html"' in texts[0]


def test_an_application_that_never_shows_is_kept_as_failed(plugin: Plugin) -> None:
    plugin.entra.faults.add(Fault(method="GET", path="/applications/", status=404, times=100_000))
    with pytest.raises(grpc.RpcError) as caught:
        plugin.create(APPLICATION, APPLICATION_INPUTS, timeout=0.2)
    failed = init_failure(caught.value)
    (application,) = plugin.tenant.applications.applications.values()
    assert application.id in failed.id
    assert from_struct(failed.inputs) == {**APPLICATION_INPUTS, "__defaults": []}
    assert failed.reasons[0].startswith("creating urn:pulumi:dev::test::")
    assert "timed out waiting for replication of new application" in failed.reasons[0]


def test_a_new_name_is_patched(plugin: Plugin) -> None:
    identifier, outputs = plugin.create(APPLICATION, APPLICATION_INPUTS)
    news = {**APPLICATION_INPUTS, "displayName": "Renamed"}
    difference = plugin.call("Diff", APPLICATION, id=identifier, olds=outputs, news=news)
    assert (difference.changes, list(difference.replaces)) == (provider_pb2.DiffResponse.DIFF_SOME, [])
    assert difference.detailedDiff["displayName"].kind == provider_pb2.PropertyDiff.UPDATE
    answer = plugin.call("Update", APPLICATION, id=identifier, olds=outputs, news=news)
    assert from_struct(answer.properties) == {**outputs, "displayName": "Renamed"}
    assert len(plugin.calls("PATCH")) == 1


def test_another_template_replaces(plugin: Plugin) -> None:
    news = {**APPLICATION_INPUTS, "templateId": OTHER_TEMPLATE}
    difference = plugin.call("Diff", APPLICATION, id="x", olds=APPLICATION_INPUTS, news=news)
    assert list(difference.replaces) == ["templateId"]
    assert difference.detailedDiff["templateId"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE


def test_nothing_new_is_no_difference(plugin: Plugin) -> None:
    news = {**APPLICATION_INPUTS, "__defaults": []}
    difference = plugin.call("Diff", APPLICATION, id="x", olds={**APPLICATION_INPUTS, "id": "x"}, news=news)
    assert difference.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_reading_finds_a_rename_and_then_nothing(plugin: Plugin) -> None:
    identifier, outputs = plugin.create(APPLICATION, APPLICATION_INPUTS)
    object_id = outputs["applicationObjectId"]
    plugin.tenant.applications.update_application(object_id, "By hand", {})
    answer = plugin.call("Read", APPLICATION, id=identifier)
    assert from_struct(answer.inputs) == {"displayName": "By hand", "templateId": TEMPLATE, "__defaults": []}
    plugin.tenant.applications.delete_application(object_id)
    assert plugin.call("Read", APPLICATION, id=identifier).id == ""


def test_deleting_what_is_gone_is_an_error(plugin: Plugin) -> None:
    identifier, _ = plugin.create(APPLICATION, APPLICATION_INPUTS)
    plugin.call("Delete", APPLICATION, id=identifier)
    assert not plugin.tenant.applications.applications
    with refused() as texts:
        plugin.call("Delete", APPLICATION, id=identifier)
    assert texts[0].startswith("deleting urn:pulumi:dev::test::")
    assert "deleting Application From Template (Template ID: " in texts[0]
    assert "unexpected status 404 (404 Not Found) with error: Request_ResourceNotFound: " in texts[0]


def test_an_id_of_another_form_is_refused(plugin: Plugin) -> None:
    with refused() as texts:
        plugin.call("Read", APPLICATION, id=f"templates/{TEMPLATE}/instantiate/{NOWHERE}")
    assert "parsing" in texts[0]


def test_a_preview_makes_nothing_and_knows_no_ids(plugin: Plugin) -> None:
    identifier, planned = plugin.create(APPLICATION, APPLICATION_INPUTS, preview=True)
    assert (identifier, planned["displayName"]) == ("", "Fabrikam")
    assert planned["servicePrincipalObjectId"] is UNKNOWN
    assert plugin.calls() == []


def test_checked_inputs_carry_the_mark_of_a_bridged_provider(plugin: Plugin) -> None:
    answer = plugin.call("Check", APPLICATION, news=APPLICATION_INPUTS)
    assert from_struct(answer.inputs) == {**APPLICATION_INPUTS, "__defaults": []}
    assert not answer.failures


@pytest.mark.parametrize(
    ("news", "words"),
    [
        ({"displayName": "x"}, 'Missing required argument. The argument "template_id" is required'),
        ({"displayName": "x", "templateId": "no"}, 'expected "template_id" to be a valid UUID, got no. Examine values'),
        ({"displayName": "", "templateId": TEMPLATE}, 'expected "display_name" to not be an empty string'),
        ({**APPLICATION_INPUTS, "owners": []}, "Invalid or unknown key. Examine values at 'it.owners'."),
    ],
)
def test_wrong_inputs_are_complained_about(plugin: Plugin, news: dict[str, object], words: str) -> None:
    (failure,) = plugin.call("Check", APPLICATION, news=news).failures
    assert failure.reason.startswith(words)


def test_unknown_inputs_are_not_complained_about(plugin: Plugin) -> None:
    assert not plugin.call("Check", APPLICATION, news={"displayName": UNKNOWN, "templateId": UNKNOWN}).failures


def test_other_types_are_refused_by_name(plugin: Plugin) -> None:
    with refused() as texts:
        plugin.call("Check", "azuread:index/group:Group", news={})
    assert "has no resource azuread:index/group:Group" in texts[0]
