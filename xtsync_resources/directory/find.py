"""Users and groups of a tenant, by name or object id: fifteen in a filter, twenty filters in a request.

`directoryObjects/getByIds` would take a thousand ids at once, and Directory.Read.All, which nothing else here needs.

Source: https://learn.microsoft.com/graph/filter-query-parameter
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from ..graph.call import Call
from ..graph.errors import GraphError
from . import calls

if TYPE_CHECKING:
    from ..graph.operation import Operation

# The most that Graph takes after `in`.
MOST_IN_A_FILTER = 15
# What a filter may be answered with: a name in it that breaks it, nobody, and an address that is too long.
ASKED_ALONE = (400, 404, 413, 414)
PURPOSE = "look up users and groups"
Json = Mapping[str, Any]
# (kind, name or object id in lower case) -> object ids.
Found = Mapping[tuple[str, str], Collection[str]]
# The same, with what Graph tells of each object.
FoundObjects = Mapping[tuple[str, str], Mapping[str, Json]]


@dataclass(frozen=True)
class Kind:
    """How one kind of object is found.

    Attributes:
        name: the property that people call it by.
        search: all that have one of several values in a property.
        look: those that have one name.
        get: the one that has an object id.
    """

    name: str
    search: Callable[[str, Sequence[str]], Call]
    look: Callable[[str], Call]
    get: Callable[[str], Call]


KINDS = {
    "user": Kind("userPrincipalName", calls.search_users, calls.get_user, calls.get_user),
    "group": Kind("displayName", calls.search_groups, calls.find_groups, calls.get_group),
}


def find(operation: Operation, wanted: Mapping[str, Collection[str]], is_id: Callable[[str], Any]) -> Found:
    """Object ids of users and groups; several, where several groups have the same name.

    Calls and errors: those of `find_objects`.

    Args:
        operation: in the tenant.
        wanted: names and object ids, by kind.
        is_id: whether one is an object id.
    """
    return {key: set(objects) for key, objects in find_objects(operation, wanted, is_id).items()}


def find_objects(
    operation: Operation, wanted: Mapping[str, Collection[str]], is_id: Callable[[str], Any]
) -> FoundObjects:
    """Users and groups by object id, for each kind and name or object id in lower case that was asked for.

    Whoever no filter finds is asked for alone: a filter may not know yet what can be read already. Whoever answers to
    another name is somebody else.

    Calls: POST $batch of GET users and groups (User.Read.All, GroupMember.Read.All), for those not found one by one.

    Args:
        operation: in the tenant.
        wanted: names and object ids, by kind.
        is_id: whether one is an object id.

    Raises:
        CallError: a lookup failed.
    """
    found: dict[tuple[str, str], dict[str, Json]] = defaultdict(dict)
    searches = [search for kind, names in wanted.items() for search in searches_for(kind, names, is_id)]
    for (kind, key, call), answer in zip(
        searches, read(operation, [call for *_, call in searches], passes=ASKED_ALONE), strict=True
    ):
        for one in entries(operation, call, answer):
            found[kind, str(one.get(key)).lower()][str(one["id"])] = one
    missing = [(kind, name) for kind, names in wanted.items() for name in names if (kind, name.lower()) not in found]
    alone = [KINDS[kind].get(name) if is_id(name) else KINDS[kind].look(name) for kind, name in missing]
    for (kind, name), call, answer in zip(missing, alone, read(operation, alone), strict=True):
        for one in entries(operation, call, answer):
            if is_id(name) or is_called(kind, one, name):
                found[kind, name.lower()][str(one["id"])] = one
    return found


def by_id(operation: Operation, kind: str, ids: Collection[str]) -> dict[str, Json]:
    """The users or groups that are there, by object id. Calls and errors: those of `find_objects`."""
    found = find_objects(operation, {kind: list(dict.fromkeys(ids))}, lambda _: True)
    return {object_id: one for objects in found.values() for object_id, one in objects.items()}


def searches_for(kind: str, names: Collection[str], is_id: Callable[[str], Any]) -> Iterator[tuple[str, str, Call]]:
    """The calls that look for all of a kind, with the property by which what they find is known again."""
    by_key = {"id": [name for name in names if is_id(name)], KINDS[kind].name: [n for n in names if not is_id(n)]}
    for key, values in by_key.items():
        yield from ((kind, key, call) for call in in_filters(KINDS[kind].search, key, values))


def in_filters(search: Callable[[str, Sequence[str]], Call], key: str, values: Sequence[str]) -> Iterator[Call]:
    """The calls that look for all values of a property, as many in one as a filter takes."""
    for start in range(0, len(values), MOST_IN_A_FILTER):
        yield search(key, values[start : start + MOST_IN_A_FILTER])


def names_now(operation: Operation, objects: Sequence[tuple[str, str]]) -> list[str | None]:
    """What users and groups, given as kind and object id, are called now; None where they are gone.

    Calls and errors: those of `find_objects`.
    """
    there = {kind: by_id(operation, kind, [id_ for of, id_ in objects if of == kind]) for kind, _ in objects}
    return [name_of(kind, there[kind][object_id]) if object_id in there[kind] else None for kind, object_id in objects]


def names_of(operation: Operation, ids: Collection[str]) -> dict[str, str]:
    """What users and groups are called, by object id; of whom is neither, the object id.

    Calls and errors: those of `find_objects`, for groups only where not all are users.
    """
    names = {object_id: object_id for object_id in ids}
    for kind in KINDS:
        unknown = [object_id for object_id, name in names.items() if name == object_id]
        names |= {object_id: name_of(kind, one) for object_id, one in by_id(operation, kind, unknown).items()}
    return names


def name_of(kind: str, one: Json) -> str:
    """What people call a user or a group."""
    return str(one.get(KINDS[kind].name) or one["id"])


def is_called(kind: str, one: Json, name: str) -> bool:
    """Whether a user or a group has this name; it may have where Graph does not tell any."""
    told = one.get(KINDS[kind].name)
    return told is None or comparable(str(told)) == comparable(name)


def comparable(name: str) -> str:
    """A name without what makes no difference to Graph: letter case, how accents are written, and space around it."""
    return normalize("NFC", normalize("NFC", name).casefold()).strip()


def read(operation: Operation, wanted: Sequence[Call], passes: Collection[int] = (404,)) -> list[dict[str, Any]]:
    """The answers; an empty one for what is not there, or cannot be asked like that (`passes`).

    Raises:
        CallError: one of them was refused.
    """
    from ..graph.batch import read_all  # noqa: PLC0415 - HTTP, which nothing needs where everybody is known

    answers = read_all(operation, wanted, PURPOSE)
    for answer in answers:
        if isinstance(answer, GraphError) and answer.answer.status not in passes:
            raise answer
    return [{} if isinstance(answer, GraphError) else answer for answer in answers]


def entries(operation: Operation, call: Call, answer: dict[str, Any]) -> list[Mapping[str, Any]]:
    """What an answer holds: one object, or a collection, whose further pages are asked for."""
    if "@odata.nextLink" in answer:
        return list(operation.pages(call))
    found: list[Mapping[str, Any]] = answer.get("value", [answer] if answer else [])
    return found
