"""parseExpression: an expression as the service would keep it, or why it is none."""

from __future__ import annotations

import re
from typing import Any

from lab.entra.exceptions import not_found
from lab.entra.members import check_members, require
from lab.entra.routing import Answer, Call

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\[[A-Za-z][\w.]*\]|[A-Za-z]\w*|[(),])')
_SHAPE = {"expression": str, "testInputObject": object, "targetAttributeDefinition": object}


class _SyntaxError(Exception):
    """It cannot be parsed."""


def parse_expression(call: Call) -> Answer:
    """POST schema/parseExpression."""
    if call.tenant.settings.parse_expression == "missing":
        raise not_found("No HTTP resource was found that matches the request URI.")
    members = check_members(call.body, _SHAPE)
    require(members, "expression")
    body: dict[str, Any] = {
        "@odata.context": call.context("microsoft.graph.parseExpressionResponse"),
        "parsingSucceeded": True,
        "evaluationSucceeded": True,
        "evaluationResult": [],
        "error": None,
        "parsedExpression": None,
    }
    try:
        body["parsedExpression"] = parse(members["expression"])
    except _SyntaxError as error:
        body |= {
            "parsingSucceeded": False,
            "evaluationSucceeded": False,
            "error": {"code": "ParsingError", "message": str(error), "tenantActionable": True},
        }
    return Answer(200, body)


def parse(text: str) -> dict[str, Any]:
    """An `attributeMappingSource`."""
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise _SyntaxError(f"Unexpected character at position {at}.")
        tokens.append(found[1])
        at = found.end()
    source = _term(tokens)
    if tokens:
        raise _SyntaxError(f"Unexpected '{tokens[0]}'.")
    return source


def _term(tokens: list[str]) -> dict[str, Any]:
    if not tokens:
        raise _SyntaxError("Unexpected end of the expression.")
    token = tokens.pop(0)
    if token.startswith('"'):
        return _source("Constant", token.strip('"'), token, [])
    if token.startswith("["):
        return _source("Attribute", token.strip("[]"), token, [])
    if not token[0].isalpha() or not tokens or tokens.pop(0) != "(":
        raise _SyntaxError(f"Unexpected '{token}'.")
    arguments: list[dict[str, Any]] = []
    while tokens and tokens[0] != ")":
        if arguments and tokens.pop(0) != ",":
            raise _SyntaxError("A comma is missing.")
        arguments.append(_term(tokens))
    if not tokens:
        raise _SyntaxError("A closing parenthesis is missing.")
    tokens.pop(0)
    expression = f"{token}({', '.join(one['expression'] for one in arguments)})"
    parameters = [{"key": f"source{index + 1}", "value": one} for index, one in enumerate(arguments)]
    return _source("Function", token, expression, parameters)


def _source(kind: str, name: str, expression: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {"expression": expression, "name": name, "parameters": parameters, "type": kind}
