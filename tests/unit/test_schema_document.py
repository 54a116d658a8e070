"""A job's schema as services write it: its parts are found, what is known is told, and only what is ours is sent."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from lab.entra.synchronization.schema import template_schema
from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for, refusal
from xtsync_resources.graph.errors import RefusedError
from xtsync_resources.sync_schema.document import (
    UnusableSchemaError,
    documented,
    object_mapping,
    unlike,
    without_annotations,
)
from xtsync_resources.sync_schema.model import (
    FILTERS,
    FLOWS,
    MAPPINGS,
    filters_from_graph,
    former_parts,
    live_parts,
    order_of,
    put_back,
    put_in,
    record,
    same_source,
    source_from_graph,
)
from xtsync_resources.sync_schema.writing import change

SCHEMA = template_schema()
for directory in SCHEMA["directories"]:
    directory["objects"][0]["attributes"].append({"name": "extension_1a_costCenter", "type": "String"})


def everywhere(value: Any, more: dict[str, Any]) -> Any:
    """A JSON value with further members in each of its objects."""
    if isinstance(value, dict):
        return {**{name: everywhere(part, more) for name, part in value.items()}, **more}
    return [everywhere(part, more) for part in value] if isinstance(value, list) else value


def test_what_the_service_adds_is_not_sent_back() -> None:
    schema = {name: value for name, value in SCHEMA.items() if name not in ("id", "version")}
    assert documented(SCHEMA) == schema
    added = {**everywhere(SCHEMA, {"@odata.type": "x", "a@odata.context": "y"}), "provisioningTaskIdentifier": "z"}
    assert documented(added) == schema
    for rule in added["synchronizationRules"]:
        rule["later"] = 1
        for mapping in rule["objectMappings"]:
            mapping["changeId"] = "x"
            for one in mapping["attributeMappings"]:
                one["source"]["later"] = 1
    assert documented(added) == schema
    assert not unlike(SCHEMA, added)
    assert without_annotations([{"a@odata.bind": 1, "b": 2}]) == [{"b": 2}]


def test_parameters_of_functions_are_sent_back_at_any_depth() -> None:
    inner = {"expression": "[city]", "name": "city", "parameters": [], "type": "Attribute"}
    outer = {"expression": "Trim([city])", "name": "Trim", "parameters": [{"key": "source", "value": inner}]}
    twice = {"expression": "ToUpper(Trim([city]))", "parameters": [{"key": "source", "value": outer}]}
    assert documented(everywhere(twice, {"@odata.type": "x"}), "source") == twice


def mapping(kind: str = "User", *, enabled: bool = True, **more: Any) -> dict[str, Any]:
    return {"sourceObjectName": kind, "targetObjectName": kind, "enabled": enabled, "attributeMappings": [], **more}


@pytest.mark.parametrize(
    ("mappings", "place"),
    [
        ([mapping("user")], 0),
        ([mapping("User", enabled=False)], 0),
        ([mapping("User", enabled=False), mapping("USER")], 1),
        ([mapping("Contact"), mapping("User", name=None)], 1),
        ([mapping("User"), mapping("User", enabled=False)], 0),
        ([mapping("User"), mapping("User")], None),
        ([mapping("User", enabled=False), mapping("User", enabled=False)], None),
        ([{"enabled": True}, mapping("Group")], None),
        ([], None),
    ],
)
def test_the_mapping_of_people_is_the_one_that_is_turned_on(mappings: list[Any], place: int | None) -> None:
    schema = {"synchronizationRules": [{"id": "r", "objectMappings": mappings}]}
    if place is None:
        with pytest.raises(UnusableSchemaError, match="kind User"):
            object_mapping(schema, "User")
    else:
        assert object_mapping(schema, "User") is mappings[place]


def test_attribute_mappings_without_a_target_stay_where_they_are() -> None:
    before = copy.deepcopy(SCHEMA)
    object_mapping(before, "User")["attributeMappings"][2:2] = [
        {"source": {"type": "Constant"}},
        {"targetAttributeName": None},
    ]
    wanted = {MAPPINGS: [{"target": "city", "constant": "x"}, {"target": "department", "remove": True}]}
    made = put_in(before, wanted, {})
    assert live_parts(made, wanted) == wanted
    assert put_back(made, former_parts(wanted, record(before)), order_of(record(before))) == before


@pytest.mark.parametrize("values", [[], [""], ["x"], None])
@pytest.mark.parametrize("operator", ["IS NULL", "IS_NOT_NULL", "is true", "IS FALSE"])
def test_what_an_operator_without_a_value_is_given_says_nothing(operator: str, values: Any) -> None:
    clause = {"sourceOperandName": "mail", "operatorName": operator, "targetOperand": {"values": values}}
    (found,) = filters_from_graph([{"clauses": [clause]}])
    assert found["name"] == ""
    (said,) = found["clauses"]
    assert said.keys() == {"attribute", "operator"}
    before = copy.deepcopy(SCHEMA)
    object_mapping(before, "User")["scope"]["groups"] = [{"name": None, "clauses": [clause]}]
    assert not unlike(before, put_in(before, {FILTERS: [found]}, {})), "no eternal diff"


def test_a_constant_whose_name_is_empty_is_its_expression() -> None:
    live = {"type": "Constant", "name": "", "expression": '"Member"'}
    assert source_from_graph(live) == {"constant": "Member"}
    assert same_source(live, {"constant": "Member"})
    assert not same_source(live, {"constant": ""})


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (
            {FILTERS: [{"name": "g", "clauses": [{"attribute": "departmnt", "operator": "IS NULL"}]}]},
            "write department",
        ),
        (
            {FILTERS: [{"name": "g", "clauses": [{"attribute": "Department", "operator": "IS NULL"}]}]},
            "write department",
        ),
        ({MAPPINGS: [{"target": "city", "source": "zzz"}]}, "correct xtsync:attributeMappings"),
        ({MAPPINGS: [{"target": "city", "expression": 'Join("[a]", [givenNam], [city])'}]}, "write givenName"),
        ({MAPPINGS: [{"target": "citty", "constant": "x"}]}, "write city"),
        ({MAPPINGS: [{"target": "extension_2b_x", "source": "city"}]}, "directory extension"),
    ],
)
def test_an_attribute_that_the_schema_does_not_know_is_refused(wanted: Any, says: str) -> None:
    with pytest.raises(UnusableSchemaError, match="have no attribute") as caught:
        put_in(SCHEMA, wanted, {})
    assert says in caught.value.do


@pytest.mark.parametrize(
    "wanted",
    [
        {MAPPINGS: [{"target": "city", "expression": 'Join("[not one]", [netId], [city])'}]},
        {MAPPINGS: [{"target": "city", "constant": "[not one]"}]},
        {MAPPINGS: [{"target": "nothing", "remove": True}]},
        {MAPPINGS: [{"target": "Department", "source": "city"}]},
        {MAPPINGS: [{"target": "extension_1a_costCenter", "source": "extension_1a_costCenter"}]},
        {FILTERS: [{"name": "", "clauses": [{"attribute": "objectId", "operator": "IS NOT NULL"}]}]},
    ],
)
def test_an_attribute_that_the_schema_knows_or_uses_already_is_taken(wanted: Any) -> None:
    put_in(SCHEMA, wanted, {})


def test_what_is_there_already_is_not_judged() -> None:
    before = copy.deepcopy(SCHEMA)
    clause = {"sourceOperandName": "old", "operatorName": "IS NULL", "targetOperand": {"values": []}}
    object_mapping(before, "User")["scope"]["groups"] = [{"name": "g", "clauses": [clause]}]
    object_mapping(before, "User")["attributeMappings"].append(
        {"targetAttributeName": "older", "source": {"type": "Attribute", "name": "oldest", "expression": "[oldest]"}}
    )
    wanted = {
        FILTERS: [{"name": "g", "clauses": [{"attribute": "old", "operator": "IS NULL"}]}],
        MAPPINGS: [{"target": "older", "source": "oldest"}],
    }
    assert not unlike(before, put_in(before, wanted, {}))


def test_nothing_is_refused_where_the_schema_lists_no_attributes() -> None:
    bare = {**copy.deepcopy(SCHEMA), "directories": [{"name": one["name"]} for one in SCHEMA["directories"]]}
    put_in(bare, {MAPPINGS: [{"target": "x", "source": "y"}]}, {})


def test_a_schema_without_its_directories_is_not_sent_back() -> None:
    """PUT deletes what is left out."""
    bare = answer(200, {k: v for k, v in SCHEMA.items() if k != "directories"})
    for expanded in (bare, refusal(400, "BadRequest", "Could not find a property named 'directories'"), refusal(501)):
        transport = ScriptedTransport(bare, expanded)
        operation, _ = operation_for(transport)
        with pytest.raises(RefusedError, match="leaves out the directories"):
            change(operation, {"servicePrincipalId": "sp", "jobId": "job"}, dict)
        assert [request.method for request in transport.requests] == ["GET", "GET"]


def test_directories_that_are_left_out_are_asked_for_and_sent_back() -> None:
    bare = answer(200, {k: v for k, v in SCHEMA.items() if k != "directories"})
    transport = ScriptedTransport(bare, answer(200, SCHEMA), answer(204))
    operation, _ = operation_for(transport)
    change(operation, {"servicePrincipalId": "sp", "jobId": "job"}, lambda schema: put_in(schema, {FLOWS: ["Add"]}, {}))
    assert transport.requests[1].url.endswith("/schema?$expand=directories")
    sent = json.loads(transport.requests[2].body or b"")
    assert set(sent) == {"directories", "synchronizationRules"}
    assert sent["directories"] == SCHEMA["directories"]


def test_members_that_nobody_documents_are_left_out_of_the_smallest_types_too() -> None:
    pair, new = {"key": "k", "value": "v"}, {"somethingNew": 1, "@microsoft.graph.tips": "x"}
    rule = {"metadata": [pair], "containerFilter": {"includedContainers": []}, "groupFilter": {"includedGroups": []}}
    more = {
        "metadata": [{**pair, **new}],
        "containerFilter": {"includedContainers": [], **new},
        "groupFilter": {"includedGroups": [], **new},
    }
    assert documented(more, "rule") == rule
    reference = {"referencedObjectName": "User", "referencedProperty": "id"}
    attribute = {"apiExpressions": [pair], "referencedObjects": [reference]}
    more_of_it = {"apiExpressions": [{**pair, **new}], "referencedObjects": [{**reference, **new}]}
    assert documented(more_of_it, "attribute") == attribute
