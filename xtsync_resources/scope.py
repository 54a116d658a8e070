"""Who is in scope: configured names -> object ids in the source tenant, looked up with azuread.

Every unknown name is reported at once, before anything is created.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azuread as azuread

from .config import GUID, ConfigurationProblems, Problem, Settings


@dataclass(frozen=True)
class Principal:
    """A user or group to assign; `name` is what the configuration calls it."""

    kind: str
    name: str
    object_id: str


@dataclass(frozen=True)
class Scope:
    """Who is assigned, and the object ids of who is provisioned at once, by configured name."""

    principals: tuple[Principal, ...]
    on_demand: Mapping[str, str]


def look_up(settings: Settings, provider: azuread.Provider) -> Scope:
    """Find everyone who is named: one GET each, made by azuread (User.Read.All, Group.Read.All).

    Raises:
        ConfigurationProblems: some user or group does not exist, or two names mean the same object.
    """
    options = pulumi.InvokeOptions(provider=provider)
    principals: list[Principal] = []
    problems: list[Problem] = []
    named = {name.lower(): name for name in (*settings.users, *settings.provision_on_demand)}
    users = find_users(named.values(), options, problems)
    if not problems:
        problems += unknown_users("users", settings.users, users, settings.source.name)
        problems += unknown_users("provisionOnDemand", settings.provision_on_demand, users, settings.source.name)
    principals += [Principal("user", name, users[name.lower()]) for name in settings.users if name.lower() in users]
    for index, name in enumerate(settings.groups):
        where = f"xtsync:groups[{index}]"
        try:
            principals.append(Principal("group", name, find_group(name, options)))
        except Exception as error:  # the SDK raises no narrower one for a failed lookup
            problems.append(group_problem(where, name, settings.source.name, reason(error)))
    problems.extend(duplicates(principals))
    if problems:
        raise ConfigurationProblems(problems)
    return Scope(tuple(principals), {name: users[name.lower()] for name in settings.provision_on_demand})


def unknown_users(key: str, names: Sequence[str], found: Mapping[str, str], tenant: str) -> list[Problem]:
    """Names nobody in the source has."""
    do = "Check the spelling, or give the object id"
    return [
        Problem(f"xtsync:{key}[{index}]", name, f"{tenant} has no such user", do)
        for index, name in enumerate(names)
        if name.lower() not in found
    ]


def find_users(names: Iterable[str], options: pulumi.InvokeOptions, problems: list[Problem]) -> dict[str, str]:
    """Object ids of the users that exist, by configured name in lower case."""
    ids = [name for name in names if GUID.fullmatch(name)]
    principal_names = [name for name in names if not GUID.fullmatch(name)]
    found: dict[str, str] = {}
    try:
        if principal_names:
            by_name = azuread.get_users(user_principal_names=principal_names, ignore_missing=True, opts=options)
            found.update({user.user_principal_name.lower(): user.object_id for user in by_name.users})
        if ids:
            by_id = azuread.get_users(object_ids=ids, ignore_missing=True, opts=options)
            found.update({user.object_id.lower(): user.object_id for user in by_id.users})
    except Exception as error:
        do = "Check the network and that the signed-in application may read users (User.Read.All), then run again"
        problems.append(Problem("xtsync:users", None, f"the lookup failed: {reason(error)}", do))
    return found


def find_group(name: str, options: pulumi.InvokeOptions) -> str:
    """The object id of a group; azuread refuses a display name that several groups have."""
    if GUID.fullmatch(name):
        return azuread.get_group(object_id=name, opts=options).object_id
    return azuread.get_group(display_name=name, opts=options).object_id


def group_problem(where: str, name: str, tenant: str, why: str) -> Problem:
    """What a failed lookup of a group means: it is not there, it is not the only one, or nobody could look."""
    if "No group found" in why or "not found" in why.lower():
        return Problem(where, name, f"{tenant} has no such group", "Check the spelling, or give the object id")
    if "More than one group" in why:
        return Problem(where, name, f"{tenant} has several groups of this name", "Give the object id")
    do = "Check the network and that the signed-in application may read groups (Group.Read.All), then run again"
    return Problem(where, name, f"the lookup failed: {why}", do)


def duplicates(principals: Iterable[Principal]) -> list[Problem]:
    """Names that mean the same object: it can be assigned only once."""
    seen: dict[str, Principal] = {}
    problems = []
    for principal in principals:
        other = seen.setdefault(principal.object_id, principal)
        if other is not principal:
            why = f"the same {principal.kind} as {other.name}"
            problems.append(Problem(f"xtsync:{principal.kind}s", principal.name, why, "Remove one of the two"))
    return problems


def reason(error: Exception) -> str:
    """A failed lookup's own words, on one line, without what SDK and engine put in front of them."""
    text = " ".join(str(error).split())
    return re.sub(r"^(?:.*\bazuread:index/\w+:\w+\b[^:]*: )", "", text).removeprefix("1 error occurred: * ")
