"""The part of OData that Graph's collections need: $filter, $orderby, $select, $top and paging."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from lab.entra.exceptions import GraphError
from lab.entra.routing import Call

Entry = Mapping[str, Any]
Test = Callable[[Entry], bool]
Filterable = Mapping[str, frozenset[str]]

TOKENS = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<punctuation>[(),])"
    r"|(?P<word>[A-Za-z_][\w./]*|[0-9][\w:.+-]*(?:-[\w:.+-]*)*))"
)


def unsupported(message: str) -> GraphError:
    """400 for a query the collection does not answer."""
    return GraphError(400, "Request_UnsupportedQuery", message)


def operations(*names: str) -> frozenset[str]:
    """The operators a property can be filtered with."""
    return frozenset(names)


class _Parser:
    """Recursive descent over `or`, `and`, `not`, comparisons, `in`, `contains` and `startswith`."""

    def __init__(self, text: str, filterable: Filterable) -> None:
        self._tokens = self._split(text)
        self._filterable = filterable

    def parse(self) -> Test:
        test = self._alternatives()
        if self._tokens:
            raise self._error(f"unexpected '{self._tokens[0]}'")
        return test

    @staticmethod
    def _error(message: str) -> GraphError:
        return GraphError(400, "BadRequest", f"Invalid filter clause: {message}.")

    def _split(self, text: str) -> list[str]:
        tokens: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            found = TOKENS.match(text, position)
            if found is None:
                raise self._error(f"syntax error at position {position}")
            tokens.append(found.group().strip())
            position = found.end()
        return tokens

    def _next(self) -> str:
        if not self._tokens:
            raise self._error("unexpected end")
        return self._tokens.pop(0)

    def _expect(self, token: str) -> None:
        if (found := self._next()) != token:
            raise self._error(f"'{token}' expected, '{found}' found")

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _alternatives(self) -> Test:
        tests = [self._conjunction()]
        while self._peek() == "or":
            self._next()
            tests.append(self._conjunction())
        return lambda entry: any(test(entry) for test in tests)

    def _conjunction(self) -> Test:
        tests = [self._term()]
        while self._peek() == "and":
            self._next()
            tests.append(self._term())
        return lambda entry: all(test(entry) for test in tests)

    def _term(self) -> Test:
        token = self._next()
        if token == "(":
            test = self._alternatives()
            self._expect(")")
            return test
        if token == "not":
            negated = self._term()
            return lambda entry: not negated(entry)
        if token in ("contains", "startswith"):
            return self._function(token)
        return self._comparison(token)

    def _operand(self, token: str) -> tuple[str, Callable[[Entry], Any]]:
        if token != "tolower":
            return token, lambda entry: value_at(entry, token)
        self._expect("(")
        path = self._next()
        self._expect(")")
        return path, lambda entry: str(value_at(entry, path) or "").lower()

    def _allow(self, path: str, operator: str) -> None:
        if operator not in self._filterable.get(path, frozenset()):
            raise unsupported(f"Unsupported or invalid query filter clause specified for property '{path}'.")

    def _function(self, name: str) -> Test:
        self._expect("(")
        path, read = self._operand(self._next())
        self._allow(path, name)
        self._expect(",")
        wanted = str(_literal(self._next()))
        self._expect(")")
        if name == "contains":
            return lambda entry: wanted in str(read(entry) or "")
        return lambda entry: str(read(entry) or "").startswith(wanted)

    def _comparison(self, token: str) -> Test:
        path, read = self._operand(token)
        operator = self._next()
        self._allow(path, operator)
        if operator == "in":
            wanted = self._list()
            return lambda entry: read(entry) in wanted
        literal = _literal(self._next())
        compare: dict[str, Callable[[Any], bool]] = {
            "eq": lambda value: bool(value == literal),
            "ne": lambda value: bool(value != literal),
            "gt": lambda value: value is not None and bool(value > literal),
            "ge": lambda value: value is not None and bool(value >= literal),
            "lt": lambda value: value is not None and bool(value < literal),
            "le": lambda value: value is not None and bool(value <= literal),
        }
        if operator not in compare:
            raise self._error(f"unknown operator '{operator}'")
        test = compare[operator]
        return lambda entry: test(_moment_like(read(entry), literal))

    def _list(self) -> list[Any]:
        self._expect("(")
        values = [_literal(self._next())]
        while (token := self._next()) == ",":
            values.append(_literal(self._next()))
        if token != ")":
            raise self._error("')' expected")
        return values


def _moment_like(value: Any, literal: Any) -> Any:
    return _moment(value) if isinstance(literal, datetime) and isinstance(value, str) else value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _literal(token: str) -> Any:
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if token in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[token]
    if token.isdigit():
        return int(token)
    try:
        return _moment(token)
    except ValueError:
        return token  # an unquoted GUID


def value_at(entry: Entry, path: str) -> Any:
    """The member at `a/b/c`."""
    value: Any = entry
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def filtered(entries: Iterable[Entry], text: str | None, filterable: Filterable) -> list[Entry]:
    """The entries a `$filter` lets through."""
    if not text:
        return list(entries)
    test = _Parser(text, filterable).parse()
    return [entry for entry in entries if test(entry)]


def ordered(entries: list[Entry], order: str | None, allowed: frozenset[str]) -> list[Entry]:
    """The entries in the order of `$orderby`."""
    if not order:
        return entries
    path, _, direction = order.strip().partition(" ")
    if path not in allowed:
        raise unsupported(f"Sorting by '{path}' is not supported.")
    return sorted(entries, key=lambda entry: str(value_at(entry, path)), reverse=direction.strip() == "desc")


def selected(entry: Entry, select: str | None, keep: tuple[str, ...] = ()) -> dict[str, Any]:
    """Only the members `$select` names, and annotations."""
    if not select:
        return dict(entry)
    names = {name.strip() for name in select.split(",")} | set(keep)
    unknown = sorted(name for name in names if name not in entry and name != "id" and not name.startswith("@"))
    if unknown:
        raise GraphError(400, "BadRequest", f"Could not find a property named '{unknown[0]}'.")
    return {name: value for name, value in entry.items() if name in names or name.startswith("@")}


def page(call: Call, context: str, entries: Sequence[Entry], *, select: bool = True) -> dict[str, Any]:
    """One page of a collection and the link to the next; `select` off when entries are of mixed types."""
    size = 0 if call.tenant.settings.empty_first_page and "$skiptoken" not in call.query else _page_size(call)
    start = _page_start(call)
    names = call.query.get("$select") if select else None
    body: dict[str, Any] = {
        "@odata.context": call.context(context),
        "value": [selected(entry, names) for entry in entries[start : start + size]],
    }
    # What Graph counts, it counts in an index that may be behind.
    if call.query.get("$count") == "true" and call.headers.get("consistencylevel") == "eventual":
        body["@odata.count"] = len(entries)
    if start + size < len(entries):
        token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
        query = {**call.query, "$skiptoken": token}
        body["@odata.nextLink"] = f"{call.base}{call.path}?{urlencode(query)}"
    return body


def _page_size(call: Call) -> int:
    top = call.query.get("$top")
    if top is None:
        return call.tenant.settings.page_size
    if not top.isdigit() or not 1 <= int(top) <= 999:
        raise GraphError(
            400, "BadRequest", f"Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive."
        )
    return int(top)


def _page_start(call: Call) -> int:
    token = call.query.get("$skiptoken")
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except ValueError as error:
        raise GraphError(400, "BadRequest", "The $skiptoken is not valid.") from error
