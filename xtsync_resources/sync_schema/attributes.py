"""The attributes that a job's schema knows, and the refusal of names that are none of them.

The service takes a filter on an attribute that does not exist, and then nobody passes it: whoever is in the target
would be removed. So names are held against the directories of the very schema that is to be saved.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-directorydefinition
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .document import Json, UnusableSchemaError, find, named_mappings, rule_and_mapping

# One that does not end is one to the end of the expression: to take it for none, and begin again at each of its quotes,
# would cost the square of its length.
TEXT = re.compile(r'"(?:[^"\\]|\\[\s\S])*(?:"|\\?\Z)')
ATTRIBUTE = re.compile(r"\[([^\[\]]+)\]")
EXTENSION = (
    "A directory extension is made known in the portal first (Provisioning > Mappings > Edit attribute list); nothing "
    "of the schema was changed"
)


def in_directory(schema: Json, directory: Any, kind: Any) -> set[str]:
    """The attributes of a kind of objects in a directory; empty where the schema does not list them."""
    return {
        str(attribute["name"])
        for one in schema.get("directories") or ()
        if one.get("name") == directory
        for found in one.get("objects") or ()
        if str(found.get("name")).lower() == str(kind).lower()
        for attribute in found.get("attributes") or ()
        if attribute.get("name")
    }


def read_by(source: Json) -> set[str]:
    """The attributes that a value is made from."""
    if source.get("type") == "Constant":
        return set()
    named = {source["name"]} if source.get("type") == "Attribute" and source.get("name") else set()
    return named | in_expression(str(source.get("expression") or ""))


def in_expression(expression: str) -> set[str]:
    """The attributes in an expression; brackets inside of a text are none."""
    return {name.strip() for name in ATTRIBUTE.findall(TEXT.sub('""', expression))}


def refuse_unknown(schema: Json, mappings: Any, filters: Any) -> None:
    """Refuse names that the schema does not know.

    Args:
        schema: as read, with its directories.
        mappings: those that are to be changed, as the resource's inputs have them.
        filters: the filters, where they are to be changed.

    Raises:
        UnusableSchemaError: an attribute that is to be read or written does not exist.
    """
    rule, users = rule_and_mapping(schema, "User")
    sources = in_directory(schema, rule.get("sourceDirectoryName"), users.get("sourceObjectName"))
    targets = in_directory(schema, rule.get("targetDirectoryName"), users.get("targetObjectName"))
    # What the service has taken before, such as in the template's expressions, need not be listed.
    taken = {name for one in named_mappings(users).values() for name in read_by(one.get("source") or {})}
    for where, name in names_read(mappings, filters):
        refuse(where, name, sources, taken, "source")
    for one in mappings:
        if find(users, one["target"]) is None and one["target"].lower() not in map(str.lower, targets):
            refuse("xtsync:attributeMappings", one["target"], targets, set(), "target")


def names_read(mappings: Any, filters: Any) -> Iterator[tuple[str, str]]:
    """Keys of the configuration, and the attributes in the source that they name."""
    for one in mappings:
        names = {one["source"]} if "source" in one else in_expression(one.get("expression", ""))
        yield from (("xtsync:attributeMappings", name) for name in sorted(names))
    for group in filters:
        yield from (("xtsync:scopingFilters", clause["attribute"]) for clause in group["clauses"])


def refuse(where: str, name: str, known: set[str], taken: set[str], side: str) -> None:
    """Refuse a name that is not known, with the nearest one; where the schema lists none, nothing can be told."""
    if not known or name in known | taken:
        return
    by_lower: Mapping[str, str] = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), by_lower, 1, 0.6)
    do = f"write {by_lower[near[0]]}, if that is what {where} means. " if near else f"correct {where}. "
    raise UnusableSchemaError(f"people in the {side} have no attribute {name!r}, which {where} names", do + EXTENSION)
