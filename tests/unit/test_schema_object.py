"""The rules of a job's schema: what is configured is put in, everything else survives, and it all comes back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.entra.synchronization.schema import template_schema
from xtsync_resources.sync_schema.document import (
    UnusableSchemaError,
    find,
    object_mapping,
    unlike,
)
from xtsync_resources.sync_schema.model import (
    FILTERS,
    FLOWS,
    GROUPS,
    MAPPINGS,
    former_parts,
    live_parts,
    order_of,
    put_back,
    put_in,
    record,
    same_source,
    source_from_graph,
    source_to_graph,
)
from xtsync_resources.sync_schema.resource import dropped, former_of

SCHEMA = template_schema()
for directory in SCHEMA["directories"]:
    directory["objects"][0]["attributes"].append({"name": "extension_1a_costCenter", "type": "String"})
TARGETS = st.sampled_from(["department", "displayName", "userType", "jobTitle", "extension_1a_costCenter"])
WAYS = st.one_of(
    st.fixed_dictionaries({"source": st.sampled_from(["department", "city"])}),
    st.fixed_dictionaries({"constant": st.sampled_from(["Guest", "", "a b"])}),
    st.fixed_dictionaries({"expression": st.sampled_from(['Join(" ", [givenName], [surname])', "[city]", '"x"'])}),
)
MORE = st.fixed_dictionaries(
    {}, optional={"apply": st.sampled_from(["Always", "ObjectAddOnly"]), "default": st.sampled_from(["", "none"])}
)
MAPPED = st.one_of(st.just({"remove": True}), st.tuples(WAYS, MORE).map(lambda both: both[0] | both[1]))
CLAUSE = st.sampled_from(
    [
        {"attribute": "department", "operator": "EQUALS", "value": "Sales"},
        {"attribute": "mail", "operator": "IS NOT NULL"},
    ]
)
GROUP = st.fixed_dictionaries({"name": st.sampled_from(["a", "b"]), "clauses": st.lists(CLAUSE, min_size=1)})
WANTED = st.fixed_dictionaries(
    {},
    optional={
        MAPPINGS: st.dictionaries(TARGETS, MAPPED, min_size=1).map(
            lambda many: [{"target": target, **one} for target, one in many.items()]
        ),
        FILTERS: st.lists(GROUP, max_size=2),
        FLOWS: st.sampled_from([["Add"], ["Add", "Update"], ["Add", "Update", "Delete"]]),
        GROUPS: st.just(True),
    },
)


def everything_else(schema: Any, wanted: Any) -> Any:
    """A schema without the parts that are wanted, in an order that says nothing."""
    rest = copy.deepcopy(schema)
    users = object_mapping(rest, "User")
    targets = {one["target"] for one in wanted.get(MAPPINGS, ())}
    others = (one for one in users["attributeMappings"] if one["targetAttributeName"] not in targets)
    users["attributeMappings"] = sorted(json.dumps(one, sort_keys=True) for one in others)
    if FILTERS in wanted:
        users["scope"].pop("groups")
    if FLOWS in wanted:
        users.pop("flowTypes")
    if GROUPS in wanted:
        object_mapping(rest, "Group").pop("enabled")
    return rest


@given(WANTED)
def test_what_is_wanted_is_put_in_and_nothing_else_changes(wanted: Any) -> None:
    made = put_in(SCHEMA, wanted, {})
    assert live_parts(made, wanted) == wanted
    assert everything_else(made, wanted) == everything_else(SCHEMA, wanted)
    assert not unlike(made, put_in(made, wanted, {})), "a second time changes nothing"


@given(WANTED)
def test_what_was_before_comes_back(wanted: Any) -> None:
    former = json.loads(json.dumps(former_parts(wanted, record(SCHEMA))))
    back = put_back(put_in(SCHEMA, wanted, {}), former)
    assert everything_else(back, {}) == everything_else(SCHEMA, {})


@given(WANTED, WANTED)
def test_a_change_restores_what_is_dropped_and_remembers_what_was_first(first: Any, second: Any) -> None:
    before = record(SCHEMA)
    known = former_parts(first, before)
    live = put_in(SCHEMA, first, {})
    former = former_of(second, known, before, live)
    changed = put_in(put_back(live, dropped(known, second)), second, {})
    assert live_parts(changed, second) == second
    assert former == former_parts(second, before)
    assert everything_else(put_back(changed, former), {}) == everything_else(SCHEMA, {})


def test_a_killed_run_does_not_take_its_own_value_for_somebody_elses() -> None:
    wanted = {FLOWS: ["Add"], MAPPINGS: [{"target": "department", "constant": "x"}]}
    written = put_in(SCHEMA, wanted, {})
    assert former_of(wanted, {}, record(SCHEMA), written) == former_parts(wanted, record(SCHEMA))


def test_a_value_somebody_else_has_set_since_is_what_comes_back() -> None:
    wanted = {FLOWS: ["Add"]}
    theirs = put_in(SCHEMA, {FLOWS: ["Add", "Update"]}, {})
    assert former_of(wanted, {}, record(SCHEMA), theirs) == {FLOWS: "Add, Update"}


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [
        ({"type": "Constant", "name": "Member", "expression": '"Member"'}, {"constant": "Member"}, True),
        ({"type": "Constant", "name": "Member", "expression": "Member"}, {"constant": "Member"}, True),
        ({"type": "Constant", "name": None, "expression": '"Member"'}, {"constant": "Member"}, True),
        ({"type": "Constant", "name": "Guest", "expression": '"Guest"'}, {"constant": "Member"}, False),
        ({"type": "Attribute", "name": "city", "expression": "[city]"}, {"source": "city"}, True),
        ({"type": "Attribute", "name": "city", "expression": "[city]"}, {"expression": "[ city ]"}, True),
        ({"type": "Attribute", "name": "city", "expression": "[city]"}, {"source": "country"}, False),
        ({"type": "Function", "expression": 'Join( " ", [a],[b] )'}, {"expression": 'Join(" ", [a], [b])'}, True),
        ({"type": "Function", "expression": 'Join("", [a])'}, {"expression": 'Join(" ", [a])'}, False),
    ],
)
def test_the_same_in_another_writing_is_no_drift(live: Any, wanted: Any, same: bool) -> None:
    assert same_source(live, wanted) is same


def test_what_people_are_matched_by_cannot_be_changed() -> None:
    with pytest.raises(UnusableSchemaError, match="matched by alternativeSecurityIds"):
        put_in(SCHEMA, {MAPPINGS: [{"target": "alternativeSecurityIds", "constant": "x"}]}, {})
    users_only = copy.deepcopy(SCHEMA)
    users_only["synchronizationRules"][0]["objectMappings"].pop()
    with pytest.raises(UnusableSchemaError, match="no objects of the kind Group"):
        put_in(users_only, {GROUPS: True}, {})


def test_targets_are_one_in_any_case() -> None:
    made = put_in(SCHEMA, {MAPPINGS: [{"target": "Department", "constant": "x"}]}, {})
    targets = [one["targetAttributeName"].lower() for one in object_mapping(made, "User")["attributeMappings"]]
    assert targets.count("department") == 1
    former = former_parts({MAPPINGS: [{"target": "Department", "constant": "x"}]}, record(SCHEMA))
    assert put_back(made, former) == SCHEMA


@pytest.mark.parametrize("scope", [None, {}, {"groups": [], "inputFilterGroups": []}])
def test_a_scope_is_put_back_without_null_in_the_place_of_a_list(scope: Any) -> None:
    before = copy.deepcopy(SCHEMA)
    object_mapping(before, "User")["scope"] = scope
    wanted = {FILTERS: [{"name": "g", "clauses": [{"attribute": "mail", "operator": "IS NOT NULL"}]}]}
    made = put_in(before, wanted, {})
    back = object_mapping(put_back(made, former_parts(wanted, record(before))), "User")["scope"]
    assert back == (scope or None)


def test_an_expression_in_the_service_s_own_writing_is_no_drift() -> None:
    wanted = {"target": "displayName", "expression": "toUpper([displayName])"}
    theirs = {"type": "Function", "name": "ToUpper", "expression": "ToUpper([displayName], )", "parameters": []}
    made = put_in(SCHEMA, {MAPPINGS: [wanted]}, {"displayName": theirs})
    (found,) = live_parts(made, {MAPPINGS: [wanted]}, {"displayName": "ToUpper([displayName],)"})[MAPPINGS]
    assert found == wanted
    (drifted,) = live_parts(made, {MAPPINGS: [wanted]}, {"displayName": "ToLower([displayName])"})[MAPPINGS]
    assert drifted["expression"] == theirs["expression"]


@pytest.mark.parametrize("removed", [["department"], ["alternativeSecurityIds"], ["userPrincipalName", "mail"]])
def test_removed_mappings_come_back_where_they_were(removed: list[str]) -> None:
    before = copy.deepcopy(SCHEMA)
    if "alternativeSecurityIds" in removed:  # the very first one, as if people were matched by another
        object_mapping(before, "User")["attributeMappings"][0]["matchingPriority"] = 0
    wanted = {MAPPINGS: [{"target": target, "remove": True} for target in removed]}
    made = put_in(before, wanted, {})
    recorded = json.loads(json.dumps(record(before), sort_keys=True))
    assert put_back(made, former_parts(wanted, recorded), order_of(recorded)) == before


@pytest.mark.parametrize("text", ["Contoso", 'He said "hi"', "a\\b", '"', ""])
def test_a_constant_with_quotes_is_escaped_and_read_back(text: str) -> None:
    source = source_to_graph({"constant": text})
    assert source["name"] == text
    assert source_from_graph({**source, "name": None})["constant"] == text
    assert same_source(source, {"constant": text})


def test_flow_types_that_were_not_there_are_not_there_again() -> None:
    before = copy.deepcopy(SCHEMA)
    del object_mapping(before, "User")["flowTypes"]
    made = put_in(before, {FLOWS: ["Add"]}, {})
    assert put_back(made, former_parts({FLOWS: ["Add"]}, record(before))) == before


def test_no_flow_at_all_has_a_name() -> None:
    made = put_in(SCHEMA, {FLOWS: []}, {})
    assert object_mapping(made, "User")["flowTypes"] == "None"
    assert live_parts(made, {FLOWS: []}) == {FLOWS: []}


def test_graphs_own_form_of_an_expression_is_used() -> None:
    wanted = {MAPPINGS: [{"target": "department", "expression": "Trim([city])"}]}
    parsed = {"type": "Function", "name": "Trim", "expression": "Trim([city])", "parameters": [{"key": "source"}]}
    made = put_in(SCHEMA, wanted, {"department": parsed})
    mapping = find(object_mapping(made, "User"), "department")
    assert mapping is not None
    assert mapping["source"] == parsed
