"""What is asked of Graph before a schema is saved: refusals in words, and no waiting for a helper that is away."""

from __future__ import annotations

from typing import Any

import pytest

from lab.entra.synchronization.schema import template_schema
from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for, refusal
from xtsync_resources.graph.errors import RefusedError
from xtsync_resources.graph.transport import Request, Response, TransportError
from xtsync_resources.sync_schema.authoring import SECONDS, parsed_sources, spelled_operators
from xtsync_resources.sync_schema.document import object_mapping

USERS = object_mapping(template_schema(), "User")
MAPPED: dict[str, Any] = {
    "servicePrincipalId": "sp",
    "jobId": "job",
    "attributeMappings": [{"target": "displayName", "expression": "ToUpper([displayName])"}],
}
FILTERED: dict[str, Any] = {
    "servicePrincipalId": "sp",
    "jobId": "job",
    "scopingFilters": [{"name": "g", "clauses": [{"attribute": "mail", "operator": "Includes", "value": "x"}]}],
}


class Always:
    """The same reply, however often one asks."""

    def __init__(self, reply: Response | TransportError) -> None:
        self.reply = reply

    def send(self, _request: Request) -> Response:
        if isinstance(self.reply, TransportError):
            raise self.reply
        return self.reply


@pytest.mark.parametrize(
    "reply",
    [
        refusal(500),
        refusal(503),
        refusal(404),
        refusal(501),
        refusal(403),
        TransportError("cut off", unsent=False),
        refusal(400, "BadRequest", "Resource not found for the segment 'parseExpression'."),
        refusal(400, "UnknownError", '{"error": {"code": "TemplateNotFound", "message": "No such template."}}'),
        refusal(400, "Request_BadRequest", "Invalid property 'testInputObject'."),
    ],
    ids=["500", "503", "404", "501", "403", "no answer", "no segment", "no template", "another property"],
)
def test_a_helper_that_is_away_is_not_waited_for(reply: Response | TransportError) -> None:
    operation, clock = operation_for(Always(reply))
    assert parsed_sources(operation, MAPPED, USERS) == {}
    assert spelled_operators(operation, FILTERED) == {}
    assert clock.time <= 2 * SECONDS


@pytest.mark.parametrize("member", ["name", "id"])
def test_an_operator_is_known_by_its_name_in_the_pages_or_its_id_in_the_metadata(member: str) -> None:
    operators = [{member: "INCLUDES", "arity": "Binary"}, {member: None}]
    operation, _ = operation_for(ScriptedTransport(answer(200, {"value": operators})))
    assert list(spelled_operators(operation, FILTERED).values()) == ["INCLUDES"]


@pytest.mark.parametrize(
    "reply",
    [
        refusal(400, "BadRequest", "The expression cannot be parsed: Unexpected token"),
        refusal(400, "UnknownError", '{"error": {"code": "ParsingError", "message": "Unexpected token"}}'),
        refusal(400, "BadRequest", "Unexpected token in ToUpper([displayName])"),
        answer(200, {"parsingSucceeded": False, "error": {"message": "Unexpected token"}}),
    ],
    ids=["400", "400 inside", "400 that quotes", "200"],
)
def test_an_expression_that_cannot_be_parsed_is_refused_with_the_remedy(reply: Response) -> None:
    operation, _ = operation_for(ScriptedTransport(reply))
    with pytest.raises(RefusedError) as caught:
        parsed_sources(operation, MAPPED, USERS)
    assert "cannot parse the expression for displayName" in caught.value.what
    assert "Unexpected token" in caught.value.why
    assert "xtsync:attributeMappings" in caught.value.do


def test_annotations_of_a_parsed_expression_are_not_sent_on() -> None:
    parsed = {"@odata.type": "#microsoft.graph.attributeMappingSource", "expression": "ToUpper([displayName])"}
    operation, _ = operation_for(ScriptedTransport(answer(200, {"parsedExpression": parsed})))
    assert parsed_sources(operation, MAPPED, USERS) == {"displayName": {"expression": "ToUpper([displayName])"}}
