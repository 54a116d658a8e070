"""Mappings and scoping filters at work: who arrives and as what, what is said, and what a kill leaves."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from lab.entra import Fault
from lab.entra.synchronization import filters
from lab.entra.synchronization.schema import object_mapping
from tests.scenarios.stacks import Command, Lab, changed, messages, ours, told, writes
from tests.scenarios.steps import export
from tests.scenarios.tenants import schema_of


def sales(**more: Any) -> list[dict[str, Any]]:
    clause = {"attribute": "department", "operator": "equals", "value": "Sales"}
    return [{"name": "Sales only", "clauses": [clause]}]


def department(lab: Lab, name: str, value: str) -> None:
    (user,) = (u for u in lab.source.directory.users.values() if u.user_principal_name == name)
    user.department = value


def two_people(lab: Lab) -> None:
    department(lab, "alice@contoso.com", "Sales")
    department(lab, "bob@contoso.com", "Legal")
    lab.stack.config |= {"xtsync:users": ["alice@contoso.com", "bob@contoso.com"], "xtsync:groups": []}


def test_people_outside_of_the_filters_do_not_arrive_and_the_rest_as_what_is_stated(lab: Lab) -> None:
    two_people(lab)
    lab.stack.config |= {"xtsync:scopingFilters": sales(), "xtsync:userType": "guest"}
    lab.stack.run("up")
    lab.pass_time()
    assert lab.arrived() == {"alice@contoso.com"}
    (alice,) = (u for u in lab.target.directory.users.values() if u.origin)
    assert alice.user_type == "Guest"
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0


def test_operators_whose_names_are_not_sure_are_spelled_as_the_service_does(lab: Lab) -> None:
    two_people(lab)
    clause = {"attribute": "department", "operator": "includes", "value": "ale"}
    lab.stack.config["xtsync:scopingFilters"] = [{"name": "Sales", "clauses": [clause]}]
    lab.stack.run("up")
    groups = object_mapping(schema_of(lab), "User")["scope"]["groups"]
    assert groups[0]["clauses"][0]["operatorName"] == "INCLUDES"
    lab.pass_time()
    assert lab.arrived() == {"alice@contoso.com"}
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
    answer = Fault(method="GET", path="/filterOperators$", status=404, code="UnknownError")
    lab.entra.faults.add(answer)
    lab.stack.config["xtsync:scopingFilters"][0]["name"] = "Another"
    lab.stack.run("up")
    groups = object_mapping(schema_of(lab), "User")["scope"]["groups"]
    assert (groups[0]["name"], groups[0]["clauses"][0]["operatorName"]) == ("Another", "Includes")


def test_an_operator_the_service_does_not_have_is_refused_before_anything_is_written(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.stack.run("up")
    clause = {"attribute": "department", "operator": "endsWith", "value": "s"}
    lab.stack.config["xtsync:scopingFilters"] = [{"name": "x", "clauses": [clause]}]
    monkeypatch.setattr(filters, "OPERATORS", ("EQUALS",))
    before = copy.deepcopy(schema_of(lab))
    result = lab.stack.run("up", fails=True)
    assert any("Cannot filter by ENDS_WITH" in text and "only EQUALS" in text for text in messages(result))
    assert schema_of(lab) == before


@pytest.mark.parametrize(("method", "skip"), [("GET", 0), ("GET", 1), ("PUT", 0)])
def test_a_new_job_that_is_not_everywhere_yet_is_waited_for(lab: Lab, method: str, skip: int) -> None:
    gone = Fault(method=method, path="/schema$", status=404, code="UnknownError", skip=skip, times=3)
    lab.entra.faults.add(gone)
    lab.stack.config["xtsync:userType"] = "guest"
    lab.stack.run("up")
    assert not lab.entra.faults.pending
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0


def test_a_preview_refuses_what_up_would(lab: Lab) -> None:
    lab.stack.run("up")
    mail = next(
        one
        for one in object_mapping(schema_of(lab), "User")["attributeMappings"]
        if one["targetAttributeName"] == "mail"
    )
    mail["matchingPriority"] = 2
    lab.stack.config["xtsync:attributeMappings"] = [{"target": "mail", "constant": "x"}]
    (text,) = messages(lab.stack.run("preview", fails=True))
    assert "Cannot manage the schema of the job" in text
    assert "people are matched by mail" in text


def test_a_schema_without_people_is_said_and_does_not_hold_up_destroy(lab: Lab) -> None:
    before = lab.settings()
    lab.stack.config["xtsync:userType"] = "guest"
    lab.stack.run("up")
    object_mapping(schema_of(lab), "User")["sourceObjectName"] = "Contact"
    assert "maps no objects of the kind User" in "".join(messages(lab.stack.run("refresh", fails=True)))
    result = lab.stack.run("destroy")
    assert "the job's schema stays as it is" in told(result, "schema")
    assert lab.settings() == before


def test_promise_6_a_filter_on_a_job_that_runs_is_warned_about_before(lab: Lab) -> None:
    two_people(lab)
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.config["xtsync:scopingFilters"] = sales()
    preview = lab.stack.run("preview")
    assert "whoever is outside of them is removed from it" in told(preview, "schema")
    assert 'scopingFilters: [] -> [{"clauses"' in told(preview, "schema")
    lab.stack.config["xtsync:flowTypes"] = ["add", "update"]
    assert "removed from the target" not in told(lab.stack.run("preview"), "schema")
    lab.stack.run("up")
    lab.pass_time()
    assert lab.arrived() == {"alice@contoso.com", "bob@contoso.com"}


def test_an_expression_is_checked_by_graph_before_anything_is_written(lab: Lab) -> None:
    lab.stack.run("up")
    before = json.dumps(schema_of(lab))
    lab.stack.config["xtsync:attributeMappings"] = [{"target": "department", "expression": "Join("}]
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert "Graph cannot parse the expression for department in the source tenant Contoso" in text
    assert "A closing parenthesis is missing" in text
    assert json.dumps(schema_of(lab)) == before
    lab.stack.config["xtsync:attributeMappings"] = [{"target": "department", "expression": "Trim( [city] )"}]
    lab.stack.run("up")
    (source,) = (
        one["source"]
        for one in object_mapping(schema_of(lab), "User")["attributeMappings"]
        if one["targetAttributeName"] == "department"
    )
    assert source["parameters"][0]["value"]["name"] == "city"
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0


def test_a_service_that_checks_no_expressions_gets_them_all_the_same(lab: Lab) -> None:
    lab.entra.settings = replace(lab.entra.settings, parse_expression="missing")
    lab.stack.config["xtsync:attributeMappings"] = [{"target": "department", "expression": "Trim([city])"}]
    lab.stack.run("up")
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0


@pytest.mark.real
def test_promise_6_a_filter_on_an_attribute_that_nobody_has_is_refused_before_anything_is_written(lab: Lab) -> None:
    two_people(lab)
    wrong = [{"name": "Sales", "clauses": [{"attribute": "departmnt", "operator": "equals", "value": "Sales"}]}]
    lab.stack.config["xtsync:scopingFilters"] = wrong
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert "people in the source have no attribute 'departmnt', which xtsync:scopingFilters names" in text
    assert "write department" in text
    assert [job.schedule_state for job in lab.jobs()] == ["Disabled"]
    lab.stack.config["xtsync:scopingFilters"] = sales()
    lab.stack.run("up")
    lab.pass_time()
    before = copy.deepcopy(schema_of(lab))
    lab.stack.config["xtsync:scopingFilters"] = wrong
    for operation in ("preview", "up"):
        assert "no attribute 'departmnt'" in "\n".join(messages(lab.stack.run(operation, fails=True)))
    assert schema_of(lab) == before
    lab.pass_time()
    assert lab.arrived() == {"alice@contoso.com"}


@pytest.mark.real
@pytest.mark.parametrize("more", [{"schema_directories": "expanded"}, {"schema_additions": True}])
def test_a_schema_is_sent_back_as_it_is_documented_however_it_is_read(lab: Lab, more: Any) -> None:
    lab.source.settings = replace(lab.source.settings, **more)
    lab.stack.config |= {"xtsync:userType": "guest", "xtsync:scopingFilters": sales()}
    before = len(lab.entra.traffic)
    lab.stack.run("up")
    (sent,) = (c.request_body for c in lab.calls_since(before) if c.method == "PUT" and c.path.endswith("/schema"))
    assert set(sent) == {"directories", "synchronizationRules"}
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
    lab.stack.run("destroy")


@pytest.mark.real
def test_a_schema_that_is_written_in_another_way_shows_no_drift_and_is_exported(lab: Lab, xtsync: Command) -> None:
    """Kinds in small letters, a mapping that is off before the one that counts, names and values that are empty."""
    xtsync.up()
    (rule,) = schema_of(lab)["synchronizationRules"]
    users = object_mapping(schema_of(lab), "User")
    users["sourceObjectName"] = users["targetObjectName"] = "user"
    off = {**copy.deepcopy(users), "name": None, "enabled": False}
    rule["objectMappings"].insert(0, off)
    clause = {"sourceOperandName": "mail", "operatorName": "IS NOT NULL", "targetOperand": {"values": [""]}}
    users["scope"]["groups"] = [{"name": "", "clauses": [clause]}]
    mapping = next(one for one in users["attributeMappings"] if one["targetAttributeName"] == "userType")
    mapping["source"] |= {"name": "", "expression": '"Guest"'}
    said = export(lab, xtsync, "--json")
    config = said.document["config"]
    assert config["xtsync:scopingFilters"] == [{"clauses": [{"attribute": "mail", "operator": "isNotNull"}]}]
    assert config["xtsync:userType"] == "guest"
    assert not [warning for warning in said.document["warnings"] if "filter" in warning]
    lab.stack.config = config
    previewed = told(lab.stack.run("preview"), "schema")
    assert "it is as configured" in previewed
    lab.stack.run("up")
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
    assert off["scope"]["groups"] == []


def test_filters_that_the_configuration_cannot_say_are_no_part_of_an_export(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    for clause in (
        {"sourceOperandName": "mail", "operatorName": "EQUALS", "targetOperand": {"values": []}},
        {"sourceOperandName": "mail", "operatorName": "EQUALS", "targetOperand": {"values": [""]}},
        {"sourceOperandName": "mail", "operatorName": "EQUALS", "targetOperand": {"values": [" x"]}},
        {"sourceOperandName": None, "operatorName": "IS NULL", "targetOperand": None},
        {"sourceOperandName": "manager", "operatorName": "IS NULL", "targetOperand": {"values": []}},
        {"sourceOperandName": "mail", "operatorName": "REGEX MATCH", "targetOperand": {"values": ["("]}},
    ):
        object_mapping(schema_of(lab), "User")["scope"]["groups"] = [{"name": "g", "clauses": [clause]}]
        document = export(lab, xtsync, "--json").document
        assert "xtsync:scopingFilters" not in document["config"], clause
        assert any("scoping filters say more" in warning for warning in document["warnings"]), clause


def test_promise_7_a_schema_written_by_a_run_that_failed_then_is_still_put_back(lab: Lab) -> None:
    """The answer of the write is lost and so is the run: the next one finds its own values."""
    lab.stack.run("up")
    first = json.dumps(schema_of(lab)["synchronizationRules"])
    lab.stack.config |= {"xtsync:flowTypes": ["add"], "xtsync:deadlineMinutes": 0.5}
    lab.entra.faults.add(Fault(method="PUT", path="schema$", status=504, when="after", times=100))
    lab.stack.run("up", fails=True)
    assert object_mapping(schema_of(lab), "User")["flowTypes"] == "Add"
    lab.entra.faults.clear()
    del lab.stack.config["xtsync:deadlineMinutes"]
    assert changed(lab.stack.run("up"))["schema"] == "update"
    del lab.stack.config["xtsync:flowTypes"]
    assert changed(lab.stack.run("up"))["schema"] == "delete"
    assert json.dumps(schema_of(lab)["synchronizationRules"]) == first


def test_groups_arrive_where_they_are_configured(lab: Lab) -> None:
    lab.stack.config["xtsync:syncGroups"] = True
    before = len(lab.entra.traffic)
    lab.stack.run("up")
    lab.pass_time()
    lab.pass_time()
    assert "Finance" in {group.display_name for group in lab.target.directory.groups.values()}
    beta = {call.path.rsplit("/", 1)[-1] for call in ours(lab.calls_since(before)) if call.version == "beta"}
    assert beta == {"identitySynchronization"}
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
    del lab.stack.config["xtsync:syncGroups"]
    before = len(lab.entra.traffic)
    lab.stack.run("up")
    policy = lab.target.policies.partners[lab.source.tenant_id].identity_sync
    assert policy is not None
    assert policy.members["groupSyncInbound"] == {"isSyncAllowed": False}
    done = [call.path.rsplit("/", 1)[-1] for call in writes(ours(lab.calls_since(before)))]
    assert sorted(done) == ["identitySynchronization", "schema"]


def test_groups_of_a_job_that_had_everybody_wait_for_its_restart(lab: Lab) -> None:
    lab.stack.run("up")
    lab.stack.keep_only(lambda resource: "dynamic/xtsync" not in resource["type"])
    (principal,) = (p for p in lab.source.applications.principals.values() if p.synchronization.jobs)
    principal.synchronization.secrets["SyncAll"] = "true"
    lab.stack.config["xtsync:syncGroups"] = True
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert "Will not synchronize groups with the job" in text
    assert "`xtsync restart`" in text
    assert object_mapping(schema_of(lab), "Group")["enabled"] is False
    assert lab.jobs()[0].schedule_state == "Paused"
    result = lab.stack.run("up")
    assert "If it was not restarted since" in told(result, "schema")
    assert object_mapping(schema_of(lab), "Group")["enabled"] is True
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
